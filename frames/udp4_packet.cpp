// Reading and writing UDP datagrams with all their headers.
#include "frames/udp4_packet.h"

#include <array>
#include <cstring>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"
#include "frames/limits.h"

namespace lanyard {

namespace {

// Of addresses, protocol and length, which the UDP checksum covers too (RFC 768).
[[nodiscard]] std::uint64_t pseudo_header(Ipv4Address from, Ipv4Address to, std::size_t udp_length) {
  std::array<std::byte, 12> bytes{};
  store_be32(&bytes[0], from.value());
  store_be32(&bytes[4], to.value());
  bytes[9] = std::byte{ip_protocols::udp};
  store_be16(&bytes[10], static_cast<std::uint16_t>(udp_length));
  return checksum_add(0, bytes);
}

}  // namespace

std::optional<Udp4Packet> parse_udp4(std::span<const std::byte> frame) {
  const auto ip = parse_ipv4_frame(frame);
  if (!ip || ip->fragment || ip->protocol != ip_protocols::udp || ip->payload.size() < udp_header_bytes)
    return std::nullopt;
  const std::size_t length = load_be16(&ip->payload[4]);
  if (length < udp_header_bytes || length > ip->payload.size()) return std::nullopt;
  const std::span<const std::byte> udp = ip->payload.first(length);
  if (load_be16(&udp[6]) != 0) {
    const std::uint64_t sum = pseudo_header(ip->from, ip->to, length);
    if (checksum_finish(checksum_add(sum, udp)) != 0) return std::nullopt;
  }
  return Udp4Packet{{MacAddress::read(&frame[6]), ip->from, load_be16(&udp[0])},
                    {MacAddress::read(&frame[0]), ip->to, load_be16(&udp[2])},
                    udp.subspan(udp_header_bytes)};
}

std::vector<std::byte> write_udp4(const Udp4Packet& packet) {
  LANYARD_CHECK(packet.payload.size() <= limits::udp_payload_bytes_max);
  std::vector<std::byte> frame(udp4_headers_bytes + packet.payload.size());
  packet.to.mac.write(&frame[0]);
  packet.from.mac.write(&frame[6]);
  store_be16(&frame[12], ether_types::ipv4);

  const std::span<std::byte> ip = std::span(frame).subspan(ethernet_header_bytes);
  write_ipv4_header(ip, {packet.from.address, packet.to.address, ip_protocols::udp, true});
  const std::span<std::byte> udp = ip.subspan(ipv4_header_bytes_min);
  store_be16(&udp[0], packet.from.port);
  store_be16(&udp[2], packet.to.port);
  store_be16(&udp[4], static_cast<std::uint16_t>(udp.size()));
  if (!packet.payload.empty()) std::memcpy(&udp[udp_header_bytes], packet.payload.data(), packet.payload.size());
  const std::uint64_t sum = pseudo_header(packet.from.address, packet.to.address, udp.size());
  const std::uint16_t checksum = checksum_finish(checksum_add(sum, udp));
  store_be16(&udp[6], checksum == 0 ? 0xFFFF : checksum);  // 0 would mean none
  return frame;
}

}  // namespace lanyard
