// libslirp (user-mode TCP/IP: guests' connections become sockets of this process) behind an interface of our
// own. Its DHCP and DNS are off, ours are in front of it; its host loopback is off unless asked for. Needs
// libslirp 4.7 or later.
//
// A guest's connection that the host cannot make is reset: libslirp itself takes the error of a socket that never
// connected for the end of a connection, and sends a FIN that means nothing to a guest which waits for an answer to its
// SYN (slirp_pollfds_poll() reads before it looks whether a socket is still connecting). So such a socket is only ever
// said to be writable; what libslirp does with that finds the error, and answers with RST.
//
// Whatever its address is, libslirp sends router advertisements and ICMPv6 errors from fe80::2. They get the address of
// the link that it answers at, so that guests can tell routers of one LAN apart.
//
// Data flow: input() takes a guest's frame; frames for guests come out by `send`, during input() and poll().
// Nothing may be put in from within `send`. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/poll_set.h"

struct Slirp;

namespace lanyard {

class SlirpStack {
 public:
  using Send = std::function<void(std::span<const std::byte> frame)>;

  // Throws std::runtime_error where the library is too old.
  SlirpStack(const GatewayConfig& config, Send send);
  SlirpStack(const SlirpStack&) = delete;
  SlirpStack& operator=(const SlirpStack&) = delete;
  ~SlirpStack();

  void input(std::span<const std::byte> frame);
  // Before and after a wait.
  void fill(PollSet& polled);
  void poll(const PollSet& polled, bool failed);

  // An empty string, or what went wrong: the address in use, no permission for a port below 1024.
  [[nodiscard]] std::string add_forward(const GatewayConfig& config, const Forward& forward);
  [[nodiscard]] int forward_error() const { return forward_error_; }  // errno of the last that could not be added, or 0
  void remove_forward(const Forward& forward);
  // Guests' TCP connections to `address`, `port` are connected to the UNIX socket at `path`.
  [[nodiscard]] bool connect_to_unix(Ipv4Address address, std::uint16_t port, const std::string& path);

  // Of its own addresses.
  [[nodiscard]] static MacAddress mac_of(Ipv4Address own);
  [[nodiscard]] static MacAddress mac_of(const Ipv6Bytes& own);

  [[nodiscard]] static std::string version();
  // Its reassembly of IPv4 fragments writes to where it should not before 4.8, when compiled by GCC 12: none
  // may reach it.
  [[nodiscard]] static bool may_reassemble();
  // Descriptors that it had in the last fill().
  [[nodiscard]] std::size_t sockets() const { return sockets_; }

 private:
  struct Callbacks;
  struct Timer {
    void (*fire)(void* user);
    void* user;
    std::int64_t at_ms;  // monotonic; negative: not set
  };
  void run_timers();
  [[nodiscard]] std::size_t add_polled(int fd, int events);
  [[nodiscard]] int events_of(std::size_t index) const;

  void send(std::span<const std::byte> frame);

  Send send_;
  Ipv6Bytes link_local_;
  std::vector<std::unique_ptr<Timer>> timers_;
  Slirp* slirp_ = nullptr;
  std::size_t sockets_ = 0;
  int forward_error_ = 0;
  PollSet* filled_ = nullptr;        // during fill()
  const PollSet* polled_ = nullptr;  // during poll()
  std::unordered_set<int> unconnected_;  // descriptors that are new to libslirp, and may be connecting
  std::set<std::size_t> connecting_at_;  // those of them that are, in the PollSet of this turn
};

}  // namespace lanyard
