// Connecting ports, TCP and UNIX: down until connected, and again after every loss, with back-off. `ready` does not
// wait for them.
//
// Something may accept each connection and close it at once: a tunnel (ssh -L) whose far end is down, a proxy. So one
// counts only when it has brought a frame or lasted as long as the longest pause; until then the pauses go on doubling,
// and only the first such connection is told of (flap_damping.h): whether a further one counts is looked at a few times a
// second.
#pragma once

#include <asio/basic_stream_socket.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>

#include "switchd/backoff.h"
#include "switchd/flap_damping.h"
#include "switchd/port_control.h"
#include "switchd/untold_drops.h"

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
  [[nodiscard]] bool has_served() const { return frames_brought() > frames_before_; }

  static constexpr std::chrono::milliseconds watch_interval{100};
  static constexpr std::chrono::seconds connect_max{10};

  NameResolver::LookUp look_up_;    // of the name to connect to; null: none is under way
  Socket socket_;
  asio::steady_timer timer_;        // of the connect under way, or until the next try
  asio::steady_timer watch_timer_;  // of a connection that is not told of yet
  std::deque<SocketAddress> candidates_;
  Backoff backoff_;
  std::shared_ptr<PortCounters> counters_;
  std::uint64_t frames_before_ = 0;  // that its port had brought before the present connection, or the last
  std::chrono::steady_clock::time_point connected_at_;
  UntoldDrops untold_drops_;
  FlapDamping damping_{{.lasts = Backoff::max, .told_max = 1}};
  bool is_connected_ = false;
  std::string last_failure_;  // told once, not at every try
  bool stopping_ = false;
};

}  // namespace lanyard
