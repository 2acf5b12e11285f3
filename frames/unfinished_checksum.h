// TCP and UDP checksums that a host's stack left to its network card: a frame that the host itself sends
// carries, where the checksum belongs, only the sum of the pseudo header. Whoever takes such a frame off an
// interface before a card has seen it has to finish the sum. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <span>

namespace lanyard {

// Computes the checksum of a TCP segment (RFC 9293, 3.1) or UDP datagram (RFC 768) over IPv4 or IPv6 (RFC 8200, 8.1)
// anew and writes it; up to two VLAN tags, IPv4 options and IPv6 extension headers may stand before it. False, and
// nothing written, where the frame is something else, a fragment, or not whole. A UDP checksum of 0 is none (tunnels
// send such), and stays.
[[nodiscard]] bool finish_checksum(std::span<std::byte> frame);

}  // namespace lanyard
