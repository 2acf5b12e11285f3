// Changing what a router's advertisement tells; see the header.
#include "frames/router_advertisement.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/dns.h"
#include "frames/icmp6.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

namespace {

constexpr std::byte router_advertisement{134}, source_option{1}, resolvers_option{25}, search_option{31};
constexpr std::size_t fixed_bytes = 16;           // before the options
constexpr std::size_t option_unit_bytes = 8;      // in which their lengths are
constexpr std::size_t search_bytes_max = 512;
constexpr std::uint32_t told_seconds = 1800;  // three times the longest interval of advertisements

// The ICMPv6 message of the IPv6 packet `ip`, where it is a router's advertisement with a right checksum; empty: none.
std::span<const std::byte> advertisement_in(std::span<const std::byte> ip) {
  const std::size_t bytes = load_be16(&ip[4]);
  const bool is_it = ip[6] == icmp6_header && ip[7] == icmp6_link_hop_limit && bytes >= fixed_bytes &&
                     40 + bytes <= ip.size() && ip[40] == router_advertisement && ip[41] == std::byte{0};
  if (!is_it || checksum_finish(icmp6_checksum_sum(ip, bytes)) != 0) return {};
  return ip.subspan(40, bytes);
}

// RFC 8106, 5.1.
void add_resolvers(std::vector<std::byte>& frame, const std::vector<Ipv6Bytes>& resolvers) {
  constexpr std::size_t header_bytes = 8;
  if (resolvers.empty()) return;
  std::size_t at = frame.size();
  frame.resize(at + header_bytes + resolvers.size() * sizeof(Ipv6Bytes));
  frame[at] = resolvers_option;
  frame[at + 1] = static_cast<std::byte>((frame.size() - at) / option_unit_bytes);
  store_be32(&frame[at + 4], told_seconds);
  at += header_bytes;
  for (const Ipv6Bytes& resolver : resolvers) {
    std::copy(resolver.begin(), resolver.end(), &frame[at]);
    at += resolver.size();
  }
}

// RFC 8106, 5.2: as DNS writes names, with zeros at the end.
void add_search(std::vector<std::byte>& frame, const std::vector<std::string>& domains) {
  constexpr std::size_t header_bytes = 8;
  std::vector<std::byte> names = write_dns_names(domains, search_bytes_max);
  if (names.empty()) return;
  names.resize((names.size() + option_unit_bytes - 1) / option_unit_bytes * option_unit_bytes);
  const std::size_t at = frame.size();
  frame.resize(at + header_bytes);
  frame[at] = search_option;
  frame[at + 1] = static_cast<std::byte>((header_bytes + names.size()) / option_unit_bytes);
  store_be32(&frame[at + 4], told_seconds);
  frame.insert(frame.end(), names.begin(), names.end());
}

}  // namespace

std::optional<std::vector<std::byte>> change_router_advertisement(std::span<const std::byte> frame,
                                                                 const RouterNews& news) {
  constexpr std::byte for_dhcp6{0xC0};  // M and O
  constexpr std::size_t flags_at = 5, lifetime_at = 6;
  if (!parse_ipv6_addresses(frame) || frame.size() < ipv6_headers_bytes + fixed_bytes) return std::nullopt;
  const auto told = advertisement_in(frame.subspan(14));
  if (told.empty()) return std::nullopt;
  std::vector<std::byte> out(frame.begin(), frame.begin() + ipv6_headers_bytes + fixed_bytes);
  for (auto options = told.subspan(fixed_bytes); !options.empty();) {
    const std::size_t bytes = options.size() < 2 ? 0 : std::to_integer<std::size_t>(options[1]) * option_unit_bytes;
    if (bytes == 0 || bytes > options.size()) return std::nullopt;
    const auto option = options.first(bytes);
    if (option[0] != resolvers_option && option[0] != search_option)
      out.insert(out.end(), option.begin(), option.end());
    if (option[0] == source_option && bytes == option_unit_bytes)
      std::copy_n(&frame[6], bytes - 2, out.end() - static_cast<std::ptrdiff_t>(bytes - 2));
    options = options.subspan(bytes);
  }
  add_resolvers(out, news.resolvers);
  add_search(out, news.search);
  const std::span<std::byte> ip = std::span(out).subspan(14);
  const std::span<std::byte> icmp = ip.subspan(40);
  store_be16(&ip[4], static_cast<std::uint16_t>(icmp.size()));
  icmp[flags_at] &= ~for_dhcp6;
  if (!news.is_default_router) store_be16(&icmp[lifetime_at], 0);
  store_be16(&icmp[2], 0);
  store_be16(&icmp[2], checksum_finish(icmp6_checksum_sum(ip, icmp.size())));
  return out;
}

}  // namespace lanyard
