// The IPv4 header; see the header file.
#include "frames/ipv4_packet.h"

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"

namespace lanyard {

namespace {

constexpr std::uint16_t do_not_fragment = 0x4000, more_fragments = 0x2000, fragment_offset = 0x1FFF;
constexpr std::byte version_and_length{0x45}, time_to_live{64};

// What becomes of a checksum when a 32-bit word that it covers is replaced (RFC 1624, equation 3).
std::uint16_t adjusted(std::uint16_t checksum, std::uint32_t before, std::uint32_t after) {
  const auto inverted = [](std::uint32_t word) { return static_cast<std::uint64_t>((word & 0xFFFF) ^ 0xFFFF); };
  return checksum_finish(inverted(checksum) + inverted(before >> 16) + inverted(before) + (after >> 16) + (after & 0xFFFF));
}

}  // namespace

std::optional<Ipv4View> parse_ipv4_frame(std::span<const std::byte> frame) {
  if (frame.size() < ethernet_header_bytes + ipv4_header_bytes_min || load_be16(&frame[12]) != ether_types::ipv4)
    return std::nullopt;
  std::span<const std::byte> ip = frame.subspan(ethernet_header_bytes);
  const auto first = std::to_integer<unsigned>(ip[0]);
  const std::size_t header_bytes = (first & 15) * 4U;
  const std::size_t bytes = load_be16(&ip[2]);
  if (first >> 4 != 4 || header_bytes < ipv4_header_bytes_min || bytes < header_bytes || bytes > ip.size())
    return std::nullopt;
  if (checksum_finish(checksum_add(0, ip.first(header_bytes))) != 0) return std::nullopt;
  ip = ip.first(bytes);
  const std::uint16_t place = load_be16(&ip[6]);
  return Ipv4View{Ipv4Address(load_be32(&ip[12])),
                  Ipv4Address(load_be32(&ip[16])),
                  std::to_integer<std::uint8_t>(ip[9]),
                  (place & (more_fragments | fragment_offset)) != 0,
                  (place & fragment_offset) != 0,
                  ip,
                  ip.subspan(header_bytes)};
}

void write_ipv4_header(std::span<std::byte> ip, const Ipv4Header& header) {
  ip[0] = version_and_length;
  store_be16(&ip[2], static_cast<std::uint16_t>(ip.size()));
  if (header.do_not_fragment) store_be16(&ip[6], do_not_fragment);
  ip[8] = time_to_live;
  ip[9] = std::byte{header.protocol};
  store_be32(&ip[12], header.from.value());
  store_be32(&ip[16], header.to.value());
  store_be16(&ip[10], checksum_finish(checksum_add(0, ip.first(ipv4_header_bytes_min))));
}

void replace_udp4_address(std::span<std::byte> frame, Ipv4End end, Ipv4Address address) {
  const std::span<std::byte> ip = frame.subspan(ethernet_header_bytes);
  const std::size_t header_bytes = (std::to_integer<std::size_t>(ip[0]) & 15) * 4;
  std::byte* const place = &ip[end == Ipv4End::sender ? 12 : 16];
  const std::uint32_t before = load_be32(place);
  store_be32(place, address.value());
  store_be16(&ip[10], adjusted(load_be16(&ip[10]), before, address.value()));
  std::byte* const udp_checksum = &ip[header_bytes + 6];
  const std::uint16_t old = load_be16(udp_checksum);
  if (old == 0) return;  // there is none
  const std::uint16_t mended = adjusted(old, before, address.value());
  store_be16(udp_checksum, mended == 0 ? 0xFFFF : mended);  // RFC 768: 0 says that there is none
}

}  // namespace lanyard
