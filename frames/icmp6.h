// What messages of ICMPv6 share that a frame carries (RFC 4443). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard {

inline constexpr std::byte icmp6_header{ip_protocols::icmp6};  // the next header
inline constexpr std::byte icmp6_link_hop_limit{255};          // of what must come from the link itself (RFC 4861, 4)

// Of the message of `icmp_bytes` bytes right behind the IPv6 header of `ip`, and its pseudo header (RFC 8200, 8.1).
[[nodiscard]] inline std::uint64_t icmp6_checksum_sum(std::span<const std::byte> ip, std::size_t icmp_bytes) {
  return checksum_add(icmp_bytes + std::to_integer<std::uint64_t>(icmp6_header), ip.subspan(8, 32 + icmp_bytes));
}

}  // namespace lanyard
