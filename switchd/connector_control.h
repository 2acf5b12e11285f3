// Connecting ports, TCP and UNIX: down until connected, and again after every loss, with back-off. `ready` does not
// wait for them.
#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>

#include "switchd/port_control.h"

namespace lanyard {

class ConnectorControl final : public PortControl {
 public:
  ConnectorControl(const PortConfig& config, PortServices& services);

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override;
  void begin() override { resolve(); }
  void attached(const Notice& notice) override;
  void closed(const Notice& notice) override;
  void stop() override;
  [[nodiscard]] bool is_resolving() const override { return resolving_; }

 private:
  using Socket = asio::basic_stream_socket<asio::generic::stream_protocol>;

  void resolve();
  void connect_next();
  void connected(Fd fd);
  void failed(const std::string& why);
  void retry_later();

  static constexpr std::chrono::milliseconds retry_min{200};
  static constexpr std::chrono::milliseconds retry_max{5000};
  static constexpr std::chrono::seconds connect_max{10};

  asio::ip::tcp::resolver resolver_;
  Socket socket_;
  asio::steady_timer timer_;
  std::deque<SocketAddress> candidates_;
  std::chrono::milliseconds retry_ = retry_min;
  std::string last_failure_;  // told once, not at every try
  bool resolving_ = false;
  bool stopping_ = false;
};

}  // namespace lanyard
