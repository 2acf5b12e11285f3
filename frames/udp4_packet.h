// UDP over IPv4 in an Ethernet frame (RFC 768, RFC 791): read with every length and checksum checked, and written. For
// the services that a gateway answers itself. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

struct Udp4Endpoint {
  MacAddress mac;
  Ipv4Address address;
  std::uint16_t port = 0;
  friend bool operator==(const Udp4Endpoint&, const Udp4Endpoint&) = default;
};

struct Udp4Packet {
  Udp4Endpoint from;
  Udp4Endpoint to;
  std::span<const std::byte> payload;  // of the frame's memory
};

// Ethernet header, IPv4 header without options, UDP header.
inline constexpr std::size_t udp4_headers_bytes = 14 + 20 + 8;

// Nothing where the frame is no whole, sound UDP datagram: tagged, a fragment, cut short, or a wrong checksum. A UDP
// checksum of 0 means that there is none.
[[nodiscard]] std::optional<Udp4Packet> parse_udp4(std::span<const std::byte> frame);

// The frame, not padded. REQUIRES: a payload of at most 65507 bytes.
[[nodiscard]] std::vector<std::byte> write_udp4(const Udp4Packet& packet);

}  // namespace lanyard
