// Addresses that are written as such; see the header.
#include "switchd/resolve.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

#include <algorithm>
#include <cerrno>

#include "switchd/address.h"

namespace lanyard {

namespace {

[[nodiscard]] std::vector<SocketAddress> read_literal(const HostPort& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;  // one answer per address
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
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

bool is_name(const HostPort& address) {
  return !address.host.empty() && !is_ipv4(address.host) && !is_ipv6(address.host);
}

std::vector<SocketAddress> literal_addresses(const HostPort& address) {
  if (!address.host.empty()) return read_literal(address);
  std::vector<SocketAddress> loopback = read_literal({"127.0.0.1", address.port});
  for (const SocketAddress& v6 : read_literal({"::1", address.port})) loopback.push_back(v6);
  return loopback;
}

Opened<std::vector<SocketAddress>> addresses_of(const HostPort& address) {
  std::vector<SocketAddress> addresses = literal_addresses(address);
  if (!addresses.empty()) return addresses;
  const std::string zone = address.host.substr(address.host.find('%') + 1);
  return OpenError{fmt::format("{}: there is no interface '{}'", to_string(address), zone), ENODEV};
}

std::vector<SocketAddress> with_port_of(const HostPort& address, std::vector<SocketAddress> hosts) {
  for (SocketAddress& host : hosts) host = host.with_port(address.port);
  return hosts;
}

std::string name_to_bind(const PortConfig& port) {
  const bool binds = port.type == PortType::tcp_listen || port.type == PortType::udp;
  return binds && is_name(port.address) ? port.address.host : "";
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
