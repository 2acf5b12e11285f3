// The io_uring engine; see the header for the theory. In the order a frame travels: wait, arm, complete, receive. What
// is sent: uring_engine_send.cpp.
#include "transports/uring_engine.h"

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transports/clock.h"

namespace lanyard {

std::uint64_t UringEngine::Tag::pack() const {
  return static_cast<std::uint64_t>(operation) | std::uint64_t{message} << 8 | std::uint64_t{slot & 0xFFFFFu} << 16 |
         std::uint64_t{generation & 0xFFF'FFFFu} << 36;
}

UringEngine::Tag UringEngine::Tag::unpack(std::uint64_t user_data) {
  return {static_cast<Operation>(user_data & 0xFF), static_cast<std::uint8_t>(user_data >> 8),
          static_cast<std::uint32_t>(user_data >> 16) & 0xFFFFFu, static_cast<std::uint32_t>(user_data >> 36)};
}

UringEngine::UringEngine(const DataContext& context, int wake_fd, const UringCapabilities& capabilities)
    : Engine(context), wake_fd_(wake_fd), capabilities_(capabilities), provided_(slots_entries, nullptr) {
  receive_template_.msg_namelen = name_bytes;
  receive_template_.msg_controllen = receive_control_bytes;
  for (unsigned i = slots_entries; i > 0; --i) free_ids_.push_back(static_cast<std::uint16_t>(i - 1));
}

UringEngine::~UringEngine() {
  if (started_) {
    io_uring_unregister_buf_ring(&ring_, slots_group);
    io_uring_queue_exit(&ring_);
  }
  if (slots_ring_ != nullptr) ::munmap(slots_ring_, slots_entries * sizeof(io_uring_buf));
  for (Buffer* slot : provided_)
    if (slot != nullptr) slot->release();
}

std::size_t UringEngine::memory_bytes_max() {
  constexpr std::size_t rings = ring_entries * (sizeof(io_uring_sqe) + sizeof(std::uint32_t)) +
                                completion_entries * sizeof(io_uring_cqe) + slots_entries * sizeof(io_uring_buf);
  return rings + stream_messages_max * sizeof(StreamMessage) + plans_max * sizeof(DatagramPlan) +
         slots_entries * (sizeof(Buffer*) + sizeof(std::uint16_t));
}

std::uint64_t UringEngine::now_ns() const { return monotonic_ns(); }

bool UringEngine::start() {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_CQSIZE;
  params.cq_entries = completion_entries;
  if (capabilities_.defer_taskrun) params.flags |= IORING_SETUP_DEFER_TASKRUN;
  const int set_up = io_uring_queue_init_params(ring_entries, &ring_, &params);
  if (set_up < 0) {
    errno = -set_up;
    return false;
  }
  started_ = true;
  io_uring_register_ring_fd(&ring_);
  slots_ring_ = static_cast<io_uring_buf_ring*>(::mmap(nullptr, slots_entries * sizeof(io_uring_buf),
                                                       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (slots_ring_ == MAP_FAILED) {
    slots_ring_ = nullptr;
    return false;
  }
  io_uring_buf_ring_init(slots_ring_);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(slots_ring_);
  registration.ring_entries = slots_entries;
  registration.bgid = slots_group;
  const int registered = io_uring_register_buf_ring(&ring_, &registration, 0);
  if (registered < 0) {
    errno = -registered;
    return false;
  }
  arm_wake();
  return true;
}

int UringEngine::attach(Transport& transport) {
  if (free_places_.empty()) {
    free_places_.push_back(static_cast<std::uint32_t>(places_.size()));
    places_.emplace_back();
  }
  transport.slot = free_places_.back();
  free_places_.pop_back();
  Place& place = places_[transport.slot];
  place.transport = &transport;
  transport.generation = ++place.generation & 0xFFF'FFFFu;
  transport.state = Transport::State::up;
  to_arm_.push_back(&transport);
  return 0;
}

void UringEngine::detach(Transport& transport) {
  transport.state = Transport::State::draining;
  std::erase(to_arm_, &transport);
  if (transport.operations > 0) {
    cancel(transport.receive_fd());
    if (transport.send_fd() != transport.receive_fd()) cancel(transport.send_fd());
  }
  ++transport.operations;  // so that it ends here, too, when nothing was in flight
  operation_ended(transport);
}

void UringEngine::wait(std::uint64_t deadline_ns) {
  refill_slots();
  const std::uint64_t now = now_ns();
  const std::uint64_t left = deadline_ns <= now ? 0 : deadline_ns - now;
  // With something left to do, do not wait, but let the kernel post what quiet ports have.
  const bool is_behind = io_uring_cq_ready(&ring_) > 0 || !late_receives_.empty();
  const bool held_up = gathering_.is_held_up() && !is_behind;
  const bool gather = gathering_.is_on() && !is_behind && !held_up && left >= Gathering::wait_ns;
  const bool pause = gather || held_up;
  if (pause) {
    // A stream's receive would be complete with the first byte, so it comes afterwards.
    arm_waiting_receives(false);
    // What is sent with this call completes in it, too. Held up, the streams that are not armed are those to wait with.
    const unsigned completions = held_up ? 1 : Gathering::wait_receives + io_uring_sq_ready(&ring_);
    submit_and_wait(completions, std::min(left, Gathering::wait_ns));
  }
  if (!pause || !to_arm_.empty()) {
    arm_waiting_receives(true);
    submit_and_wait(is_behind || pause || !to_arm_.empty() ? 0 : 1, left);
  }
  woke_ns_ = now_ns();
  stream_messages_used_ = plans_used_ = 0;
  complete_late_receives();
  unsigned head = 0;
  unsigned seen = 0;
  io_uring_cqe* cqe = nullptr;
  io_uring_for_each_cqe(&ring_, head, cqe) {
    ++seen;
    const bool receive = Tag::unpack(cqe->user_data).operation == Operation::receive;
    // What was received waits for the next turn when this one has its fill; that something was sent is never late, or
    // queues would overflow that have nothing to wait for.
    if (receive && (context_.inbox.full() || !late_receives_.empty())) late_receives_.push_back(*cqe);
    else complete(*cqe);
  }
  io_uring_cq_advance(&ring_, seen);
  gathering_.woke(woke_ns_, context_.inbox.frames.size(), gather);
}

// 0 completions: those that there are.
void UringEngine::submit_and_wait(unsigned completions, std::uint64_t timeout_ns) {
  ++syscalls_;
  if (completions == 0) {
    io_uring_submit_and_get_events(&ring_);
    return;
  }
  __kernel_timespec timeout{};
  timeout.tv_sec = static_cast<std::int64_t>(timeout_ns / 1'000'000'000ULL);
  timeout.tv_nsec = static_cast<long long>(timeout_ns % 1'000'000'000ULL);
  io_uring_cqe* first = nullptr;
  io_uring_submit_and_wait_timeout(&ring_, &first, completions, &timeout, nullptr);
}

// At most one of each stream and each datagram socket, and one for each slot that the kernel had.
void UringEngine::complete_late_receives() {
  std::size_t done = 0;
  while (done < late_receives_.size() && !context_.inbox.full()) complete(late_receives_[done++]);
  late_receives_.erase(late_receives_.begin(), late_receives_.begin() + static_cast<std::ptrdiff_t>(done));
}

io_uring_sqe* UringEngine::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  if (sqe == nullptr) {
    submit();
    sqe = io_uring_get_sqe(&ring_);
  }
  LANYARD_CHECK(sqe != nullptr);
  return sqe;
}

// Early, because the queue or the message memory is full. The kernel has then read every message.
void UringEngine::submit() {
  while (io_uring_sq_ready(&ring_) > 0) {
    ++syscalls_;
    const int submitted = io_uring_submit(&ring_);
    LANYARD_CHECK(submitted >= 0 || submitted == -EINTR || submitted == -EAGAIN || submitted == -EBUSY);
    if (submitted == -EBUSY || submitted == -EAGAIN) io_uring_get_events(&ring_);
  }
  stream_messages_used_ = plans_used_ = 0;
}

void UringEngine::arm_wake() {
  io_uring_sqe* sqe = next_sqe();
  io_uring_prep_read(sqe, wake_fd_, &wakes_, sizeof wakes_, 0);
  io_uring_sqe_set_data64(sqe, Tag{Operation::wake}.pack());
}

// Of datagram sockets no more than there are slots with the kernel: others would find none. The first comes last: it
// may be the one that took them all before, and then those behind it have not had any.
void UringEngine::arm_waiting_receives(bool with_streams) {
  if (to_arm_.size() > 1) std::rotate(to_arm_.begin(), to_arm_.begin() + 1, to_arm_.end());
  unsigned sockets = 0;
  std::erase_if(to_arm_, [&](Transport* transport) {
    if (!with_streams && transport->wire() == Wire::stream) {
      transport->drained = false;  // by then it may have something
      return false;
    }
    if (transport->wire() == Wire::datagram && ++sockets > slots_entries) return false;
    arm_receive(*transport);
    return true;
  });
}

void UringEngine::arm_receive(Transport& transport) {
  if (transport.failed) return;
  const Tag tag{Operation::receive, 0, transport.slot, transport.generation};
  io_uring_sqe* sqe = next_sqe();
  if (transport.wire() == Wire::stream) {
    const StreamReader::Window window = stream_window(transport, context_.chunks, scratch_for(transport));
    io_uring_prep_recv(sqe, transport.receive_fd(), window.data, window.bytes, 0);
    if (transport.drained) sqe->ioprio = IORING_RECVSEND_POLL_FIRST;
  } else if (transport.starved || transport.io() == Io::device) {
    io_uring_prep_poll_add(sqe, transport.receive_fd(), POLLIN);
  } else {
    io_uring_prep_recvmsg_multishot(sqe, transport.receive_fd(), &receive_template_, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = slots_group;
  }
  io_uring_sqe_set_data64(sqe, tag.pack());
  ++transport.operations;
}

// A receive may stay armed for long: streams that discard at the same time need scratch memory each of its own. It is
// made when the pool runs dry, and kept.
std::span<std::byte> UringEngine::scratch_for(Transport& transport) {
  if (transport.scratch.empty() && context_.chunks.free_count() == 0) transport.scratch.resize(scratch_bytes);
  return transport.scratch.empty() ? scratch() : std::span(transport.scratch);
}

// Gives the kernel as many slots as its ring holds, the last used first.
void UringEngine::refill_slots() {
  const int mask = io_uring_buf_ring_mask(slots_entries);
  int added = 0;
  while (!free_ids_.empty()) {
    Buffer* slot = context_.slots.take();
    if (slot == nullptr) break;
    const std::uint16_t id = free_ids_.back();
    free_ids_.pop_back();
    provided_[id] = slot;
    io_uring_buf_ring_add(slots_ring_, slot->memory() + slot_offset,
                          static_cast<unsigned>(limits::slot_bytes - slot_offset), id, mask, added++);
  }
  if (added > 0) io_uring_buf_ring_advance(slots_ring_, added);
}

void UringEngine::complete(const io_uring_cqe& cqe) {
  const Tag tag = Tag::unpack(cqe.user_data);
  switch (tag.operation) {
    case Operation::wake: arm_wake(); return;
    case Operation::cancel: return;
    case Operation::send: {
      Port* port = context_.ports.at(tag.slot);
      LANYARD_CHECK(port != nullptr && (port->generation & 0xFFF'FFFFu) == tag.generation);
      sent(*port, tag, cqe.res);
      return;
    }
    case Operation::receive:
    case Operation::writable: break;
  }
  const Place& place = places_.at(tag.slot);
  LANYARD_CHECK(place.transport != nullptr && (place.generation & 0xFFF'FFFFu) == tag.generation);
  Transport& transport = *place.transport;
  if (tag.operation == Operation::receive) return received(transport, cqe);
  gathering_.kept_waiting(woke_ns_);
  set_blocked(transport, false);
  if (transport.state == Transport::State::up) context_.inbox.want_flush(transport);
  operation_ended(transport);
}

void UringEngine::received(Transport& transport, const io_uring_cqe& cqe) {
  const bool up = transport.state == Transport::State::up;
  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if (std::exchange(transport.starved, false)) {
    // The poll has ended, for whatever reason: receive again.
  } else if (transport.io() == Io::device) {
    if (up && cqe.res > 0) receive_from_device(transport, context_, scratch(), woke_ns_);
  } else if (transport.wire() == Wire::datagram) {
    received_datagram(transport, cqe);
  } else if (up && cqe.res != -ECANCELED && cqe.res != -EINTR && cqe.res != -EAGAIN) {
    transport.drained = (cqe.flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
    stream_received(transport, cqe.res, context_.inbox);
  }
  if (more) return;
  if (up) to_arm_.push_back(&transport);
  operation_ended(transport);
}

void UringEngine::received_datagram(Transport& transport, const io_uring_cqe& cqe) {
  if (cqe.res < 0 && cqe.res != -ENOBUFS && cqe.res != -ECANCELED && transport.state == Transport::State::up)
    receive_refused(transport, -cqe.res, context_.inbox);
  if ((cqe.flags & IORING_CQE_F_BUFFER) == 0) {
    // Out of slots: the ring is refilled before the next receive, unless the pool is empty too. A receive would then
    // fail at once, also with nothing to receive, so a poll goes before it.
    if (cqe.res == -ENOBUFS && transport.state == Transport::State::up && context_.slots.free_count() == 0) {
      datagrams_to_scratch(transport, context_, scratch(), woke_ns_);
      transport.starved = true;
    }
    return;
  }
  const auto id = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
  BufferRef slot(std::exchange(provided_.at(id), nullptr));
  free_ids_.push_back(id);
  if (cqe.res < 0 || transport.state != Transport::State::up) return;
  std::byte* start = slot->memory() + slot_offset;
  io_uring_recvmsg_out* out = io_uring_recvmsg_validate(start, cqe.res, &receive_template_);
  if (out == nullptr) return;
  const SocketAddress source(io_uring_recvmsg_name(out), out->namelen);
  msghdr control{};
  control.msg_control = start + sizeof *out + name_bytes;
  control.msg_controllen = out->controllen;
  const std::size_t bytes = io_uring_recvmsg_payload_length(out, cqe.res, &receive_template_);
  auto* data = static_cast<std::byte*>(io_uring_recvmsg_payload(out, &receive_template_));
  const bool truncated = (out->flags & MSG_TRUNC) != 0;
  datagram_received(transport, {slot.release(), data, bytes, truncated, read_control(control), source}, context_,
                    woke_ns_);
}

void UringEngine::cancel(int fd) {
  io_uring_sqe* sqe = next_sqe();
  io_uring_prep_cancel_fd(sqe, fd, IORING_ASYNC_CANCEL_ALL);
  io_uring_sqe_set_data64(sqe, Tag{Operation::cancel}.pack());
}

void UringEngine::operation_ended(Transport& transport) {
  LANYARD_CHECK(transport.operations > 0);
  if (--transport.operations > 0 || transport.state != Transport::State::draining) return;
  places_[transport.slot].transport = nullptr;
  free_places_.push_back(transport.slot);
  transport.state = Transport::State::closed;
  context_.inbox.events.push_back({TransportEvent::Kind::detached, &transport, nullptr, "", 0});
}

}  // namespace lanyard
