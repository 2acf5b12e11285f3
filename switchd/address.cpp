// Implements address.h, and the prefixes and addresses of config.h. inet_pton decides what a literal is;
// names are only looked at for characters that no name has.
#include "switchd/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "switchd/config_text.h"

namespace lanyard {

namespace {

constexpr unsigned link_local_bits = 10;
constexpr std::size_t host_bytes_max = 253;  // of a name in the DNS (RFC 1035, 2.3.4)

bool parse_literal(int family, std::string_view text, void* bytes) {
  std::array<char, INET6_ADDRSTRLEN + 1> terminated{};
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
  std::copy(text.begin(), text.end(), terminated.begin());
  return inet_pton(family, terminated.data(), bytes) == 1;
}

// ::ffff:a.b.c.d (RFC 4291, 2.5.5.2): an IPv4 address in the clothes of IPv6. REQUIRES: 16 readable bytes.
bool is_mapped_ipv4(const std::uint8_t* bytes) {
  constexpr std::array<std::uint8_t, 12> prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::memcmp(bytes, prefix.data(), prefix.size()) == 0;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

bool digits_and_dots(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

bool is_interface_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::interface_name_bytes_max && !digits_and_dots(text) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; }) &&
         text.find_first_of("/:") == std::string_view::npos;
}

bool is_zone(std::string_view text) {
  return !text.empty() && text.size() <= limits::interface_name_bytes_max &&
         std::all_of(text.begin(), text.end(), is_host_character);
}

// fe80::/10 (RFC 4291, 2.5.6): one on each link, so that it means nothing without its interface. REQUIRES: 2 readable
// bytes.
bool is_link_local(const std::uint8_t* bytes) { return bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80; }

// REQUIRES: is_ipv6(host).
std::string check_zone(std::string_view host) {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t percent = host.find('%');
  (void)parse_literal(AF_INET6, host.substr(0, percent), bytes.data());
  const bool has_zone = percent != std::string_view::npos;
  if (is_link_local(bytes.data()) == has_zone) return {};
  return has_zone ? fmt::format("only a link-local address (fe80::/10) has an interface, not {}", in_quotes(host))
                  : fmt::format("a link-local address needs its interface: [{}%eth0]", host);
}

// "::1:7000" may be ::1 with a port or an address without one: suggests what it can be.
std::string bracket_advice(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (is_ipv6(host) && parse_number(port, 0, 65535))
    return fmt::format("an IPv6 address goes in brackets: [{}]:{}", host, port);
  if (is_ipv6(text))
    return fmt::format("an IPv6 address goes in brackets, and a port follows: [{}]:PORT", text);
  return fmt::format("expected HOST:PORT, not {}; an IPv6 address goes in brackets: [::1]:7000",
                     in_quotes(text));
}

std::string check_host(std::string_view host) {
  if (host.empty()) return "nothing stands before ':'; name a host, such as 127.0.0.1 or 0.0.0.0";
  if (host == "*") return "expected a host, not '*'; every address of this machine is 0.0.0.0 or [::]";
  if (host.size() > host_bytes_max) return fmt::format("a host has at most {} characters", host_bytes_max);
  if (!std::all_of(host.begin(), host.end(), is_host_character))
    return fmt::format("expected a host name or address, not {}", in_quotes(host));
  if (digits_and_dots(host) && !is_ipv4(host))
    return fmt::format("{} is not an IPv4 address", in_quotes(host));
  return {};
}

struct Split {
  std::optional<std::string_view> host;  // brackets removed; none where the text has no ':'
  std::string_view port;
};

std::string split_host(std::string_view text, Split& split) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return fmt::format("'[' without its ']' in {}", in_quotes(text));
    split.host = text.substr(1, end - 1);
    if (!is_ipv6(*split.host))
      return fmt::format("expected an IPv6 address in the brackets, not {}", in_quotes(*split.host));
    std::string wrong = check_zone(*split.host);
    if (!wrong.empty()) return wrong;
    if (end + 1 == text.size() || text[end + 1] != ':')
      return fmt::format("expected ':PORT' after ']' in {}", in_quotes(text));
    split.port = text.substr(end + 2);
    return {};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    split.port = text;
    return {};
  }
  if (text.find(':', colon + 1) != std::string_view::npos) return bracket_advice(text);
  split.host = text.substr(0, colon);
  split.port = text.substr(colon + 1);
  return check_host(*split.host);
}

}  // namespace

std::string read_host_port(std::string_view text, HostPortRules rules, HostPort& address) {
  const std::string_view form = rules.host_required ? "HOST:PORT" : "[HOST:]PORT";
  if (text.empty()) return fmt::format("expected {}", form);
  Split split;
  std::string wrong = split_host(text, split);
  if (!wrong.empty()) return wrong;
  const bool number_like =
      std::all_of(split.port.begin(), split.port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!split.host && (rules.host_required || !number_like))
    return fmt::format("expected {}, not {}", form, in_quotes(text));
  const std::uint64_t port_min = rules.port_zero ? 0 : 1;
  const auto number = parse_number(split.port, port_min, 65535);
  if (!number)
    return fmt::format("expected a port number from {} to 65535, not {}", port_min, in_quotes(split.port));
  address = {std::string(split.host.value_or("")), static_cast<std::uint16_t>(*number)};
  return {};
}

std::string read_multicast_group(std::string_view text, HostPort& group) {
  HostPort address;
  std::string wrong = read_host_port(text, {.host_required = true, .port_zero = false}, address);
  if (!wrong.empty()) return wrong;
  if (is_ipv6(address.host)) return "only IPv4 groups: QEMU's multicast back ends carry no IPv6";
  std::array<std::uint8_t, 4> bytes{};
  if (!parse_literal(AF_INET, address.host, bytes.data()) || bytes[0] < 224 || bytes[0] > 239)
    return fmt::format("expected a multicast group from 224.0.0.0 to 239.255.255.255, not {}",
                       in_quotes(address.host));
  group = address;
  return {};
}

std::string check_unix_path(std::string_view path) {
  if (path.size() > limits::unix_path_bytes_max)
    return fmt::format("a UNIX socket's path has at most {} bytes, this one has {}",
                       limits::unix_path_bytes_max, path.size());
  return check_path(path);
}

std::string check_path(std::string_view path) {
  if (path.empty()) return "expected a path";
  if (path.size() > limits::path_bytes_max)
    return fmt::format("a path has at most {} bytes, this one has {}", limits::path_bytes_max, path.size());
  const bool control = std::any_of(path.begin(), path.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  return control ? "a path cannot have control characters" : "";
}

std::string check_interface_name(std::string_view text) {
  // '%' would have the kernel choose a name.
  if (is_interface_name(text) && text.find('%') == std::string_view::npos) return {};
  return fmt::format("expected the name of an interface (at most {} characters), not {}",
                     limits::interface_name_bytes_max, in_quotes(text));
}

std::string check_interface(std::string_view text) {
  if (is_ipv4(text) || is_interface_name(text)) return {};
  return fmt::format("expected an IPv4 address or the name of an interface (at most {} characters), not {}",
                     limits::interface_name_bytes_max, in_quotes(text));
}

bool is_ipv4(std::string_view text) {
  std::array<std::uint8_t, 4> bytes{};
  return parse_literal(AF_INET, text, bytes.data());
}

bool is_ipv6(std::string_view text) {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t percent = text.find('%');
  if (percent == std::string_view::npos) return parse_literal(AF_INET6, text, bytes.data());
  return is_zone(text.substr(percent + 1)) && parse_literal(AF_INET6, text.substr(0, percent), bytes.data());
}

bool is_loopback(std::string_view host) {
  if (host.empty() || host == "localhost") return true;
  std::array<std::uint8_t, 16> bytes{};
  if (parse_literal(AF_INET, host, bytes.data())) return bytes[0] == 127;
  const Cidr v6_loopback = *parse_cidr("::1");
  return parse_literal(AF_INET6, host, bytes.data()) && bytes == v6_loopback.address;
}

std::string to_string(const HostPort& address) {
  if (address.host.empty()) return std::to_string(address.port);
  if (address.host.find(':') != std::string::npos) return fmt::format("[{}]:{}", address.host, address.port);
  return fmt::format("{}:{}", address.host, address.port);
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view with_zone = text.substr(0, slash);
  const std::size_t percent = with_zone.find('%');
  const std::string_view address = with_zone.substr(0, percent);
  Cidr cidr;
  cidr.v6 = address.find(':') != std::string_view::npos;
  if (!parse_literal(cidr.v6 ? AF_INET6 : AF_INET, address, cidr.address.data())) return std::nullopt;
  const unsigned bits_max = cidr.v6 ? 128 : 32;
  const auto bits =
      slash == std::string_view::npos ? bits_max : parse_number(text.substr(slash + 1), 0, bits_max);
  if (!bits) return std::nullopt;
  cidr.prefix_bits = static_cast<std::uint8_t>(*bits);
  if (percent != std::string_view::npos) {
    cidr.zone = with_zone.substr(percent + 1);
    if (!is_zone(cidr.zone) || !cidr.v6 || !is_link_local(cidr.address.data()) || *bits < link_local_bits)
      return std::nullopt;
  }
  if (cidr.v6 && is_mapped_ipv4(cidr.address.data()) && cidr.prefix_bits >= 96) {
    cidr.v6 = false;
    cidr.prefix_bits = static_cast<std::uint8_t>(cidr.prefix_bits - 96);
    std::copy(cidr.address.begin() + 12, cidr.address.end(), cidr.address.begin());
    std::fill(cidr.address.begin() + 4, cidr.address.end(), std::uint8_t{0});
  }
  for (std::size_t bit = cidr.prefix_bits; bit < 128; ++bit)
    cidr.address[bit / 8] = static_cast<std::uint8_t>(cidr.address[bit / 8] & ~(0x80U >> bit % 8));
  return cidr;
}

std::string to_string(const Cidr& cidr) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(cidr.v6 ? AF_INET6 : AF_INET, cidr.address.data(), text.data(), text.size());
  return fmt::format("{}{}{}/{}", text.data(), cidr.zone.empty() ? "" : "%", cidr.zone, cidr.prefix_bits);
}

bool Cidr::contains(bool address_v6, const std::uint8_t* address_bytes) const {
  if (address_v6 && !v6 && is_mapped_ipv4(address_bytes)) return contains(false, address_bytes + 12);
  if (address_v6 != v6) return false;
  const std::size_t whole_bytes = prefix_bits / 8;
  if (std::memcmp(address.data(), address_bytes, whole_bytes) != 0) return false;
  const unsigned rest_bits = prefix_bits % 8;
  return rest_bits == 0 || ((address[whole_bytes] ^ address_bytes[whole_bytes]) >> (8 - rest_bits)) == 0;
}

}  // namespace lanyard
