// The epoll engine; see the header for the theory. In the order a frame travels: wait, receive, flush, send.
#include "transports/epoll_engine.h"

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "transports/clock.h"
#include "transports/unix_peer.h"

namespace lanyard {

EpollEngine::EpollEngine(const DataContext& context, int wake_fd)
    : Engine(context), epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_fd_(wake_fd) {
  if (!epoll_) throw std::system_error(errno, std::generic_category(), "epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // the only one without a transport
  LANYARD_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_fd_, &event) == 0);
  for (std::size_t i = 0; i < datagrams; ++i) {
    messages_[i].msg_hdr.msg_iov = &receive_iovecs_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
    messages_[i].msg_hdr.msg_name = &names_[i];
    messages_[i].msg_hdr.msg_control = controls_[i].bytes.data();
  }
}

EpollEngine::~EpollEngine() {
  for (Buffer* slot : slots_)
    if (slot != nullptr) slot->release();
}

bool EpollEngine::start() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);  // of this thread; else the 50 us of Gathering may be 100
  return true;
}

std::uint64_t EpollEngine::now_ns() const { return monotonic_ns(); }

int EpollEngine::attach(Transport& transport) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &transport;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, transport.receive_fd(), &event) != 0) return errno;
  transport.state = Transport::State::up;
  return 0;
}

void EpollEngine::detach(Transport& transport) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, transport.receive_fd(), nullptr);
  forget_blocked(transport);
  for (epoll_event& event : events_)
    if (event.data.ptr == &transport) event.events = 0;
  transport.state = Transport::State::draining;
  context_.inbox.events.push_back({TransportEvent::Kind::detached, &transport, nullptr, "", 0});
}

void EpollEngine::wait(std::uint64_t deadline_ns) {
  const std::uint64_t now = now_ns();
  const std::uint64_t left_ms = deadline_ns <= now ? 0 : (deadline_ns - now + 999'999) / 1'000'000;
  bool gather = false;
  if (next_event_ >= event_count_) {
    const bool pause = (gathering_.is_on() || gathering_.is_held_up()) && deadline_ns >= now + Gathering::wait_ns;
    gather = pause && let_gather() && gathering_.is_on();
    next_event_ = 0;
    ++syscalls_;
    event_count_ = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()),
                                static_cast<int>(std::min<std::uint64_t>(left_ms, 60'000)));
    woke_ns_ = now_ns();
  } else {
    woke_ns_ = now;
  }
  // What a full inbox leaves over comes first in the next turn: the kernel would tell the same ones first again, and
  // a few busy streams of tiny frames would starve all others.
  while (next_event_ < event_count_ && !context_.inbox.full()) {
    const epoll_event event = events_[static_cast<std::size_t>(next_event_++)];
    if (event.events == 0) continue;  // detached meanwhile
    if (event.data.ptr == nullptr) {
      std::uint64_t wakes;
      [[maybe_unused]] const ssize_t ignored = ::read(wake_fd_, &wakes, sizeof wakes);
      continue;
    }
    Transport& transport = *static_cast<Transport*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0) {
      set_blocked(transport, false);
      context_.inbox.want_flush(transport);
    }
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0) continue;
    if (transport.wire() == Wire::stream) receive_stream(transport);
    else if (transport.io() == Io::socket) receive_datagrams(transport);
    else receive_from_device(transport, context_, scratch(), woke_ns_);
  }
  gathering_.woke(woke_ns_, context_.inbox.frames.size(), gather);
}

// False: a blocked descriptor took more before the time was over, or so many are blocked that it is not worth asking.
bool EpollEngine::let_gather() {
  if (blocked_.size() > blocked_asked_max) return false;
  ++syscalls_;
  const timespec pause{0, static_cast<long>(Gathering::wait_ns)};
  return ::ppoll(blocked_.data(), blocked_.size(), &pause, nullptr) == 0;
}

void EpollEngine::receive_stream(Transport& transport) {
  const StreamReader::Window window = stream_window(transport, context_.chunks, scratch());
  const bool tcp = transport.tcp_watch != nullptr;
  const std::size_t most = tcp ? window.bytes : std::min(window.bytes, unix_receive_bytes);
  ++syscalls_;
  const ssize_t got = ::recv(transport.receive_fd(), window.data, most, MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  stream_received(transport, got < 0 ? -errno : got, context_.inbox);
}

void EpollEngine::receive_datagrams(Transport& transport) {
  const unsigned ready = refill_slots();
  if (ready == 0) return datagrams_to_scratch(transport, context_, scratch(), woke_ns_);
  const unsigned most = transport.runs ? std::min<unsigned>(ready, limits::runs_per_receive) : ready;
  ++syscalls_;
  const int got = ::recvmmsg(transport.receive_fd(), messages_.data(), most, MSG_DONTWAIT, nullptr);
  if (got < 0) return receive_refused(transport, errno, context_.inbox);
  if (got > 0) messages_used_ = std::max(messages_used_, static_cast<std::size_t>(got));
  for (int i = 0; i < got; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const mmsghdr& message = messages_[at];
    const bool truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    datagram_received(transport,
                      {std::exchange(slots_[at], nullptr), static_cast<std::byte*>(receive_iovecs_[at].iov_base),
                       message.msg_len, truncated, read_control(message.msg_hdr),
                       SocketAddress(&names_[at], message.msg_hdr.msg_namelen)},
                      context_, woke_ns_);
  }
}

// Puts a buffer behind every message that lacks one. Returns how many messages are ready, from the front.
unsigned EpollEngine::refill_slots() {
  for (std::size_t i = 0; i < messages_used_; ++i) {
    if (slots_[i] == nullptr) {
      slots_[i] = context_.slots.take();
      if (slots_[i] == nullptr) {
        messages_used_ = datagrams;  // from here on, or the next time, those behind lack one too
        slots_[i] = take_slot_behind(i);
      }
      if (slots_[i] == nullptr) return static_cast<unsigned>(i);
      receive_iovecs_[i] = {slots_[i]->memory() + limits::slot_headroom_bytes, limits::slot_receive_bytes};
    }
    messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_un);
    messages_[i].msg_hdr.msg_controllen = sizeof(Control);
    messages_[i].msg_hdr.msg_flags = 0;
  }
  messages_used_ = 0;
  return datagrams;
}

// The pool is empty, but a message further behind may have a slot.
Buffer* EpollEngine::take_slot_behind(std::size_t message) {
  for (std::size_t i = datagrams - 1; i > message; --i)
    if (slots_[i] != nullptr) return std::exchange(slots_[i], nullptr);
  return nullptr;
}

void EpollEngine::flush(Transport& transport) {
  if (transport.blocked) return gathering_.kept();
  while (!transport.dirty.empty() && !transport.blocked && !transport.failed) {
    Port& port = *transport.dirty.back();
    transport.wire() == Wire::stream ? flush_stream(transport, port) : flush_datagrams(transport, port);
    port.show_queue();
    if (!port.egress.empty()) break;
    port.dirty = false;
    transport.dirty.pop_back();
  }
  if (transport.blocked) set_blocked(transport, true);
}

void EpollEngine::flush_stream(Transport& transport, Port& port) {
  while (!port.egress.empty()) {
    const std::size_t count = gather_stream(port.egress, send_iovecs_);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      observe(static_cast<const std::byte*>(send_iovecs_[i].iov_base), send_iovecs_[i].iov_len);
      total += send_iovecs_[i].iov_len;
    }
    msghdr message{};
    message.msg_iov = send_iovecs_.data();
    message.msg_iovlen = count;
    ++syscalls_;
    const ssize_t sent = ::sendmsg(transport.send_fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) transport.blocked = true;
      else context_.inbox.report_failed(transport, "send failed", errno);
      return;
    }
    gathering_.gave();
    port.count_sent(port.egress.sent(static_cast<std::size_t>(sent)));
    if (static_cast<std::size_t>(sent) < total) {
      transport.blocked = true;
      return;
    }
  }
}

void EpollEngine::flush_datagrams(Transport& transport, Port& port) {
  while (!port.egress.empty() && send_plan(transport, port)) {
  }
}

// One sendmmsg of what is queued. False when the port has to wait.
bool EpollEngine::send_plan(Transport& transport, Port& port) {
  plan_.build(port, 0);
  const std::span<mmsghdr> messages = plan_.messages();
  for (const mmsghdr& message : messages)
    for (std::size_t i = 0; i < message.msg_hdr.msg_iovlen; ++i)
      observe(static_cast<const std::byte*>(message.msg_hdr.msg_iov[i].iov_base), message.msg_hdr.msg_iov[i].iov_len);
  std::size_t at = 0;
  while (at < messages.size()) {
    ++syscalls_;
    const int sent = send_messages(transport, messages.subspan(at));
    const int error = sent < 0 ? errno : 0;
    if (error == EINTR) continue;
    if (sent > 0) gathering_.gave();
    for (int i = 0; i < sent; ++i) {
      const SendOutcome outcome = datagrams_sent(port, plan_.segments(at++), 0);
      LANYARD_CHECK(outcome == SendOutcome::done);
    }
    if (error == 0) continue;
    switch (datagrams_sent(port, plan_.segments(at), -error)) {
      case SendOutcome::done: ++at; break;
      case SendOutcome::again: return true;
      case SendOutcome::blocked: transport.blocked = true; return false;
      case SendOutcome::unconnected:
        if (connect_unix_peer(transport)) return true;
        drop_front(port, plan_.segments(at++), DropReason::send_error);
        break;
      case SendOutcome::failed: context_.inbox.report_interface_failed(transport, error); return false;
    }
  }
  return true;
}

// A blocked descriptor is to tell when it takes more.
void EpollEngine::set_blocked(Transport& transport, bool blocked) {
  transport.blocked = blocked;
  epoll_event event{};
  event.events = EPOLLIN;
  if (blocked) event.events |= EPOLLOUT;
  event.data.ptr = &transport;
  LANYARD_CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, transport.receive_fd(), &event) == 0);
  if (!blocked) return forget_blocked(transport);
  gathering_.port_blocked();
  gathering_.kept();
  blocked_.push_back({transport.receive_fd(), POLLOUT, 0});
}

void EpollEngine::forget_blocked(const Transport& transport) {
  if (std::erase_if(blocked_, [&](const pollfd& each) { return each.fd == transport.receive_fd(); }) > 0)
    gathering_.port_unblocked();
}

}  // namespace lanyard
