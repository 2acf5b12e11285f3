// TCP over IPv4 and over IPv6 in an Ethernet frame (RFC 9293), as far as a segment is put under other
// headers: read with every length and the checksum checked, and written with other ends (RFC 7915, without
// fragments). Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "frames/udp4_packet.h"
#include "frames/udp6_packet.h"

namespace lanyard {

template <class Endpoint>
struct TcpPacket {
  Endpoint from;
  Endpoint to;
  std::span<const std::byte> segment;  // of the frame's memory: header and payload
};
using Tcp4Packet = TcpPacket<Udp4Endpoint>;
using Tcp6Packet = TcpPacket<Udp6Endpoint>;

inline constexpr std::size_t tcp_header_bytes_min = 20;  // without options
// A segment's flags.
inline constexpr std::byte tcp_syn{0x02}, tcp_ack{0x10};
// REQUIRES: the flags are in it.
[[nodiscard]] inline bool opens_connection(std::span<const std::byte> segment) {
  return (segment[13] & (tcp_syn | tcp_ack)) == tcp_syn;
}

// Nothing where the frame is no whole, sound TCP segment directly behind the IP header: tagged, a fragment,
// cut short, or a wrong checksum.
[[nodiscard]] std::optional<Tcp4Packet> parse_tcp4(std::span<const std::byte> frame);
[[nodiscard]] std::optional<Tcp6Packet> parse_tcp6(std::span<const std::byte> frame);

// The frame, not padded; the ports and the checksum of the segment are those of its new ends. REQUIRES: a
// segment of 20 to 65515 bytes.
[[nodiscard]] std::vector<std::byte> write_tcp4(const Tcp4Packet& packet);
[[nodiscard]] std::vector<std::byte> write_tcp6(const Tcp6Packet& packet);

}  // namespace lanyard
