// Listening ports, TCP and UNIX: every connection becomes a transport with a port NAME.N, which vanishes with it. One
// that is bound to a link-local address is down while the interface of that is gone, and binds it anew when it is back.
#pragma once

#include <asio/basic_socket_acceptor.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <vector>

#include "switchd/port_control.h"
#include "switchd/refusal_log.h"

namespace lanyard {

class ListenerControl final : public PortControl {
 public:
  ListenerControl(const PortConfig& config, PortServices& services)
      : PortControl(config, services), refusals_(services.io(), config.name) {}

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override { return address_; }
  void begin() override;
  void attached(const Notice& notice) override;
  void closed(const Notice& notice) override;
  void links_changed(const std::set<unsigned>& gone) override;
  void stop() override;

 private:
  using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;
  struct Accepting {
    Acceptor acceptor;
    asio::steady_timer pause;
    unsigned zone;  // number of the interface of a link-local address; others: 0
    unsigned failures = 0;
  };

  [[nodiscard]] std::optional<OpenError> open_tcp();
  [[nodiscard]] Opened<std::vector<Fd>> bind_all(const std::vector<SocketAddress>& addresses) const;
  [[nodiscard]] std::optional<OpenError> open_unix();
  void add_acceptor(int family, Fd fd);
  void close_all();
  void try_again();
  void accept(const std::shared_ptr<Accepting>& accepting);
  void accepted(Fd fd, const SocketAddress& peer);

  std::string address_;
  std::vector<std::shared_ptr<Accepting>> accepting_;
  std::map<std::uint64_t, std::string> connections_;  // serial -> port name
  RefusalLog refusals_;
  bool waiting_ = false;  // until its interface is back
  std::string last_failure_;
  bool stopping_ = false;
};

}  // namespace lanyard
