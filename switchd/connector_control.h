// Connecting ports, TCP and UNIX: down until connected, and again after every loss, with back-off. `ready` does not
// wait for them.
//
// Something may accept each connection and close it at once: a tunnel (ssh -L) whose far end is down, a proxy. So a
// connection counts only when it has brought a frame or lasted as long as the longest pause; until then the pauses go on
// doubling, and only the first such connection is told of:
//
//   good    (at first) a connection is told as up when it is there; lost without having counted, it is the last
//           told for now, and leads to
//   doubted a connection is told as up when it counts, which is looked at a few times a second, and leads back to
//           good; one that does not get there is not told, neither as up nor as down
#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>

#include "switchd/backoff.h"
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

 private:
  using Socket = asio::basic_stream_socket<asio::generic::stream_protocol>;

  void resolve();
  void connect_to(const std::vector<SocketAddress>& addresses);
  void connect_next();
  void connected(Fd fd);
  void failed(const std::string& why);
  void retry_later();
  void tell_up();
  void watch();
  [[nodiscard]] std::uint64_t frames_brought() const;
  [[nodiscard]] bool counts() const;

  static constexpr std::chrono::milliseconds watch_interval{100};
  static constexpr std::chrono::seconds connect_max{10};

  NameResolver::LookUp look_up_;    // of the name to connect to; null: none is under way
  Socket socket_;
  asio::steady_timer timer_;        // of the connect under way, or until the next try
  asio::steady_timer watch_timer_;  // of a connection that is doubted
  std::deque<SocketAddress> candidates_;
  Backoff backoff_;
  std::shared_ptr<PortCounters> counters_;
  std::uint64_t frames_before_ = 0;  // the present connection, or the last
  std::chrono::steady_clock::time_point connected_at_;
  bool is_connected_ = false;
  bool doubted_ = false;  // peers closed connections before a frame came: told of once one lasts
  bool told_up_ = false;  // of the present connection
  std::string last_failure_;  // told once, not at every try
  bool stopping_ = false;
};

}  // namespace lanyard
