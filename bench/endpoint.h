// Endpoints of the bench programs, written as switchd's ports are, TYPE:ADDRESS[,remote=HOST:PORT], so that
// the same words start the switch, the pump that is its limit and, with listen and connect exchanged, the
// load on either.
//
//   unix-listen:PATH   unix-connect:PATH   tcp-listen:HOST:PORT   tcp-connect:HOST:PORT
//   udp:HOST:PORT,remote=HOST:PORT         mcast:GROUP:PORT,interface=HOST
//   vde:PATH (the load alone, where libvdeplug is found)
//
// Hosts are numeric. A bench has no use for going on after a mistake, so whatever cannot be parsed or opened
// ends the program with a message: exit 2 for the command line, 1 for the system.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace lanyard::bench {

[[noreturn]] void usage_error(const std::string& message);  // exit 2
[[noreturn]] void system_error(const std::string& what);    // exit 1, with errno's text
[[noreturn]] void failure(const std::string& message);      // exit 1

// A file descriptor with an owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int adopted) : fd_(adopted) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd();
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

enum class EndpointType : std::uint8_t {
  unix_listen,
  unix_connect,
  tcp_listen,
  tcp_connect,
  udp,
  mcast,
  vde
};

struct Endpoint {
  std::string name;    // given as NAME=, else the type and its position: udp1
  std::string prefix;  // "tcp-listen"
  std::string place;   // path or HOST:PORT, as typed
  EndpointType type = EndpointType::udp;
  SocketAddress address;    // of all but vde
  SocketAddress remote;     // of udp; of mcast the group, as `address` is
  SocketAddress interface;  // of mcast: the address of the one where the group is joined and sent to
};

// `position` numbers endpoints that are given no name, from 1.
[[nodiscard]] Endpoint parse_endpoint(std::string_view text, std::size_t position);

// A listening, connected or bound socket, blocking. Datagram sockets get the largest receive buffer allowed,
// stream sockets the kernel's default and, on TCP, no Nagle.
[[nodiscard]] Fd open_endpoint(const Endpoint& endpoint);

[[nodiscard]] bool is_datagram(const Endpoint& endpoint);
[[nodiscard]] bool is_listener(const Endpoint& endpoint);

// An endpoint and what open_endpoint() gave for it.
struct Opened {
  Endpoint endpoint;
  Fd socket;
};

// The next connection of a listener, with Nagle off where there is one.
[[nodiscard]] Fd accept_connection(const Fd& listener);

// "TYPE:ADDRESS" as switchd announces a port: with the number really bound.
[[nodiscard]] std::string announced(const Endpoint& endpoint, const Fd& socket);

// Confines the calling thread, and those it starts, to one core; none when negative.
void pin_to_core(int core);
// Asks the scheduler for turns of 0.1 ms, so that this thread, when it wakes up, need not wait for the end of another's
// turn (EEVDF, Linux 6.12); before that it changes nothing.
void shorten_slice();

}  // namespace lanyard::bench
