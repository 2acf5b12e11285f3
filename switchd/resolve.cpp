// Host names to addresses, by getaddrinfo.
#include "switchd/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>

#include <algorithm>

namespace lanyard {

namespace {

[[nodiscard]] std::vector<SocketAddress> look_up(const HostPort& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one answer per address
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (::getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) return {};
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next)
    addresses.emplace_back(entry->ai_addr, entry->ai_addrlen);
  ::freeaddrinfo(found);
  return addresses;
}

}  // namespace

std::vector<SocketAddress> literal_addresses(const HostPort& address) {
  if (!address.host.empty()) return look_up(address, AI_NUMERICHOST);
  std::vector<SocketAddress> loopback = look_up({"127.0.0.1", address.port}, AI_NUMERICHOST);
  for (const SocketAddress& v6 : look_up({"::1", address.port}, AI_NUMERICHOST)) loopback.push_back(v6);
  return loopback;
}

std::vector<SocketAddress> resolve_now(const HostPort& address) {
  std::vector<SocketAddress> addresses = literal_addresses(address);
  return addresses.empty() ? look_up(address, AI_PASSIVE) : addresses;
}

bool allowed_by(const std::vector<Cidr>& cidrs, const SocketAddress& source) {
  const bool v6 = source.family() == AF_INET6;
  if (!v6 && source.family() != AF_INET) return false;
  const auto* bytes = v6 ? source.v6.sin6_addr.s6_addr : reinterpret_cast<const std::uint8_t*>(&source.v4.sin_addr);
  const auto comes_by = [&](const std::string& zone) { return zone.empty() || source.is_in_zone(zone); };
  return std::any_of(cidrs.begin(), cidrs.end(),
                     [&](const Cidr& cidr) { return cidr.contains(v6, bytes) && comes_by(cidr.zone); });
}

}  // namespace lanyard
