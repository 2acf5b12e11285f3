// TCP segments with all their headers; see the header.
#include "frames/tcp_packet.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

namespace {

constexpr std::size_t segment_bytes_max = 65535 - ipv4_header_bytes_min;

// Over the addresses, which are in front of the segment, the protocol and the length (RFC 9293, 3.1; RFC
// 8200, 8.1).
std::uint16_t tcp_checksum_of(std::span<const std::byte> addresses_and_segment, std::size_t segment_bytes) {
  return checksum_finish(checksum_add(segment_bytes + ip_protocols::tcp, addresses_and_segment));
}

template <class Endpoint>
std::vector<std::byte> begin_frame(const TcpPacket<Endpoint>& packet, std::size_t ip_bytes,
                                   std::uint16_t ether_type) {
  LANYARD_CHECK(packet.segment.size() >= tcp_header_bytes_min && packet.segment.size() <= segment_bytes_max);
  std::vector<std::byte> frame(ethernet_header_bytes + ip_bytes + packet.segment.size());
  packet.to.mac.write(&frame[0]);
  packet.from.mac.write(&frame[6]);
  store_be16(&frame[12], ether_type);
  const std::span<std::byte> segment = std::span(frame).subspan(ethernet_header_bytes + ip_bytes);
  std::copy(packet.segment.begin(), packet.segment.end(), segment.begin());
  store_be16(&segment[0], packet.from.port);
  store_be16(&segment[2], packet.to.port);
  store_be16(&segment[16], 0);
  return frame;
}

}  // namespace

std::optional<Tcp4Packet> parse_tcp4(std::span<const std::byte> frame) {
  const auto ip = parse_ipv4_frame(frame);
  if (!ip || ip->fragment || ip->protocol != ip_protocols::tcp || ip->payload.size() < tcp_header_bytes_min)
    return std::nullopt;
  const auto addresses = checksum_add(0, ip->packet.subspan(12, 8));
  if (checksum_finish(checksum_add(addresses + ip->payload.size() + ip_protocols::tcp, ip->payload)) != 0)
    return std::nullopt;
  return Tcp4Packet{{MacAddress::read(&frame[6]), ip->from, load_be16(&ip->payload[0])},
                    {MacAddress::read(&frame[0]), ip->to, load_be16(&ip->payload[2])},
                    ip->payload};
}

std::optional<Tcp6Packet> parse_tcp6(std::span<const std::byte> frame) {
  const auto addresses = parse_ipv6_addresses(frame);
  if (!addresses) return std::nullopt;
  const std::span<const std::byte> ip = frame.subspan(ethernet_header_bytes);
  const std::size_t bytes = load_be16(&ip[4]);
  if (ip[6] != std::byte{ip_protocols::tcp} || bytes < tcp_header_bytes_min ||
      ipv6_header_bytes + bytes > ip.size())
    return std::nullopt;
  if (tcp_checksum_of(ip.subspan(8, 32 + bytes), bytes) != 0) return std::nullopt;
  const std::span<const std::byte> segment = ip.subspan(ipv6_header_bytes, bytes);
  return Tcp6Packet{{MacAddress::read(&frame[6]), addresses->from, load_be16(&segment[0])},
                    {MacAddress::read(&frame[0]), addresses->to, load_be16(&segment[2])},
                    segment};
}

std::vector<std::byte> write_tcp4(const Tcp4Packet& packet) {
  std::vector<std::byte> frame = begin_frame(packet, ipv4_header_bytes_min, ether_types::ipv4);
  const std::span<std::byte> ip = std::span(frame).subspan(ethernet_header_bytes);
  write_ipv4_header(ip, {packet.from.address, packet.to.address, ip_protocols::tcp, true});
  store_be16(&ip[ipv4_header_bytes_min + 16], tcp_checksum_of(ip.subspan(12), packet.segment.size()));
  return frame;
}

std::vector<std::byte> write_tcp6(const Tcp6Packet& packet) {
  std::vector<std::byte> frame = begin_frame(packet, ipv6_header_bytes, ether_types::ipv6);
  const std::span<std::byte> ip = std::span(frame).subspan(ethernet_header_bytes);
  write_ipv6_header(ip, {packet.from.address, packet.to.address}, ip_protocols::tcp, usual_hop_limit);
  store_be16(&ip[ipv6_header_bytes + 16], tcp_checksum_of(ip.subspan(8), packet.segment.size()));
  return frame;
}

}  // namespace lanyard
