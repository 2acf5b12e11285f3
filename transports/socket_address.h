// An IPv4, IPv6 or UNIX socket address as the kernel takes it. Length 0: none.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lanyard {

struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un un;
  };
  socklen_t length = 0;

  SocketAddress() : un{} {}
  // REQUIRES: `address_length` readable bytes. Longer than any address we know: truncated. What is behind an IP address
  // stays as it was: every datagram brings one, and clearing the whole costs more than all else here.
  SocketAddress(const void* address, socklen_t address_length)
      : length(address_length < sizeof(sa_family_t) ? 0 : std::min<socklen_t>(address_length, sizeof un)) {
    if (length == sizeof v4) std::memcpy(&v4, address, sizeof v4);
    else copy(address);
  }
  [[nodiscard]] static SocketAddress unix_path(std::string_view path);  // REQUIRES: 1 to 107 bytes
  [[nodiscard]] int family() const { return length == 0 ? AF_UNSPEC : any.sa_family; }
  [[nodiscard]] std::uint16_t port() const;  // 0 for UNIX addresses
  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const;  // REQUIRES: an IP address
  [[nodiscard]] SocketAddress host() const;  // the same with port 0
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_any() const;         // 0.0.0.0 or [::], which stand for all addresses of this host
  [[nodiscard]] bool is_link_local() const;  // of IPv6 (fe80::/10): one host's on each link
  // Is it meant on this interface, by its name or number now? REQUIRES: IPv6.
  [[nodiscard]] bool is_in_zone(std::string_view zone) const;
  // Same family, address, zone and port, or same path. Flow labels and padding do not count.
  friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
    if (a.family() != AF_INET || b.family() != AF_INET) return equal_otherwise(a, b);
    return a.v4.sin_port == b.v4.sin_port && a.v4.sin_addr.s_addr == b.v4.sin_addr.s_addr;
  }
  [[nodiscard]] std::size_t hash() const;

 private:
  void copy(const void* address);
  static bool equal_otherwise(const SocketAddress& a, const SocketAddress& b);
};

struct SocketAddressHash {
  std::size_t operator()(const SocketAddress& address) const { return address.hash(); }
};

// "127.0.0.1:7000", "[::1]:7000", "[fe80::1%eth0]:7000" (RFC 4007, 11; a zone whose interface has gone is a number),
// "/path", or "-" for none.
[[nodiscard]] std::string to_string(const SocketAddress& address);

}  // namespace lanyard
