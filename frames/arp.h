// ARP for IPv4 over Ethernet (RFC 826): read and written. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

struct ArpPacket {
  bool is_request = false;  // else a reply
  MacAddress sender_mac;
  Ipv4Address sender;
  MacAddress target_mac;    // of a request: unused
  Ipv4Address target;
};

inline constexpr std::size_t arp_frame_bytes = 14 + 28;

// Nothing where the frame is none, is tagged or cut, or speaks of other kinds of addresses.
[[nodiscard]] std::optional<ArpPacket> parse_arp(std::span<const std::byte> frame);

// The frame, from the sender to `to`, not padded.
[[nodiscard]] std::vector<std::byte> write_arp(const ArpPacket& packet, MacAddress to);

}  // namespace lanyard
