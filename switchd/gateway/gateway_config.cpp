// The gateway's configuration as JSON, and forwards as they are written; see the header.
#include "switchd/gateway/gateway_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "switchd/config_text.h"

namespace lanyard {

using nlohmann::json;

namespace {

Ipv4Address address_of(const json& text) {
  const auto address = parse_ipv4(text.get<std::string>());
  if (!address) throw std::invalid_argument("an IPv4 address");
  return *address;
}

template <typename Number>
Number checked(const json& number, std::uint64_t most = std::numeric_limits<Number>::max()) {
  if (!number.is_number_unsigned() || number.get<std::uint64_t>() > most)
    throw std::invalid_argument("a number in range");
  return static_cast<Number>(number.get<std::uint64_t>());
}

const json::array_t& entries_of(const json& list) { return list.get_ref<const json::array_t&>(); }

}  // namespace

std::string to_string(const Forward& forward) {
  return fmt::format("{}:{}:{}:{}:{}", forward.udp ? "udp" : "tcp", forward.host, forward.port, forward.guest,
                     forward.guest_port);
}

namespace {

// QEMU's hostfwd=tcp:[HOST]:PORT-[VM]:PORT is written the other way; as it is written here, where that is what it is.
std::string of_hostfwd(std::string_view text) {
  const std::size_t hyphen = text.find('-');
  const std::size_t first = text.find(':');
  if (hyphen == std::string_view::npos || first == std::string_view::npos || first > hyphen) return {};
  const std::string_view host = text.substr(first + 1, hyphen - first - 1);
  const std::string_view guest = text.substr(hyphen + 1);
  const std::size_t host_colon = host.rfind(':');
  const std::size_t guest_colon = guest.find(':');
  if (guest_colon == std::string_view::npos) return {};
  const std::string_view port = host_colon == std::string_view::npos ? host : host.substr(host_colon + 1);
  if (!parse_number(port, 1, 65535) || !parse_number(guest.substr(guest_colon + 1), 1, 65535)) return {};
  const std::string_view vm = guest.substr(0, guest_colon);
  return fmt::format("{}:{}:{}:{}", text.substr(0, first), host.substr(host.starts_with(':') ? 1 : 0),
                     vm.empty() ? "GUEST" : vm, guest.substr(guest_colon + 1));
}

// At colons, but not at those within brackets.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t from = 0;
  bool in_brackets = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '[' || text[at] == ']') in_brackets = text[at] == '[';
    if (text[at] != ':' || in_brackets) continue;
    parts.push_back(text.substr(from, at - from));
    from = at + 1;
  }
  parts.push_back(text.substr(from));
  return parts;
}

// The address of this host that a forward is bound to; libslirp leads IPv4 to IPv4 only. Empty, or what is wrong.
std::string read_forward_host(std::string_view text, std::string& host) {
  host = text == "localhost" ? "127.0.0.1" : text;
  if (parse_ipv4(host)) return {};
  return fmt::format("expected an IPv4 address of this host, or localhost, not {}{}", in_quotes(text),
                     text.starts_with('[') ? ": forwards lead from IPv4 to IPv4" : "");
}

std::string read_own_form(std::string_view text, Forward& forward) {
  std::vector<std::string_view> parts = parts_of(text);
  if (parts.size() < 4 || parts.size() > 5 || (parts[0] != "tcp" && parts[0] != "udp"))
    return fmt::format("expected tcp:[HOST:]PORT:GUEST:PORT or udp:..., not {}", in_quotes(text));
  forward = Forward{};
  forward.udp = parts[0] == "udp";
  if (parts.size() == 5) {
    if (std::string wrong = read_forward_host(parts[1], forward.host); !wrong.empty()) return wrong;
    parts.erase(parts.begin() + 1);
  }
  const auto port = parse_number(parts[1], 1, 65535);
  const auto guest_port = parse_number(parts[3], 1, 65535);
  if (!port || !guest_port) return fmt::format("expected port numbers from 1 to 65535 in {}", in_quotes(text));
  forward.port = static_cast<std::uint16_t>(*port);
  forward.guest_port = static_cast<std::uint16_t>(*guest_port);
  forward.guest = parts[2];
  const bool is_name = !forward.guest.empty() && dns_label(forward.guest) == forward.guest;
  if (!parse_ipv4(forward.guest) && !is_name)
    return fmt::format("expected a guest's IPv4 address, or the name of a reservation, not {}", in_quotes(parts[2]));
  return {};
}

}  // namespace

std::string read_forward(std::string_view text, Forward& forward) {
  std::string wrong = read_own_form(text, forward);
  const std::string theirs = wrong.empty() ? "" : of_hostfwd(text);
  if (theirs.empty()) return wrong;
  return fmt::format("expected tcp:[HOST:]PORT:GUEST:PORT, which here is {}, not {}", theirs, in_quotes(text));
}

std::optional<Ipv6Bytes> prefix6_of(const GatewayConfig& config) {
  Ipv6Bytes prefix;
  if (inet_pton(AF_INET6, config.ipv6_prefix.c_str(), prefix.data()) != 1) return std::nullopt;
  return prefix;
}

std::optional<Ipv4Address> guest_address(const GatewayConfig& config, const Forward& forward) {
  if (const auto address = parse_ipv4(forward.guest)) return address;
  for (const Reservation& reserved : config.reservations)
    if (reserved.name == forward.guest) return reserved.address;
  return std::nullopt;
}

std::string write_gateway_config(const GatewayConfig& config) {
  json document = {
      {"name", config.name},
      {"network", to_string(config.network)},
      {"router", to_string(config.router)},
      {"dns", to_string(config.dns)},
      {"via", to_string(config.via)},
      {"pool", {to_string(config.pool_first), to_string(config.pool_last)}},
      {"domain", config.domain},
      {"lease_seconds", config.lease_seconds},
      {"mtu", config.mtu},
      {"ipv6_prefix", config.ipv6_prefix},
      {"outbound", static_cast<unsigned>(config.outbound)},
      {"outbound_prefixes", config.outbound_prefixes},
      {"host_loopback", config.host_loopback},
      {"lease_file", config.lease_file},
      {"reservations", json::array()},
      {"forwards", json::array()},
  };
  for (const Reservation& reserved : config.reservations)
    document["reservations"].push_back(
        {{"mac", to_string(reserved.mac)}, {"address", to_string(reserved.address)}, {"name", reserved.name}});
  for (const Forward& forward : config.forwards) document["forwards"].push_back(to_string(forward));
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<GatewayConfig> read_gateway_config(std::string_view text) try {
  const json document = json::parse(text);
  GatewayConfig config;
  config.name = document.at("name");
  const auto network = parse_ipv4_network(document.at("network").get<std::string>());
  if (!network) return std::nullopt;
  config.network = *network;
  config.router = address_of(document.at("router"));
  config.dns = address_of(document.at("dns"));
  config.via = address_of(document.at("via"));
  config.pool_first = address_of(document.at("pool").at(0));
  config.pool_last = address_of(document.at("pool").at(1));
  config.domain = document.at("domain");
  config.lease_seconds = checked<std::uint32_t>(document.at("lease_seconds"));
  config.mtu = checked<std::uint16_t>(document.at("mtu"));
  config.ipv6_prefix = document.at("ipv6_prefix");
  config.outbound = static_cast<Outbound>(checked<std::uint8_t>(document.at("outbound"), 2));
  config.outbound_prefixes = document.at("outbound_prefixes").get<std::vector<std::string>>();
  config.host_loopback = document.at("host_loopback");
  config.lease_file = document.at("lease_file");
  for (const json& entry : entries_of(document.at("reservations"))) {
    const auto mac = parse_mac(entry.at("mac").get<std::string>());
    if (!mac) return std::nullopt;
    config.reservations.push_back({*mac, address_of(entry.at("address")), entry.at("name")});
  }
  for (const json& entry : entries_of(document.at("forwards"))) {
    Forward forward;
    if (!read_forward(entry.get<std::string>(), forward).empty()) return std::nullopt;
    config.forwards.push_back(forward);
  }
  return config;
} catch (const std::exception&) {
  return std::nullopt;
}

}  // namespace lanyard
