// Finishing checksums: from the Ethernet header inwards, each layer cut to what its header says.
#include "frames/unfinished_checksum.h"

#include <array>
#include <cstdint>
#include <optional>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

namespace {

constexpr std::size_t tcp_bytes_min = 20, tcp_checksum_at = 16;
constexpr std::size_t udp_bytes_min = 8, udp_length_at = 4, udp_checksum_at = 6;

// What an IP packet carries, and the addresses that its checksum covers too: both of them lie together.
struct Carried {
  std::uint8_t protocol;
  std::span<const std::byte> addresses;
  std::span<std::byte> payload;
};

[[nodiscard]] std::uint8_t number(std::byte byte) { return std::to_integer<std::uint8_t>(byte); }

// RFC 791, 3.1.
[[nodiscard]] std::optional<Carried> carried_by_ipv4(std::span<std::byte> ip) {
  constexpr std::size_t header_bytes_min = 20, addresses_at = 12;
  constexpr std::uint16_t more_fragments = 0x2000, fragment_offset = 0x1FFF;
  if (ip.size() < header_bytes_min || number(ip[0]) >> 4 != 4) return std::nullopt;
  const std::size_t header_bytes = std::size_t{number(ip[0])} % 16 * 4;
  const std::size_t total = load_be16(&ip[2]);  // what is behind it is Ethernet's padding
  if (header_bytes < header_bytes_min || total < header_bytes || total > ip.size()) return std::nullopt;
  if ((load_be16(&ip[6]) & (more_fragments | fragment_offset)) != 0) return std::nullopt;
  return Carried{number(ip[9]), ip.subspan(addresses_at, 8), ip.subspan(header_bytes, total - header_bytes)};
}

// RFC 8200, 3 and 4. A routing header with segments left would have the checksum cover another address than
// the header's (8.1), and is refused; so are fragments.
[[nodiscard]] std::optional<Carried> carried_by_ipv6(std::span<std::byte> ip) {
  constexpr std::size_t header_bytes = 40, addresses_at = 8;
  constexpr std::uint8_t hop_by_hop = 0, routing = 43, destination_options = 60;
  if (ip.size() < header_bytes || number(ip[0]) >> 4 != 6) return std::nullopt;
  const std::size_t total = load_be16(&ip[4]);
  if (total > ip.size() - header_bytes) return std::nullopt;
  std::uint8_t protocol = number(ip[6]);
  std::span<std::byte> rest = ip.subspan(header_bytes, total);
  while (protocol == hop_by_hop || protocol == routing || protocol == destination_options) {
    if (rest.size() < 8) return std::nullopt;
    const std::size_t bytes = (std::size_t{number(rest[1])} + 1) * 8;
    if (bytes > rest.size() || (protocol == routing && number(rest[3]) != 0)) return std::nullopt;
    protocol = number(rest[0]);
    rest = rest.subspan(bytes);
  }
  return Carried{protocol, ip.subspan(addresses_at, 32), rest};
}

// Of the addresses, the protocol and the length. In IPv6 the length has 32 bits and the protocol stands
// elsewhere, which makes no difference to the sum.
[[nodiscard]] std::uint64_t pseudo_header(const Carried& carried) {
  return checksum_add(carried.protocol + carried.payload.size(), carried.addresses);
}

[[nodiscard]] bool finish_tcp(const Carried& carried) {
  if (carried.payload.size() < tcp_bytes_min) return false;
  std::byte* const field = &carried.payload[tcp_checksum_at];
  store_be16(field, 0);
  store_be16(field, checksum_finish(checksum_add(pseudo_header(carried), carried.payload)));
  return true;
}

[[nodiscard]] bool finish_udp(Carried carried) {
  if (carried.payload.size() < udp_bytes_min) return false;
  const std::size_t length = load_be16(&carried.payload[udp_length_at]);
  std::byte* const field = &carried.payload[udp_checksum_at];
  if (length < udp_bytes_min || length > carried.payload.size() || load_be16(field) == 0) return false;
  carried.payload = carried.payload.first(length);
  store_be16(field, 0);
  const std::uint16_t checksum = checksum_finish(checksum_add(pseudo_header(carried), carried.payload));
  store_be16(field, checksum == 0 ? 0xFFFF : checksum);  // 0 would mean none
  return true;
}

}  // namespace

bool finish_checksum(std::span<std::byte> frame) {
  const auto ethernet = EthernetView::parse(frame);
  if (!ethernet) return false;
  const std::span<std::byte> ip = frame.subspan(ethernet->header_bytes());
  std::optional<Carried> carried;
  if (ethernet->ether_type() == ether_types::ipv4) carried = carried_by_ipv4(ip);
  if (ethernet->ether_type() == ether_types::ipv6) carried = carried_by_ipv6(ip);
  if (!carried) return false;
  if (carried->protocol == ip_protocols::tcp) return finish_tcp(*carried);
  return carried->protocol == ip_protocols::udp && finish_udp(*carried);
}

}  // namespace lanyard
