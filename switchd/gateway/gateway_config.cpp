// The gateway's configuration as JSON, and forwards as they are written; see the header.
#include "switchd/gateway/gateway_config.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "frames/bytes.h"
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

namespace {

// What the server makes itself, and the key that changes it, where there is one.
struct OwnOption {
  std::uint8_t code;
  std::string_view key;
};
constexpr std::array<OwnOption, 20> own_options = {{
    {0, ""},        {1, "the port's address"}, {3, "via"},    {6, "nameserver"}, {12, "reserve"}, {15, "domain"},
    {26, "mtu"},    {50, ""},                  {51, "lease"}, {52, ""},          {53, ""},        {54, "router"},
    {55, ""},       {56, ""},                  {57, ""},      {58, "lease"},     {59, "lease"},   {66, "next-server"},
    {67, "bootfile"}, {255, ""},
}};
constexpr std::array<std::uint8_t, 3> own_of_clients = {61, 81, 82};  // what is said of a client, or of its relay

std::string option_is_own(std::uint8_t code) {
  for (const OwnOption& own : own_options) {
    if (own.code != code) continue;
    if (own.key.empty()) return fmt::format("{} is part of every DHCP message", code);
    return fmt::format("{} is the server's own: use {}", code, own.key);
  }
  if (std::find(own_of_clients.begin(), own_of_clients.end(), code) != own_of_clients.end())
    return fmt::format("{} is the server's own", code);
  return {};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Pairs of digits, with or without ':' between them.
bool read_hex(std::string_view text, std::vector<std::byte>& value) {
  while (!text.empty()) {
    if (!value.empty() && text[0] == ':') text.remove_prefix(1);
    if (text.size() < 2) return false;
    const int high = hex_digit(text[0]);
    const int low = hex_digit(text[1]);
    if (high < 0 || low < 0) return false;
    value.push_back(static_cast<std::byte>(high * 16 + low));
    text.remove_prefix(2);
  }
  return true;
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

bool read_addresses(std::string_view text, std::vector<std::byte>& value) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t plus = std::min(text.find('+', at), text.size());
    const auto address = parse_ipv4(text.substr(at, plus - at));
    if (!address) return false;
    value.resize(value.size() + 4);
    store_be32(&value[value.size() - 4], address->value());
    at = plus + 1;
  }
  return true;
}

}  // namespace

std::string read_dhcp_option(std::string_view text, DhcpOption& option) {
  constexpr std::size_t value_bytes_max = 255;
  const std::string form =
      fmt::format("expected NUMBER:hex:BYTES, NUMBER:text:TEXT or NUMBER:ip:ADDR[+ADDR], not {}", in_quotes(text));
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string_view::npos ? first : text.find(':', first + 1);
  if (second == std::string_view::npos) return form;
  const auto code = parse_number(text.substr(0, first), 0, 255);
  if (!code) return fmt::format("expected a number from 1 to 254, not {}", in_quotes(text.substr(0, first)));
  option = DhcpOption{static_cast<std::uint8_t>(*code), {}};
  if (std::string own = option_is_own(option.code); !own.empty()) return own;
  const std::string_view kind = text.substr(first + 1, second - first - 1);
  const std::string_view value = text.substr(second + 1);
  const auto bytes = std::as_bytes(std::span(value));
  bool good = true;
  if (kind == "hex") good = read_hex(value, option.value);
  else if (kind == "ip") good = read_addresses(value, option.value);
  else if (kind == "text" && is_printable(value)) option.value.assign(bytes.begin(), bytes.end());
  else return form;
  if (!good || option.value.empty()) return form;
  if (option.value.size() > value_bytes_max) return fmt::format("{}: more than {} bytes", *code, value_bytes_max);
  return {};
}

std::optional<Ipv4Address> told_router(const GatewayConfig& config) {
  if (!config.via.is_unspecified()) return config.via;
  if (config.via_none || config.outbound == Outbound::none) return std::nullopt;
  return config.router;
}

Ipv4Address told_next_server(const GatewayConfig& config) {
  if (!config.next_server.is_unspecified()) return config.next_server;
  return config.tftp_folder.empty() ? Ipv4Address() : config.router;
}

std::vector<Ipv4Address> told_nameservers(const GatewayConfig& config) {
  if (config.nameservers.empty()) return {config.dns};
  std::vector<Ipv4Address> told;
  for (const std::string& server : config.nameservers)
    if (const auto address = parse_ipv4(server)) told.push_back(*address);
  return told;
}

std::optional<Ipv6Bytes> prefix6_of(const GatewayConfig& config) {
  Ipv6Bytes prefix;
  if (inet_pton(AF_INET6, config.ipv6_prefix.c_str(), prefix.data()) != 1) return std::nullopt;
  return prefix;
}

std::optional<Ipv6Bytes> own_address6(const GatewayConfig& config, Ipv4Address own) {
  auto address = prefix6_of(config);
  if (address) store_be32(&(*address)[12], own.value());
  return address;
}

Ipv6Bytes own_link_local(Ipv4Address own) {
  Ipv6Bytes address{std::byte{0xFE}, std::byte{0x80}};
  store_be32(&address[12], own.value());
  return address;
}

std::optional<Ipv4Address> guest_address(const GatewayConfig& config, const Forward& forward) {
  if (const auto address = parse_ipv4(forward.guest)) return address;
  for (const Reservation& reserved : config.reservations)
    if (reserved.name == forward.guest) return reserved.address;
  return std::nullopt;
}

void change_live(GatewayConfig& config, const GatewayConfig& fresh) {
  config.forwards = fresh.forwards;
  config.outbound = fresh.outbound;
  config.outbound_prefixes = fresh.outbound_prefixes;
  config.via = fresh.via;
  config.via_none = fresh.via_none;
  config.dhcp = fresh.dhcp;
  config.bootfile = fresh.bootfile;
  config.next_server = fresh.next_server;
  config.nameservers = fresh.nameservers;
  config.dhcp_options = fresh.dhcp_options;
  config.tftp_folder = fresh.tftp_folder;
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
      {"via_none", config.via_none},
      {"dhcp", config.dhcp},
      {"bootfile", config.bootfile},
      {"next_server", to_string(config.next_server)},
      {"nameservers", config.nameservers},
      {"dhcp_options", config.dhcp_options},
      {"tftp_folder", config.tftp_folder},
      {"ipv6_prefix", config.ipv6_prefix},
      {"outbound", static_cast<unsigned>(config.outbound)},
      {"outbound_prefixes", config.outbound_prefixes},
      {"host_loopback", config.host_loopback},
      {"hosts", config.hosts},
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
  config.via_none = document.at("via_none");
  config.dhcp = document.at("dhcp");
  config.bootfile = document.at("bootfile");
  config.next_server = address_of(document.at("next_server"));
  config.nameservers = document.at("nameservers").get<std::vector<std::string>>();
  config.dhcp_options = document.at("dhcp_options").get<std::vector<std::string>>();
  for (const std::string& option : config.dhcp_options)
    if (DhcpOption read; !read_dhcp_option(option, read).empty()) return std::nullopt;
  config.tftp_folder = document.at("tftp_folder");
  config.ipv6_prefix = document.at("ipv6_prefix");
  config.outbound = static_cast<Outbound>(checked<std::uint8_t>(document.at("outbound"), 2));
  config.outbound_prefixes = document.at("outbound_prefixes").get<std::vector<std::string>>();
  config.host_loopback = document.at("host_loopback");
  config.hosts = document.at("hosts");
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
