// Reading and writing UDP datagrams over IPv6; see the header.
#include "frames/udp6_packet.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

namespace {

// Over the addresses, the length, the protocol and the datagram (RFC 8200, 8.1).
std::uint16_t checksum_of(std::span<const std::byte> ip, std::size_t bytes) {
  return checksum_finish(checksum_add(bytes + ip_protocols::udp, ip.subspan(8, 32 + bytes)));
}

}  // namespace

std::optional<Udp6Packet> parse_udp6(std::span<const std::byte> frame) {
  const auto addresses = parse_ipv6_addresses(frame);
  if (!addresses || frame.size() < ipv6_headers_bytes + udp_header_bytes) return std::nullopt;
  const std::span<const std::byte> ip = frame.subspan(ethernet_header_bytes);
  const std::size_t ip_payload = load_be16(&ip[4]);
  const std::span<const std::byte> udp = ip.subspan(ipv6_header_bytes);
  const std::size_t bytes = load_be16(&udp[4]);
  if (ip[6] != std::byte{ip_protocols::udp} || bytes < udp_header_bytes || bytes > ip_payload ||
      ip_payload > udp.size())
    return std::nullopt;
  if (load_be16(&udp[6]) == 0 || checksum_of(ip, bytes) != 0) return std::nullopt;
  return Udp6Packet{{MacAddress::read(&frame[6]), addresses->from, load_be16(&udp[0])},
                    {MacAddress::read(&frame[0]), addresses->to, load_be16(&udp[2])},
                    udp.subspan(udp_header_bytes, bytes - udp_header_bytes)};
}

std::vector<std::byte> write_udp6(const Udp6Packet& packet) {
  const std::size_t bytes = udp_header_bytes + packet.payload.size();
  std::vector<std::byte> frame(ethernet_header_bytes + ipv6_header_bytes + bytes);
  packet.to.mac.write(&frame[0]);
  packet.from.mac.write(&frame[6]);
  store_be16(&frame[12], ether_types::ipv6);
  const std::span<std::byte> ip = std::span(frame).subspan(ethernet_header_bytes);
  write_ipv6_header(ip, {packet.from.address, packet.to.address}, ip_protocols::udp, usual_hop_limit);
  const std::span<std::byte> udp = ip.subspan(ipv6_header_bytes);
  store_be16(&udp[0], packet.from.port);
  store_be16(&udp[2], packet.to.port);
  store_be16(&udp[4], static_cast<std::uint16_t>(bytes));
  std::copy(packet.payload.begin(), packet.payload.end(), udp.begin() + udp_header_bytes);
  const std::uint16_t sum = checksum_of(ip, bytes);
  store_be16(&udp[6], sum == 0 ? 0xFFFF : sum);  // 0 would say that there is none
  return frame;
}

}  // namespace lanyard
