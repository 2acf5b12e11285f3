// From queued segments to what the kernel takes, and from its answer back to the ledger: what the socket engines
// share.
//
// Streams: all segments, up to an iovec of segments_per_send, go in one message; the answer is in bytes.
// Datagrams: one message per frame, or, where UDP_SEGMENT applies, one per run of frames of equal size (the last of
// a run may be shorter; include/linux/udp.h). UDP_SEGMENT fails with EMSGSIZE when a segment does not fit the MTU of
// the route, where a plain send is fragmented: the decision is kept per port (gso_bytes_max) and only ever lowered.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/limits.h"
#include "transports/local_address.h"
#include "transports/port.h"

namespace lanyard {

// The iovec entries of a stream port's queue, from its first unsent byte. Returns how many were filled; at most
// out.size().
[[nodiscard]] std::size_t gather_stream(const EgressQueue& queue, std::span<iovec> out);

// A batch of datagrams, laid out for sendmmsg or as many sendmsg. Reused; what it points to stays valid until the
// queue is popped.
class DatagramPlan {
 public:
  // Plans messages for the segments of `port`'s queue beginning with `first`. Returns the number of segments
  // covered.
  std::size_t build(Port& port, std::size_t first);
  [[nodiscard]] std::span<mmsghdr> messages() { return {messages_.data(), count_}; }
  [[nodiscard]] std::uint16_t segments(std::size_t message) const { return segments_[message]; }

 private:
  void add_message(Port& port, std::size_t first, std::size_t count);
  void add_local_address(const LocalAddress& local);

  std::array<mmsghdr, limits::messages_per_send> messages_;
  std::array<std::uint16_t, limits::messages_per_send> segments_;
  std::array<iovec, limits::segments_per_send> iovecs_;
  struct alignas(cmsghdr) Control {
    std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t)) + local_address_control_bytes> bytes;
  };
  std::array<Control, limits::messages_per_send> controls_;
  std::size_t count_ = 0;
  std::size_t iovecs_used_ = 0;
};

// As sendmmsg without waiting: how many messages left, from the front, or -1 with errno set for the first. To a device
// each is written by itself.
[[nodiscard]] int send_messages(const Transport& transport, std::span<mmsghdr> messages);

// What became of a message of `segments` segments at the front of `port`'s queue; `result` as a send returns (bytes
// or -errno). Pops and books them, or leaves them queued and says what to do.
enum class SendOutcome : std::uint8_t {
  done,      // popped: sent or dropped
  again,     // left queued: plan again from the front, in another way (UDP_SEGMENT was given up for this size, or the
             // address to answer from, which is this host's no more)
  blocked,   // left queued: the descriptor takes no more now
  unconnected,  // left queued: the UNIX peer has gone; connect again, then plan again or drop
  failed,    // left queued: the interface has gone down or away, and the transport with it
};
[[nodiscard]] SendOutcome datagrams_sent(Port& port, std::size_t segments, int result);

// Drops the front segments that an outcome left queued.
void drop_front(Port& port, std::size_t segments, DropReason reason);

}  // namespace lanyard
