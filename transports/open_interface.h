// Opens network interfaces of this host for the data plane, nonblocking and close-on-exec:
//   a TAP            the host's stack is at its other end; frames are read and written (tuntap.rst of Linux)
//   a packet socket  beside the host's stack on an interface that exists: hears and sends what passes there (packet(7))
// For the control plane. Errors say what the user can do about them.
#pragma once

#include <cstddef>
#include <string>

#include "transports/open_sockets.h"

namespace lanyard {

// The TAP of that name. One that does not exist is made, where that is wanted and permitted, and goes when it is closed.
// REQUIRES: a name of an interface, at most 15 characters.
enum class MissingTap : std::uint8_t { is_made, is_an_error };
[[nodiscard]] Opened<Fd> open_tap(const std::string& interface, MissingTap missing = MissingTap::is_made);

// A packet socket on an Ethernet interface that is up, in promiscuous mode. Every frame that the interface
// receives, and every one that the host itself sends there, is heard with PACKET_AUXDATA; our own sends are
// not: the kernel hands no frame to the socket that it came from (skb_loop_sk, net/core/dev.c).
struct PacketSocket {
  Fd fd;
  std::size_t frame_bytes_max = 0;  // that the interface carries: its MTU, an Ethernet header and a VLAN tag
};
[[nodiscard]] Opened<PacketSocket> open_packet_socket(const std::string& interface);

}  // namespace lanyard
