// Reading resolv.conf(5); see the header.
#include "switchd/gateway/resolvers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "frames/dns.h"
#include "transports/fd.h"

namespace lanyard {

namespace {

constexpr std::size_t servers_max = 3;  // MAXNS, resolv.h
constexpr std::int64_t look_interval_ms = 1000;
constexpr std::int64_t silent_ms = 60'000;  // so long a silent one comes last
constexpr std::int64_t trial_ms = 2000;     // and so long while one query tries it again
constexpr std::string_view line_blanks = " \t\r";

// Calls `take` for each line. Returns when that says so.
template <typename Take>
void for_each_line(std::string_view text, Take take) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!take(line)) return;
  }
}

// What follows the keyword at the beginning of a line, from the first byte that is no blank on; empty: it is no such line.
std::string_view after_keyword(std::string_view line, std::string_view keyword) {
  if (!line.starts_with(keyword)) return {};
  line.remove_prefix(keyword.size());
  const std::size_t from = line.find_first_not_of(line_blanks);
  return from == 0 || from == std::string_view::npos ? std::string_view() : line.substr(from);
}

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
  std::vector<SocketAddress> servers;
  for_each_line(text, [&](std::string_view line) {
    const std::string_view value = after_keyword(line, "nameserver");
    if (const auto server = parse_server(std::string(value.substr(0, value.find_first_of(line_blanks)))))
      servers.push_back(*server);
    return servers.size() < servers_max;
  });
  if (servers.empty()) servers.push_back(*parse_server("127.0.0.1"));
  return servers;
}

std::vector<std::string> parse_search_domains(std::string_view text) {
  std::vector<std::string> domains;
  for_each_line(text, [&](std::string_view line) {
    std::string_view words = after_keyword(line, "search");
    const bool is_one = words.empty();
    if (is_one) words = after_keyword(line, "domain");
    if (words.empty()) return true;
    domains.clear();
    while (!words.empty() && domains.size() < (is_one ? 1 : search_domains_max)) {
      const std::size_t end = std::min(words.find_first_of(line_blanks), words.size());
      std::string domain = normal_dns_name(words.substr(0, end));
      if (!domain.empty() && std::find(domains.begin(), domains.end(), domain) == domains.end())
        domains.push_back(std::move(domain));
      else if (is_one) break;
      words.remove_prefix(std::min(words.find_first_not_of(line_blanks, end), words.size()));
    }
    return true;
  });
  return domains;
}

const std::vector<SocketAddress>& Resolvers::current(std::int64_t now_ms) {
  if (!servers_.empty() && now_ms - looked_ms_ < look_interval_ms) return servers_;
  looked_ms_ = now_ms;
  std::array<char, 16384> bytes;
  const Fd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && !servers_.empty()) return servers_;  // being replaced, or no descriptor is free: what was known
  const ssize_t got = file ? ::read(file.get(), bytes.data(), bytes.size()) : 0;
  const std::string now_says(bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (servers_.empty() || now_says != seen_) take(now_says);
  return servers_;
}

void Resolvers::take(const std::string& text) {
  std::vector<SocketAddress> servers = parse_resolv_conf(text);
  std::vector<Health> health;
  for (const SocketAddress& server : servers) {
    const Health* known = health_of(server);
    health.push_back(known != nullptr ? *known : Health{});
  }
  servers_ = std::move(servers);
  health_ = std::move(health);
  search_ = parse_search_domains(text);
  seen_ = text;
}

const std::vector<std::string>& Resolvers::search_domains(std::int64_t now_ms) {
  (void)current(now_ms);
  return search_;
}

std::vector<SocketAddress> Resolvers::to_ask(std::int64_t now_ms) {
  (void)current(now_ms);
  std::vector<SocketAddress> first, last;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    Health& health = health_[i];
    const bool comes_last = health.last_until_ms > now_ms;
    (comes_last ? last : first).push_back(servers_[i]);
    if (!comes_last && health.last_until_ms != 0) health.last_until_ms = now_ms + trial_ms;  // this query tries it
  }
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

void Resolvers::heard(const SocketAddress& server, std::int64_t now_ms) {
  if (Health* health = health_of(server)) *health = {now_ms, 0};
}

void Resolvers::silent(const SocketAddress& server, std::int64_t asked_ms, std::int64_t now_ms) {
  Health* health = health_of(server);
  if (health != nullptr && health->heard_ms < asked_ms) health->last_until_ms = now_ms + silent_ms;
}

Resolvers::Health* Resolvers::health_of(const SocketAddress& server) {
  const auto known = std::find(servers_.begin(), servers_.end(), server);
  return known == servers_.end() ? nullptr : &health_[static_cast<std::size_t>(known - servers_.begin())];
}

}  // namespace lanyard
