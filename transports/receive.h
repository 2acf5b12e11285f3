// From received bytes to frames in the inbox: what all engines share. Books what came in on the port it came by.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "transports/engine.h"

namespace lanyard {

// Where the next bytes of a stream go; see StreamReader::window.
[[nodiscard]] StreamReader::Window stream_window(Transport& transport, FramePool& chunks, std::span<std::byte> scratch);

// A stream gave `bytes` bytes, 0 for its end, or -errno. Reports the failure when it is one.
void stream_received(Transport& transport, std::ptrdiff_t bytes, Inbox& inbox);

// One datagram of `bytes` bytes lies at `data` in `slot` (one reference, taken over here); `truncated` when it was
// longer than that. `slot` is null when the bytes went to scratch because no slot was free. With `segment_bytes` above
// 0 it is a run of datagrams of that size, the last perhaps shorter, which the kernel gave in one piece (UDP_GRO,
// udp(7)): what another switch sent with UDP_SEGMENT.
struct Datagram {
  Buffer* slot;
  std::byte* data;
  std::size_t bytes;
  bool truncated;
  std::size_t segment_bytes;
  SocketAddress source;
};
void datagram_received(Transport& transport, const Datagram& datagram, const DataContext& context,
                       std::uint64_t now_ns);

// No slot is free: drains up to 64 datagrams into `scratch` all the same, so that each is counted.
void datagrams_to_scratch(Transport& transport, const DataContext& context, std::span<std::byte> scratch,
                          std::uint64_t now_ns);

// Control data that comes with a datagram: room for exactly what is asked for (open_sockets.cpp).
inline constexpr std::size_t receive_control_bytes = CMSG_SPACE(sizeof(int));
// Reads it: the segment size of a run (UDP_GRO), or 0.
[[nodiscard]] std::size_t read_control(const msghdr& message);

// Books what the kernel dropped on a datagram socket before we saw it (SO_MEMINFO). Asked for now and then: told with
// each datagram (SO_RXQ_OVFL), it costs 2 to 5 % of all that a datagram costs.
void book_kernel_drops(Transport& transport);

}  // namespace lanyard
