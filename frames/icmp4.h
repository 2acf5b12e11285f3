// The ICMP messages that a gateway sends itself: that a packet may not pass (RFC 1812, 5.2.7.1: destination
// unreachable, communication administratively prohibited), and the answer to an echo request (RFC 792). Codec only;
// pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "frames/ipv4_packet.h"
#include "frames/mac_address.h"

namespace lanyard {

// The answer to `frame`, whose parts are `packet`, from the router at `mac` and `address`. Nothing where none
// may be sent (RFC 1122, 3.2.2): to an ICMP error, to a group, to a fragment but the first, to a source that
// is no single host.
[[nodiscard]] std::optional<std::vector<std::byte>> write_icmp4_prohibited(std::span<const std::byte> frame,
                                                                          const Ipv4View& packet, MacAddress mac,
                                                                          Ipv4Address address);

// The answer to `frame`, whose parts are `packet`, an echo request to an address of ours; nothing where it is none, is a
// fragment or has a wrong checksum, or comes from what is no single host.
[[nodiscard]] std::optional<std::vector<std::byte>> write_icmp4_echo_reply(std::span<const std::byte> frame,
                                                                          const Ipv4View& packet);

}  // namespace lanyard
