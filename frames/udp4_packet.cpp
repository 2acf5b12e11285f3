// Reading and writing UDP datagrams with all their headers.
#include "frames/udp4_packet.h"

#include <array>
#include <cstring>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/ethernet.h"
#include "frames/limits.h"

namespace lanyard {

namespace {

constexpr std::size_t ethernet_bytes = 14, ip_bytes = 20, udp_bytes = 8;
constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t time_to_live = 64;
constexpr std::uint16_t more_fragments = 0x2000, fragment_offset = 0x1FFF, do_not_fragment = 0x4000;

// Of addresses, protocol and length, which the UDP checksum covers too (RFC 768).
[[nodiscard]] std::uint64_t pseudo_header(Ipv4Address from, Ipv4Address to, std::size_t udp_length) {
  std::array<std::byte, 12> bytes{};
  store_be32(&bytes[0], from.value());
  store_be32(&bytes[4], to.value());
  bytes[9] = std::byte{protocol_udp};
  store_be16(&bytes[10], static_cast<std::uint16_t>(udp_length));
  return checksum_add(0, bytes);
}

}  // namespace

std::uint64_t checksum_add(std::uint64_t sum, std::span<const std::byte> bytes) {
  while (bytes.size() >= 2) {
    sum += load_be16(bytes.data());
    bytes = bytes.subspan(2);
  }
  if (!bytes.empty()) sum += std::to_integer<std::uint64_t>(bytes[0]) << 8;
  return sum;
}

std::uint16_t checksum_finish(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::optional<Udp4Packet> parse_udp4(std::span<const std::byte> frame) {
  const auto ethernet = EthernetView::parse(frame);
  if (!ethernet || !ethernet->tags().empty() || ethernet->ether_type() != ether_types::ipv4) return std::nullopt;
  const std::span<const std::byte> ip = ethernet->payload();
  if (ip.size() < ip_bytes || std::to_integer<unsigned>(ip[0]) >> 4 != 4) return std::nullopt;
  const std::size_t header = std::to_integer<std::size_t>(ip[0] & std::byte{0x0F}) * 4;
  const std::size_t total = load_be16(&ip[2]);  // what is behind it is Ethernet's padding
  if (header < ip_bytes || total < header + udp_bytes || total > ip.size()) return std::nullopt;
  if (checksum_finish(checksum_add(0, ip.first(header))) != 0) return std::nullopt;
  if ((load_be16(&ip[6]) & (more_fragments | fragment_offset)) != 0) return std::nullopt;
  if (ip[9] != std::byte{protocol_udp}) return std::nullopt;

  Udp4Packet packet;
  packet.from = {ethernet->source(), Ipv4Address(load_be32(&ip[12])), 0};
  packet.to = {ethernet->destination(), Ipv4Address(load_be32(&ip[16])), 0};
  std::span<const std::byte> udp = ip.subspan(header, total - header);
  const std::size_t length = load_be16(&udp[4]);
  if (length < udp_bytes || length > udp.size()) return std::nullopt;
  udp = udp.first(length);
  if (load_be16(&udp[6]) != 0) {
    const std::uint64_t sum = pseudo_header(packet.from.address, packet.to.address, length);
    if (checksum_finish(checksum_add(sum, udp)) != 0) return std::nullopt;
  }
  packet.from.port = load_be16(&udp[0]);
  packet.to.port = load_be16(&udp[2]);
  packet.payload = udp.subspan(udp_bytes);
  return packet;
}

std::vector<std::byte> write_udp4(const Udp4Packet& packet) {
  LANYARD_CHECK(packet.payload.size() <= limits::udp_payload_bytes_max);
  std::vector<std::byte> frame(udp4_headers_bytes + packet.payload.size());
  packet.to.mac.write(&frame[0]);
  packet.from.mac.write(&frame[6]);
  store_be16(&frame[12], ether_types::ipv4);

  const std::span<std::byte> ip = std::span(frame).subspan(ethernet_bytes);
  const std::size_t udp_length = udp_bytes + packet.payload.size();
  ip[0] = std::byte{0x45};
  store_be16(&ip[2], static_cast<std::uint16_t>(ip_bytes + udp_length));
  store_be16(&ip[6], do_not_fragment);
  ip[8] = std::byte{time_to_live};
  ip[9] = std::byte{protocol_udp};
  store_be32(&ip[12], packet.from.address.value());
  store_be32(&ip[16], packet.to.address.value());
  store_be16(&ip[10], checksum_finish(checksum_add(0, ip.first(ip_bytes))));

  const std::span<std::byte> udp = ip.subspan(ip_bytes);
  store_be16(&udp[0], packet.from.port);
  store_be16(&udp[2], packet.to.port);
  store_be16(&udp[4], static_cast<std::uint16_t>(udp_length));
  if (!packet.payload.empty()) std::memcpy(&udp[udp_bytes], packet.payload.data(), packet.payload.size());
  const std::uint64_t sum = pseudo_header(packet.from.address, packet.to.address, udp_length);
  const std::uint16_t checksum = checksum_finish(checksum_add(sum, udp));
  store_be16(&udp[6], checksum == 0 ? 0xFFFF : checksum);  // 0 would mean none
  return frame;
}

}  // namespace lanyard
