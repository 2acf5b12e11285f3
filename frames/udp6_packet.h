// UDP over IPv6 in an Ethernet frame (RFC 768, RFC 8200): read with every length and the checksum checked, and written.
// For the DNS server of a gateway. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frames/mac_address.h"
#include "frames/ndp.h"

namespace lanyard {

struct Udp6Endpoint {
  MacAddress mac;
  Ipv6Bytes address{};
  std::uint16_t port = 0;
  friend bool operator==(const Udp6Endpoint&, const Udp6Endpoint&) = default;
};

struct Udp6Packet {
  Udp6Endpoint from;
  Udp6Endpoint to;
  std::span<const std::byte> payload;  // of the frame's memory
};

// Nothing where the frame is no whole, sound UDP datagram directly behind the IPv6 header: tagged, with extension
// headers (a fragment), cut short, or a wrong checksum or none.
[[nodiscard]] std::optional<Udp6Packet> parse_udp6(std::span<const std::byte> frame);

// The frame, not padded. REQUIRES: a payload of at most 65527 bytes.
[[nodiscard]] std::vector<std::byte> write_udp6(const Udp6Packet& packet);

}  // namespace lanyard
