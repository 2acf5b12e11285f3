// Reading resolv.conf(5); see the header.
#include "switchd/gateway/resolvers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <optional>

#include "frames/dns.h"
#include "transports/fd.h"

namespace lanyard {

namespace {

constexpr std::size_t servers_max = 3;  // MAXNS, resolv.h
constexpr std::int64_t look_interval_ms = 1000;

std::optional<SocketAddress> parse_server(std::string text) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(dns_port);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) return SocketAddress(&v4, sizeof v4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(dns_port);
  if (const std::size_t percent = text.find('%'); percent != std::string::npos) {
    const std::string zone = text.substr(percent + 1);
    v6.sin6_scope_id = ::if_nametoindex(zone.c_str());
    if (v6.sin6_scope_id == 0) std::from_chars(zone.data(), zone.data() + zone.size(), v6.sin6_scope_id);
    if (v6.sin6_scope_id == 0) return std::nullopt;
    text.resize(percent);
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) return SocketAddress(&v6, sizeof v6);
  return std::nullopt;
}

}  // namespace

std::vector<SocketAddress> parse_resolv_conf(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  constexpr std::string_view keyword = "nameserver";
  std::vector<SocketAddress> servers;
  while (!text.empty() && servers.size() < servers_max) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    const std::size_t from = line.find_first_not_of(blanks);
    if (from == 0 || from == std::string_view::npos) continue;
    line.remove_prefix(from);
    if (const auto server = parse_server(std::string(line.substr(0, line.find_first_of(blanks)))))
      servers.push_back(*server);
  }
  if (servers.empty()) servers.push_back(*parse_server("127.0.0.1"));
  return servers;
}

const std::vector<SocketAddress>& Resolvers::current(std::int64_t now_ms) {
  if (!servers_.empty() && now_ms - looked_ms_ < look_interval_ms) return servers_;
  looked_ms_ = now_ms;
  std::array<char, 16384> bytes;
  const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && !servers_.empty()) return servers_;  // being replaced, or no descriptor is free: what was known
  const ssize_t got = file ? ::read(file.get(), bytes.data(), bytes.size()) : 0;
  const std::string now_says(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (servers_.empty() || now_says != seen_) servers_ = parse_resolv_conf(now_says);
  seen_ = now_says;
  return servers_;
}

}  // namespace lanyard
