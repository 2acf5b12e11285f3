// Neighbour discovery for IPv6 over Ethernet (RFC 4861, 4.3 and 4.4), as far as a gateway answers for its guests: a
// solicitation read, an advertisement written. Codec only; pure; any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
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

inline constexpr std::size_t ipv6_headers_bytes = 14 + 40;  // Ethernet, IPv6

// The addresses of an IPv6 frame, or nothing where it is none, is tagged or cut.
struct Ipv6Addresses {
  Ipv6Bytes from;
  Ipv6Bytes to;
};
[[nodiscard]] std::optional<Ipv6Addresses> parse_ipv6_addresses(std::span<const std::byte> frame);

struct NeighbourSolicitation {
  MacAddress from_mac;  // as in the Ethernet header
  Ipv6Bytes from;
  Ipv6Bytes target;
};
[[nodiscard]] std::optional<NeighbourSolicitation> parse_neighbour_solicitation(std::span<const std::byte> frame);

// The answer: `mac` has the target.
[[nodiscard]] std::vector<std::byte> write_neighbour_advertisement(const NeighbourSolicitation& asked, MacAddress mac);

}  // namespace lanyard
