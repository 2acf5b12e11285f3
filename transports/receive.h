// From received bytes to frames in the inbox: what all engines share. Books what came in on the port it came by.
#pragma once

#include <linux/if_packet.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "frames/ethernet.h"
#include "transports/engine.h"
#include "transports/local_address.h"

namespace lanyard {

// Where the next bytes of a stream go; see StreamReader::window.
[[nodiscard]] StreamReader::Window stream_window(Transport& transport, FramePool& chunks, std::span<std::byte> scratch);

// A stream gave `bytes` bytes, 0 for its end, or -errno. Reports the failure when it is one.
void stream_received(Transport& transport, std::ptrdiff_t bytes, Inbox& inbox);

// What the kernel says about a datagram beside its bytes.
struct ReceiveControl {
  // Where it came to, of a socket that is bound to all addresses (local_address.h); valid as long as the control data.
  const cmsghdr* local = nullptr;
  // Above 0: this is a run of datagrams of that size, the last perhaps shorter, which the kernel gave in one piece
  // (UDP_GRO, udp(7)): what another switch sent with UDP_SEGMENT.
  std::uint16_t segment_bytes = 0;
  // Of a frame from a packet socket (PACKET_AUXDATA, packet(7)): the VLAN tag that was taken off it, if any
  // (a TPID above 0), and whether a TCP or UDP checksum in it was left to a network card that it never came
  // to.
  VlanTag tag{};
  bool unfinished_checksum = false;
  bool is_rare = false;  // there is more than segment_bytes: one look for what most datagrams do not have
};
static_assert(sizeof(ReceiveControl) <= 16, "it is returned in registers, for each datagram");

// One datagram of `bytes` bytes lies at `data` in `slot` (one reference, taken over here); `truncated` when it was
// longer than that. `slot` is null when the bytes went to scratch because no slot was free.
struct Datagram {
  Buffer* slot;
  std::byte* data;
  std::size_t bytes;
  bool truncated;
  ReceiveControl control;
  SocketAddress source;
};
void datagram_received(Transport& transport, const Datagram& datagram, const DataContext& context,
                       std::uint64_t now_ns);

// A receive on a socket failed with `error`. Of UDP it is the error of an earlier send (ICMP), and by now it has been
// taken off the socket; an interface has gone down or away, and that is reported.
void receive_refused(Transport& transport, int error, Inbox& inbox);

// Takes the ICMP errors that the kernel has kept (Transport::keeps_errors); while one is there, the socket is never at
// rest. Notes whether one is of the peer as it is now.
void take_errors(Transport& transport);

// Reads frames from a device until there is none, up to 64; where no slot is free, to `scratch`, so that each
// is counted.
void receive_from_device(Transport& transport, const DataContext& context, std::span<std::byte> scratch,
                         std::uint64_t now_ns);

// No slot is free: drains up to 64 datagrams into `scratch` all the same, so that each is counted.
void datagrams_to_scratch(Transport& transport, const DataContext& context, std::span<std::byte> scratch,
                          std::uint64_t now_ns);

// Control data that comes with a datagram: room for exactly what is asked for, on one kind of socket UDP_GRO and where
// it came to (open_sockets.cpp), on another PACKET_AUXDATA (open_interface.cpp).
inline constexpr std::size_t receive_control_bytes =
    std::max(CMSG_SPACE(sizeof(int)) + local_address_control_bytes, CMSG_SPACE(sizeof(tpacket_auxdata)));
[[nodiscard]] ReceiveControl read_control(const msghdr& message);

// Books what the kernel dropped on a datagram socket before we saw it (SO_MEMINFO), UDP or a packet socket; of a
// TAP its interface says it (interface_statistics.h). Asked for now and then: told with each datagram (SO_RXQ_OVFL), it costs 2 to 5 % of all that a datagram
// costs.
void book_kernel_drops(Transport& transport);

}  // namespace lanyard
