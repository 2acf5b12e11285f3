// The codec of neighbour discovery; see the header.
#include "frames/ndp.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/icmp6.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

namespace {

constexpr std::byte solicitation{135}, advertisement{136}, target_address_option{2};
constexpr std::size_t solicitation_bytes = 24;   // type, code, checksum, reserved, target
constexpr std::size_t advertisement_bytes = 32;  // the same, and the option with the address
constexpr std::byte group{0xFF};                 // begins the addresses of groups
constexpr std::uint32_t solicited = 0x4000'0000, replace_known = 0x2000'0000;
constexpr MacAddress all_nodes_mac(0x3333'0000'0001);
constexpr Ipv6Bytes all_nodes{group, std::byte{2}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{1}};

Ipv6Bytes read_address(std::span<const std::byte> bytes) {
  Ipv6Bytes address;
  std::copy_n(bytes.begin(), address.size(), address.begin());
  return address;
}

}  // namespace

std::optional<Ipv6Addresses> parse_ipv6_addresses(std::span<const std::byte> frame) {
  if (frame.size() < ipv6_headers_bytes || load_be16(&frame[12]) != ether_types::ipv6) return std::nullopt;
  if (std::to_integer<unsigned>(frame[14]) >> 4 != 6) return std::nullopt;
  return Ipv6Addresses{read_address(frame.subspan(22)), read_address(frame.subspan(38))};
}

void write_ipv6_header(std::span<std::byte> ip, const Ipv6Addresses& ends, std::uint8_t protocol, std::byte hop_limit) {
  ip[0] = std::byte{0x60};
  store_be16(&ip[4], static_cast<std::uint16_t>(ip.size() - ipv6_header_bytes));
  ip[6] = std::byte{protocol};
  ip[7] = hop_limit;
  std::copy(ends.from.begin(), ends.from.end(), ip.begin() + 8);
  std::copy(ends.to.begin(), ends.to.end(), ip.begin() + 24);
}

std::optional<NeighbourSolicitation> parse_neighbour_solicitation(std::span<const std::byte> frame) {
  const auto addresses = parse_ipv6_addresses(frame);
  if (!addresses || frame.size() < ipv6_headers_bytes + solicitation_bytes) return std::nullopt;
  const std::span<const std::byte> ip = frame.subspan(14);
  const std::size_t bytes = load_be16(&ip[4]);
  const bool ours = ip[6] == icmp6_header && ip[7] == icmp6_link_hop_limit && ip[40] == solicitation &&
                    ip[41] == std::byte{0};
  if (!ours || bytes < solicitation_bytes || 40 + bytes > ip.size()) return std::nullopt;
  if (checksum_finish(icmp6_checksum_sum(ip, bytes)) != 0) return std::nullopt;
  const Ipv6Bytes target = read_address(ip.subspan(48));
  if (target[0] == group) return std::nullopt;
  return NeighbourSolicitation{MacAddress::read(&frame[6]), addresses->from, target};
}

std::vector<std::byte> write_neighbour_advertisement(const NeighbourSolicitation& asked, MacAddress mac) {
  std::vector<std::byte> frame(ipv6_headers_bytes + advertisement_bytes);
  const bool to_all = asked.from == Ipv6Bytes{};  // it has no address yet (RFC 4861, 7.2.4)
  const Ipv6Bytes& to = to_all ? all_nodes : asked.from;
  (to_all ? all_nodes_mac : asked.from_mac).write(&frame[0]);
  mac.write(&frame[6]);
  store_be16(&frame[12], ether_types::ipv6);
  const std::span<std::byte> ip = std::span(frame).subspan(14);
  write_ipv6_header(ip, {asked.target, to}, ip_protocols::icmp6, icmp6_link_hop_limit);
  const std::span<std::byte> icmp = ip.subspan(40);
  icmp[0] = advertisement;
  store_be32(&icmp[4], replace_known | (to_all ? 0 : solicited));
  std::copy(asked.target.begin(), asked.target.end(), icmp.begin() + 8);
  icmp[24] = target_address_option;
  icmp[25] = std::byte{1};  // in units of 8 bytes
  mac.write(&icmp[26]);
  store_be16(&icmp[2], checksum_finish(icmp6_checksum_sum(ip, advertisement_bytes)));
  return frame;
}

// RFC 1624, 3: what leaves the sum is added as its complement.
void replace_icmp6_sender(std::span<std::byte> frame, const Ipv6Bytes& from, MacAddress mac) {
  constexpr std::size_t from_at = 14 + 8, checksum_at = ipv6_headers_bytes + 2;
  if (frame[20] != icmp6_header || frame.size() < checksum_at + 2) return;
  Ipv6Bytes gone;
  std::ranges::transform(frame.subspan(from_at, gone.size()), gone.begin(), [](std::byte byte) { return ~byte; });
  const std::uint64_t sum = static_cast<std::uint16_t>(~load_be16(&frame[checksum_at]));
  store_be16(&frame[checksum_at], checksum_finish(checksum_add(checksum_add(sum, gone), from)));
  std::ranges::copy(from, &frame[from_at]);
  mac.write(&frame[6]);
}

}  // namespace lanyard
