// What the io_uring engine sends, and what comes of it; see the header for the theory.
#include <poll.h>

#include <cerrno>
#include <memory>

#include "transports/unix_peer.h"
#include "transports/uring_engine.h"

namespace lanyard {

void UringEngine::flush(Transport& transport) {
  if (transport.blocked) return gathering_.kept();
  while (!transport.dirty.empty() && !transport.blocked) {
    Port& port = *transport.dirty.back();
    transport.dirty.pop_back();
    port.dirty = false;
    port.show_queue();
    if (port.egress.empty() || transport.failed) continue;
    transport.wire() == Wire::stream ? flush_stream(transport, port) : flush_datagrams(transport, port);
  }
}

void UringEngine::flush_stream(Transport& transport, Port& port) {
  if (transport.send_in_flight) return set_blocked(transport, true);  // its completion asks again
  gathering_.gave();
  if (stream_messages_used_ == stream_messages_.size()) {
    if (stream_messages_.size() == stream_messages_max) submit();
    else stream_messages_.push_back(std::make_unique<StreamMessage>());
  }
  io_uring_sqe* sqe = next_sqe();
  StreamMessage& message = *stream_messages_[stream_messages_used_++];
  const std::size_t count = gather_stream(port.egress, message.iovecs);
  for (std::size_t i = 0; i < count; ++i)
    observe(static_cast<const std::byte*>(message.iovecs[i].iov_base), message.iovecs[i].iov_len);
  if (count == 1) {
    io_uring_prep_send(sqe, transport.send_fd(), message.iovecs[0].iov_base, message.iovecs[0].iov_len, MSG_NOSIGNAL);
  } else {
    message.header = {};
    message.header.msg_iov = message.iovecs.data();
    message.header.msg_iovlen = count;
    io_uring_prep_sendmsg(sqe, transport.send_fd(), &message.header, MSG_NOSIGNAL);
  }
  io_uring_sqe_set_data64(sqe, Tag{Operation::send, 0, port.index, port.generation}.pack());
  transport.send_in_flight = true;
  ++transport.operations;
}

void UringEngine::flush_datagrams(Transport& transport, Port& port) {
  if (!port.in_flight) port.in_flight = std::make_unique<MessagesInFlight>();
  if (port.in_flight->count > 0) return gathering_.kept();  // the last completion asks again
  gathering_.gave();
  if (plans_used_ == plans_.size()) {
    if (plans_.size() < plans_max) plans_.push_back(std::make_unique<DatagramPlan>());
    else submit();
  }
  if (io_uring_sq_space_left(&ring_) < limits::messages_per_send) submit();  // links must not be cut
  DatagramPlan& plan = *plans_[plans_used_++];
  plan.build(port, 0);
  const std::span<mmsghdr> messages = plan.messages();
  const bool link = transport.tells_when_writable();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const msghdr& header = messages[i].msg_hdr;
    for (std::size_t j = 0; j < header.msg_iovlen; ++j)
      observe(static_cast<const std::byte*>(header.msg_iov[j].iov_base), header.msg_iov[j].iov_len);
    io_uring_sqe* sqe = next_sqe();
    if (transport.io() == Io::socket)
      io_uring_prep_sendmsg(sqe, transport.send_fd(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    else io_uring_prep_writev(sqe, transport.send_fd(), header.msg_iov, static_cast<unsigned>(header.msg_iovlen), 0);
    if (link && i + 1 < messages.size()) sqe->flags |= IOSQE_IO_LINK;
    io_uring_sqe_set_data64(
        sqe, Tag{Operation::send, static_cast<std::uint8_t>(i), port.index, port.generation}.pack());
    port.in_flight->segments[i] = plan.segments(i);
    ++transport.operations;
  }
  port.in_flight->count = static_cast<std::uint16_t>(messages.size());
  port.in_flight->done = 0;
}

void UringEngine::sent(Port& port, const Tag& tag, int result) {
  Transport& transport = *port.transport;
  if (transport.wire() == Wire::stream) {
    sent_stream(port, result);
  } else {
    MessagesInFlight& flight = *port.in_flight;
    flight.results.at(tag.message) = result;
    if (++flight.done == flight.count) settle_messages(port);
  }
  operation_ended(transport);
}

void UringEngine::sent_stream(Port& port, int result) {
  Transport& transport = *port.transport;
  transport.send_in_flight = false;
  if (transport.blocked) set_blocked(transport, false);
  if (result >= 0) {
    port.count_sent(port.egress.sent(static_cast<std::size_t>(result)));
    port.show_queue();
  } else if (result != -ECANCELED && result != -EINTR && result != -EAGAIN && result != -ENOBUFS &&
             result != -ENOMEM) {
    context_.inbox.report_failed(transport, "send failed", -result);
    return;
  }
  if (!port.egress.empty() && transport.state == Transport::State::up) context_.inbox.mark_dirty(port);
}

// All messages of a plan have come back: books them in order, from the front of the queue.
void UringEngine::settle_messages(Port& port) {
  Transport& transport = *port.transport;
  MessagesInFlight& flight = *port.in_flight;
  const bool had_local = port.local.is_set();
  bool stop = false;
  for (std::size_t i = 0; i < flight.count && !stop; ++i) {
    if (flight.results[i] == -ECANCELED) break;  // linked behind one that failed, or the transport is closing
    const bool local_is_gone = had_local && !port.local.is_set();  // as one before it in the plan has shown
    if (local_is_gone && flight.results[i] < 0) {
      send_one_by_one(port, flight.segments[i]);
      continue;
    }
    switch (datagrams_sent(port, flight.segments[i], flight.results[i])) {
      case SendOutcome::done: break;
      case SendOutcome::again: send_one_by_one(port, flight.segments[i]); break;
      case SendOutcome::blocked:
        wait_until_writable(transport);
        stop = true;
        break;
      case SendOutcome::unconnected:
        if (!connect_unix_peer(transport)) drop_front(port, flight.segments[i], DropReason::send_error);
        stop = true;
        break;
      case SendOutcome::failed:
        context_.inbox.report_interface_failed(transport, -flight.results[i]);
        stop = true;
        break;
    }
  }
  flight.count = 0;
  port.show_queue();
  if (!port.egress.empty() && transport.state == Transport::State::up) context_.inbox.mark_dirty(port);
}

// What was refused as it was planned, a run by UDP_SEGMENT or an address to send from, while later messages of the plan
// may have left: its frames go at once, each by itself. Rare: it is remembered.
void UringEngine::send_one_by_one(Port& port, std::size_t segments) {
  for (std::size_t i = 0; i < segments; ++i) {
    SendOutcome outcome = send_front(port);
    if (outcome == SendOutcome::again) outcome = send_front(port);  // without its local address
    LANYARD_CHECK(outcome == SendOutcome::done);
  }
}

SendOutcome UringEngine::send_front(Port& port) {
  const Segment& segment = port.egress.segment(0);
  iovec bytes{segment.data, segment.bytes};
  alignas(cmsghdr) std::array<std::byte, local_address_control_bytes> control;
  msghdr message{};
  message.msg_name = &port.peer.any;
  message.msg_namelen = port.peer.length;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (port.local.is_set()) {
    message.msg_control = control.data();
    append_local_address(message, port.local);
  }
  const ssize_t result = ::sendmsg(port.transport->send_fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  return datagrams_sent(port, 1, result < 0 ? -errno : 0);
}

void UringEngine::wait_until_writable(Transport& transport) {
  if (transport.state != Transport::State::up) return;
  io_uring_sqe* sqe = next_sqe();
  io_uring_prep_poll_add(sqe, transport.send_fd(), POLLOUT);
  io_uring_sqe_set_data64(sqe, Tag{Operation::writable, 0, transport.slot, transport.generation}.pack());
  set_blocked(transport, true);
  ++transport.operations;
}

void UringEngine::set_blocked(Transport& transport, bool blocked) {
  transport.blocked = blocked;
  if (!blocked) return gathering_.port_unblocked();
  gathering_.port_blocked();
  gathering_.kept();
}

}  // namespace lanyard
