// Neighbour discovery for IPv6 over Ethernet (RFC 4861, 4.3 and 4.4), as far as a gateway answers for its guests: a
// solicitation read, an advertisement written. Codec only; pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frames/mac_address.h"

namespace lanyard {

using Ipv6Bytes = std::array<std::byte, 16>;

// Are the first 64 bits the same?
[[nodiscard]] inline bool same_prefix64(const Ipv6Bytes& a, const Ipv6Bytes& b) {
  return std::equal(a.begin(), a.begin() + 8, b.begin());
}

inline constexpr std::size_t ipv6_header_bytes = 40;
inline constexpr std::size_t ipv6_headers_bytes = 14 + ipv6_header_bytes;  // Ethernet, IPv6

// The addresses of an IPv6 frame, or nothing where it is none, is tagged or cut.
struct Ipv6Addresses {
  Ipv6Bytes from;
  Ipv6Bytes to;
};
[[nodiscard]] std::optional<Ipv6Addresses> parse_ipv6_addresses(std::span<const std::byte> frame);
// The header of `ip`, which is zeros so far, with what it carries behind it.
void write_ipv6_header(std::span<std::byte> ip, const Ipv6Addresses& ends, std::uint8_t protocol, std::byte hop_limit);
inline constexpr std::byte usual_hop_limit{64};  // what goes farther than the link

struct NeighbourSolicitation {
  MacAddress from_mac;  // as in the Ethernet header
  Ipv6Bytes from;
  Ipv6Bytes target;
};
[[nodiscard]] std::optional<NeighbourSolicitation> parse_neighbour_solicitation(std::span<const std::byte> frame);

// The answer: `mac` has the target.
[[nodiscard]] std::vector<std::byte> write_neighbour_advertisement(const NeighbourSolicitation& asked, MacAddress mac);

// Gives an ICMPv6 message another sender, in both headers; its checksum stays as right as it was. REQUIRES:
// parse_ipv6_addresses(frame). Nothing where it is no ICMPv6.
void replace_icmp6_sender(std::span<std::byte> frame, const Ipv6Bytes& from, MacAddress mac);

}  // namespace lanyard
