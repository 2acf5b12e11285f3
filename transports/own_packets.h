// A packet socket hears what this host sends and receives on an interface, and so the packets too in which our own ports
// carry the frames of its network to other hosts. Taken up as frames they would leave by those ports again, in packets
// of their own, without end. So the kernel is told to keep from the socket what belongs to them (BPF, socket(7)); no
// right is needed for that. A mark (SO_MARK) would need one, is read by the host's routing and firewall, and tells
// nothing of what comes in, which two hosts with such a pair of ports would throw to and fro likewise.
//
// A packet belongs to an end of ours when it is of its protocol and its source or its destination is the address and the
// number of that. An end that is bound to all addresses stands for what the interface says is of this host: what leaves
// it, and what came for it. A later fragment has no numbers: of UDP, what this host sends or receives is kept away, and
// what goes to a group of ours. IPv4 and IPv6, behind a VLAN tag or none; other extension headers hide what they carry.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "transports/socket_address.h"

namespace lanyard {

struct PacketEnd {
  std::uint8_t protocol = 0;  // IPPROTO_TCP or IPPROTO_UDP
  SocketAddress address;      // of this host, or of a group, with its number
  friend bool operator==(const PacketEnd&, const PacketEnd&) = default;
};

// Of a TCP or UDP socket; none: of another kind.
[[nodiscard]] std::optional<PacketEnd> packet_end(int fd);

inline constexpr std::size_t packet_ends_max = 100;  // the kernel bounds a program (net.core.optmem_max)

// The program that keeps the packets of these ends away. REQUIRES: at most packet_ends_max.
[[nodiscard]] std::vector<sock_filter> without_packets_of(std::span<const PacketEnd> ends);

// `packet_socket` hears no packets of these ends from now on; without any: all. An errno, or 0.
[[nodiscard]] int keep_away(int packet_socket, std::span<const PacketEnd> ends);

}  // namespace lanyard
