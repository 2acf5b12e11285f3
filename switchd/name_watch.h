// The name of a peer that has no connection, and what it stands for: looked up until it can be used, and again when the
// peer is not heard, since it may be elsewhere by now. Nothing else tells: a datagram to an address that is a host's no
// more is lost without a word, or brings an ICMP error.
//
//   not used   looked up every 200 ms to 5 s, until `use` has found an address that serves
//   used       nothing is asked as long as the peer is heard. Silent for 5 s, or unreachable, as the kernel says:
//              looked up after 1 s, 2 s, 4 s and so on, at most every minute, until it is heard again
//
// Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "switchd/backoff.h"
#include "switchd/config.h"
#include "switchd/name_resolver.h"
#include "transports/socket_address.h"

namespace lanyard {

class NameWatch {
 public:
  struct User {
    // Given all addresses, in the resolver's order, at each look-up: empty, or why none of them serves.
    std::function<std::string(const std::vector<SocketAddress>&)> use;
    std::function<std::uint64_t()> heard;               // how many frames came from there so far
    std::function<void(const std::string& why)> failed;  // it is not used yet, and will be tried again
  };
  NameWatch(asio::io_context& io, NameResolver& resolver, HostPort name, User user)
      : name_(std::move(name)), user_(std::move(user)), resolver_(resolver), timer_(io) {}

  void begin() { look_up(); }
  void unreachable();  // the peer is not where it was
  void stop();

 private:
  using Clock = std::chrono::steady_clock;

  void look_up();
  void found(const std::vector<SocketAddress>& addresses);
  void not_found(const std::string& why);
  void wait(std::chrono::milliseconds time, void (NameWatch::*then)());
  void hear();
  void listen();

  static constexpr std::chrono::seconds listen_interval{1};
  static constexpr std::chrono::seconds silence_max{5};
  static constexpr std::chrono::seconds pause_min{1};
  static constexpr std::chrono::seconds pause_max{60};

  const HostPort name_;
  const User user_;
  NameResolver& resolver_;
  NameResolver::LookUp look_up_;  // null: none is under way
  asio::steady_timer timer_;
  Backoff retry_;
  std::chrono::seconds pause_ = pause_min;
  std::uint64_t heard_ = 0;
  Clock::time_point heard_at_;
  Clock::time_point looked_up_at_;
  bool used_ = false;
  bool unreachable_ = false;
  bool stopping_ = false;
};

}  // namespace lanyard
