// Opens, binds and prepares sockets of every kind for the data plane: nonblocking, close-on-exec, with the options
// that the wire wants. For the control plane; nothing here is fast or needs to be. Errors are values with an errno
// and a text that names the address.
#pragma once

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "transports/fd.h"
#include "transports/socket_address.h"

namespace lanyard {

struct OpenError {
  std::string what;  // one line, names the address
  int error = 0;     // errno, or 0
};
// That `doing` failed for `error`.
[[nodiscard]] OpenError open_failed(const std::string& doing, int error = errno);
// May it be otherwise by itself? An address, a route or an interface is not there (yet), or a name has no address.
[[nodiscard]] bool may_come(const OpenError& error);
inline constexpr int name_unknown = EADDRNOTAVAIL;  // `error` of a name that does not resolve
// Is it that this host does not have the address, or anything of its family?
[[nodiscard]] inline bool is_absent(const OpenError& error) {
  return error.error == EAFNOSUPPORT || error.error == EADDRNOTAVAIL;
}
template <class T>
using Opened = std::variant<T, OpenError>;

// A listening TCP socket. IPv6 sockets take IPv6 only.
[[nodiscard]] Opened<Fd> open_tcp_listener(const SocketAddress& local);

// A path for a UNIX socket: 0 permission bits of the umask apply, then `mode` and `group` where given.
struct UnixPath {
  std::string path;
  std::optional<std::uint32_t> mode;  // permission bits; without it 0600
  std::string group;                  // empty: the process's own
};
// A path left behind by a dead process is taken over; one that is served is an error, and so is anything that is not
// a socket.
[[nodiscard]] Opened<Fd> open_unix_listener(const UnixPath& local);
[[nodiscard]] Opened<Fd> open_unix_datagram(const UnixPath& local);

// A UDP socket with a large receive buffer. Bound to all addresses, it tells which one a datagram came to.
[[nodiscard]] Opened<Fd> open_udp(const SocketAddress& local);

// From now on the kernel keeps the ICMP errors that a UDP socket's datagrams bring (IP_RECVERR, ip(7)): without that,
// a socket that is not connected hears of none. Each has the next send refused; take_errors() takes them off.
void keep_errors(int udp);

// The local address, port 0, from which `remote` is routed now.
[[nodiscard]] Opened<SocketAddress> local_address_towards(const SocketAddress& remote);

// A multicast group as QEMU joins it (net/socket.c, net_socket_mcast_create), with a second socket to send from: every
// member on a host has the group's own address, so only a port of our own tells our echo from others' frames.
struct MulticastGroup {
  SocketAddress group;    // IPv4
  std::string interface;  // IPv4 address or name; empty: as routed
  std::uint8_t ttl = 1;
};
// Where a group is joined now. What is open stays where it was, and is deaf, when that changes: an interface is made
// again, or has another address, or, without `interface`, the route to the group is another.
struct MulticastPlace {
  unsigned interface = 0;  // its number
  SocketAddress source;    // the address that frames sent to the group have, port 0
  friend bool operator==(const MulticastPlace&, const MulticastPlace&) = default;
};
[[nodiscard]] Opened<MulticastPlace> multicast_place(const MulticastGroup& group);
struct MulticastSockets {
  Fd receive;
  Fd send;
  SocketAddress own_address;  // of `send`, as others see it
  MulticastPlace place;
};
[[nodiscard]] Opened<MulticastSockets> open_multicast(const MulticastGroup& group);

[[nodiscard]] SocketAddress bound_address(int fd);
[[nodiscard]] SocketAddress peer_address(int fd);  // none where it is not connected

}  // namespace lanyard
