// From queued segments to messages and back to the ledger; see the header.
#include "transports/send.h"

#include <netinet/in.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "frames/check.h"
#include "transports/transport.h"
#include "transports/udp_offload.h"

namespace lanyard {

namespace {

// How many segments from `first` can leave as one UDP_SEGMENT message: equal sizes, the last may be shorter.
[[nodiscard]] std::size_t run_length(const Port& port, std::size_t first, std::size_t most) {
  const EgressQueue& queue = port.egress;
  const std::uint32_t size = queue.segment(first).bytes;
  if (size > port.gso_bytes_max) return 1;
  const std::size_t limit = std::min({most, limits::gso_segments_max, queue.segment_count() - first});
  std::size_t total = size;
  std::size_t length = 1;
  while (length < limit) {
    const std::uint32_t next = queue.segment(first + length).bytes;
    if (next > size || total + next > limits::udp_payload_bytes_max) break;
    total += next;
    ++length;
    if (next < size) break;
  }
  return length;
}

// The errors with which a route or device refuses UDP_SEGMENT: a segment above the MTU (EMSGSIZE, EINVAL since
// Linux 6.9), no checksum offload (EIO), or a kernel that does not know it.
[[nodiscard]] bool refuses_gso(int error) {
  return error == EMSGSIZE || error == EINVAL || error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

// What may mean that the address to send from is not this host's (any more): EINVAL, and of IPv4 by now ENETUNREACH.
[[nodiscard]] bool refuses_source(int error) {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENETUNREACH || error == EHOSTUNREACH;
}

// What an interface answers when it was deleted (a TAP EBADFD, a packet socket ENXIO), and a packet socket also when it
// is down. Writing to a TAP that is down gives EIO: it may come up again.
[[nodiscard]] bool is_gone(int error) {
  return error == EBADFD || error == ENODEV || error == ENXIO || error == ENETDOWN;
}

}  // namespace

std::size_t gather_stream(const EgressQueue& queue, std::span<iovec> out) {
  const std::size_t count = std::min(queue.segment_count(), out.size());
  std::size_t offset = queue.front_offset();
  for (std::size_t i = 0; i < count; ++i) {
    const Segment& segment = queue.segment(i);
    out[i] = {segment.data + offset, segment.bytes - offset};
    offset = 0;
  }
  return count;
}

std::size_t DatagramPlan::build(Port& port, std::size_t first) {
  count_ = iovecs_used_ = 0;
  std::size_t at = first;
  const std::size_t end = port.egress.segment_count();
  while (at < end && count_ < messages_.size() && iovecs_used_ < iovecs_.size()) {
    const std::size_t length = run_length(port, at, iovecs_.size() - iovecs_used_);
    add_message(port, at, length);
    at += length;
  }
  if (port.local.is_set()) [[unlikely]] add_local_address(port.local);
  return at - first;
}

void DatagramPlan::add_local_address(const LocalAddress& local) {
  for (std::size_t i = 0; i < count_; ++i) {
    msghdr& message = messages_[i].msg_hdr;
    if (message.msg_controllen == 0) message.msg_control = controls_[i].bytes.data();
    append_local_address(message, local);
  }
}

void DatagramPlan::add_message(Port& port, std::size_t first, std::size_t count) {
  mmsghdr& message = messages_[count_];
  std::memset(&message, 0, sizeof message);
  if (port.peer.length > 0 && port.transport->sources != Sources::connected) {
    message.msg_hdr.msg_name = &port.peer.any;
    message.msg_hdr.msg_namelen = port.peer.length;
  }
  message.msg_hdr.msg_iov = &iovecs_[iovecs_used_];
  std::size_t entries = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const Segment& segment = port.egress.segment(first + i);
    iovec* last = entries == 0 ? nullptr : &iovecs_[iovecs_used_ - 1];
    if (last != nullptr && static_cast<std::byte*>(last->iov_base) + last->iov_len == segment.data) {
      last->iov_len += segment.bytes;  // received in one piece
      continue;
    }
    iovecs_[iovecs_used_++] = {segment.data, segment.bytes};
    ++entries;
  }
  message.msg_hdr.msg_iovlen = entries;
  if (count > 1) {
    message.msg_hdr.msg_control = controls_[count_].bytes.data();
    message.msg_hdr.msg_controllen = CMSG_SPACE(sizeof(std::uint16_t));
    cmsghdr* header = CMSG_FIRSTHDR(&message.msg_hdr);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
    const auto size = static_cast<std::uint16_t>(port.egress.segment(first).bytes);
    std::memcpy(CMSG_DATA(header), &size, sizeof size);
  }
  segments_[count_++] = static_cast<std::uint16_t>(count);
}

int send_messages(const Transport& transport, std::span<mmsghdr> messages) {
  if (transport.io() == Io::socket)
    return ::sendmmsg(transport.send_fd(), messages.data(), static_cast<unsigned>(messages.size()),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
  int sent = 0;
  for (const mmsghdr& message : messages) {
    if (::writev(transport.send_fd(), message.msg_hdr.msg_iov, static_cast<int>(message.msg_hdr.msg_iovlen)) < 0)
      return sent > 0 ? sent : -1;
    ++sent;
  }
  return sent;
}

SendOutcome datagrams_sent(Port& port, std::size_t segments, int result) {
  if (result >= 0) {
    port.count_sent(port.egress.pop_front(segments));
    return SendOutcome::done;
  }
  const int error = -result;
  if (segments > 1 && refuses_gso(error)) {
    port.gso_bytes_max = error == EMSGSIZE || error == EINVAL ? port.egress.segment(0).bytes - 1 : 0;
    return SendOutcome::again;
  }
  const Transport& transport = *port.transport;
  if (port.local.is_set() && refuses_source(error)) {  // until the peer is heard again; the route chooses meanwhile
    port.local = {};
    port.gso_bytes_max = transport.gso ? limits::udp_payload_bytes_max : 0;
    return SendOutcome::again;
  }
  // A receiver of UNIX datagrams takes about 11.
  if (transport.tells_when_writable() && error == EAGAIN) return SendOutcome::blocked;
  if (transport.sources == Sources::interface && is_gone(error)) return SendOutcome::failed;
  if (transport.sources == Sources::connected &&
      (error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET || error == EPIPE || error == ENOENT ||
       error == EDESTADDRREQ))
    return SendOutcome::unconnected;
  drop_front(port, segments,
             error == EMSGSIZE                                               ? DropReason::mtu
             : error == EAGAIN || error == ENOBUFS || error == ENOMEM ? DropReason::egress_full
                                                                             : DropReason::send_error);
  return SendOutcome::done;
}

void drop_front(Port& port, std::size_t segments, DropReason reason) {
  port.counters->drop(reason, port.egress.pop_front(segments).frames);
}

}  // namespace lanyard
