// Listening ports, TCP and UNIX: every connection becomes a transport with a port NAME.N, which vanishes with it.
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <list>
#include <map>

#include "switchd/port_control.h"
#include "switchd/refusal_log.h"

namespace lanyard {

class ListenerControl final : public PortControl {
 public:
  ListenerControl(const PortConfig& config, PortServices& services)
      : PortControl(config, services), refusals_(services.io(), config.name) {}

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override { return address_; }
  void closed(const Notice& notice) override;
  void stop() override;

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  struct Accepting {
    Acceptor acceptor;
    asio::steady_timer pause;
    unsigned failures = 0;
  };

  [[nodiscard]] std::optional<OpenError> open_tcp();
  [[nodiscard]] Opened<std::vector<Fd>> bind_all(const std::vector<SocketAddress>& addresses) const;
  [[nodiscard]] std::optional<OpenError> open_unix();
  void add_acceptor(int family, Fd fd);
  void accept(Accepting& accepting);
  void accepted(Fd fd, const SocketAddress& peer);

  std::string address_;
  std::list<Accepting> accepting_;
  std::map<std::uint64_t, std::string> connections_;  // serial -> port name
  RefusalLog refusals_;
  bool stopping_ = false;
};

}  // namespace lanyard
