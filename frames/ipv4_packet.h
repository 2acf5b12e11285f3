// IPv4 packets in Ethernet frames (RFC 791): the header read and checked, and written. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "frames/ipv4_address.h"

namespace lanyard {

// What a packet carries (IANA, protocol numbers), in IPv6 too.
namespace ip_protocols {
inline constexpr std::uint8_t icmp = 1, tcp = 6, udp = 17, icmp6 = 58;
}

inline constexpr std::size_t ethernet_header_bytes = 14;  // without a tag
inline constexpr std::size_t ipv4_header_bytes_min = 20;  // without options
inline constexpr std::size_t udp_header_bytes = 8;

// Where an IPv4 frame comes from and goes.
struct Ipv4View {
  Ipv4Address from;
  Ipv4Address to;
  std::uint8_t protocol = 0;
  bool fragment = false;        // it is not the whole packet
  bool later_fragment = false;  // nor its beginning
  std::span<const std::byte> packet;  // header and payload; what is behind them is Ethernet's padding
  std::span<const std::byte> payload;
};
// Nothing where the frame is none, is tagged or cut, or its header's checksum is wrong.
[[nodiscard]] std::optional<Ipv4View> parse_ipv4_frame(std::span<const std::byte> frame);

struct Ipv4Header {
  Ipv4Address from;
  Ipv4Address to;
  std::uint8_t protocol = 0;
  bool do_not_fragment = false;
};
// In front of `ip`, which is the whole packet and is zero there.
void write_ipv4_header(std::span<std::byte> ip, const Ipv4Header& header);

// Writes another address of the sender, or of the receiver, into a frame with a UDP datagram, and mends the checksums of
// IP and UDP (RFC 1624), where they were right before. REQUIRES: parse_ipv4_frame() takes it for UDP with a whole UDP header.
enum class Ipv4End : std::uint8_t { sender, receiver };
void replace_udp4_address(std::span<std::byte> frame, Ipv4End end, Ipv4Address address);

}  // namespace lanyard
