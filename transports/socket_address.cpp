// Comparing, hashing and printing socket addresses.
#include "transports/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <functional>

#include "frames/check.h"

namespace lanyard {

namespace {

[[nodiscard]] std::string_view path_of(const SocketAddress& address) {
  const std::size_t offset = offsetof(sockaddr_un, sun_path);
  if (address.length <= offset) return {};
  std::string_view path(address.un.sun_path, address.length - offset);
  if (path.front() == '\0') return path;  // abstract
  return path.substr(0, path.find('\0'));
}

}  // namespace

namespace {

// "%eth0", or nothing.
[[nodiscard]] std::string zone_of(const SocketAddress& address) {
  const std::uint32_t zone = address.v6.sin6_scope_id;
  if (zone == 0) return {};
  char name[IF_NAMESIZE] = "";
  return std::string("%").append(::if_indextoname(zone, name) != nullptr ? name : std::to_string(zone));
}

}  // namespace

bool SocketAddress::is_in_zone(std::string_view zone) const {
  return v6.sin6_scope_id != 0 && (zone == std::to_string(v6.sin6_scope_id) || zone == zone_of(*this).substr(1));
}

void SocketAddress::copy(const void* address) {
  if (length == sizeof v6) std::memcpy(&v6, address, sizeof v6);
  else std::memcpy(&un, address, length);
}

SocketAddress SocketAddress::unix_path(std::string_view path) {
  SocketAddress address;
  LANYARD_CHECK(!path.empty() && path.size() < sizeof address.un.sun_path);
  address.un.sun_family = AF_UNIX;
  std::memcpy(address.un.sun_path, path.data(), path.size());
  address.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

std::uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(v4.sin_port);
  if (family() == AF_INET6) return ntohs(v6.sin6_port);
  return 0;
}

bool SocketAddress::equal_otherwise(const SocketAddress& a, const SocketAddress& b) {
  if (a.family() != b.family()) return false;
  switch (a.family()) {
    case AF_INET6:
      return a.v6.sin6_port == b.v6.sin6_port && a.v6.sin6_scope_id == b.v6.sin6_scope_id &&
             std::memcmp(&a.v6.sin6_addr, &b.v6.sin6_addr, sizeof a.v6.sin6_addr) == 0;
    case AF_UNIX: return path_of(a) == path_of(b);
    default: return true;
  }
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const {
  SocketAddress other = *this;
  if (family() == AF_INET) other.v4.sin_port = htons(port);
  if (family() == AF_INET6) other.v6.sin6_port = htons(port);
  return other;
}

SocketAddress SocketAddress::host() const { return with_port(0); }

bool SocketAddress::is_any() const {
  if (family() == AF_INET) return v4.sin_addr.s_addr == INADDR_ANY;
  return family() == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr);
}

bool SocketAddress::is_loopback() const {
  if (family() == AF_INET) return ntohl(v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

bool SocketAddress::is_link_local() const {
  return family() == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

std::size_t SocketAddress::hash() const {
  const auto bytes = [](const void* data, std::size_t size) {
    return std::hash<std::string_view>{}({static_cast<const char*>(data), size});
  };
  switch (family()) {
    case AF_INET: return bytes(&v4.sin_addr, sizeof v4.sin_addr) ^ (std::size_t{v4.sin_port} << 32);
    case AF_INET6:
      return bytes(&v6.sin6_addr, sizeof v6.sin6_addr) ^ (std::size_t{v6.sin6_port} << 32) ^ v6.sin6_scope_id;
    case AF_UNIX: return std::hash<std::string_view>{}(path_of(*this));
    default: return 0;
  }
}

std::string to_string(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  switch (address.family()) {
    case AF_INET:
      inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
      return std::string(text).append(":").append(std::to_string(address.port()));
    case AF_INET6:
      inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
      return std::string("[").append(text).append(zone_of(address)).append("]:").append(std::to_string(address.port()));
    case AF_UNIX: return std::string(path_of(address));
    default: return "-";
  }
}

}  // namespace lanyard
