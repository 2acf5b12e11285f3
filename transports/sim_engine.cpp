// The simulated engine; see the header.
#include "transports/sim_engine.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "transports/receive.h"

namespace lanyard {

Fd SimWorld::make_endpoint(Wire wire, std::size_t capacity_bytes) {
  Fd name(::eventfd(0, EFD_CLOEXEC));
  LANYARD_CHECK(name);
  endpoints_[name.get()] = Endpoint{wire, capacity_bytes, true, {}, {}, {}, 0, false};
  return name;
}

void SimWorld::vm_send(int fd, std::string bytes, std::string source) {
  Endpoint& endpoint = at(fd);
  if (endpoint.wire == Wire::datagram && chance(faults_.loss)) return;
  std::uint64_t arrival = now_ns_ + (faults_.delay_ns_max > 0 ? pick(0, faults_.delay_ns_max) : 0);
  if (!endpoint.to_switch.empty()) arrival = std::max(arrival, endpoint.to_switch.back().first);
  endpoint.to_switch.emplace_back(arrival, SentDatagram{std::move(bytes), std::move(source)});
}

int SimEngine::attach(Transport& transport) {
  attached_.push_back(&transport);
  transport.state = Transport::State::up;
  return 0;
}

void SimEngine::detach(Transport& transport) {
  std::erase(attached_, &transport);
  transport.state = Transport::State::draining;
  context_.inbox.events.push_back({TransportEvent::Kind::detached, &transport, nullptr, "", 0});
}

// Time passes only when nothing is due.
void SimEngine::wait(std::uint64_t deadline_ns) {
  receive_some(deadline_ns);
  woke_ns_ = now_ns();
}

void SimEngine::receive_some(std::uint64_t deadline_ns) {
  for (int round = 0; round < 2; ++round) {
    std::vector<Transport*> order = attached_;
    std::shuffle(order.begin(), order.end(), world_.random());
    bool something = false;
    for (Transport* transport : order) {
      if (context_.inbox.full()) return;
      unblock(*transport, world_.at(transport->receive_fd()));
      if (receive(*transport)) something = true;
    }
    if (something || !context_.inbox.to_flush().empty()) return;
    world_.advance_to(std::min(next_arrival(), deadline_ns));
  }
}

std::uint64_t SimEngine::next_arrival() const {
  std::uint64_t next = ~std::uint64_t{0};
  for (const Transport* transport : attached_) {
    const auto& arriving = world_.at(transport->receive_fd()).to_switch;
    if (!arriving.empty()) next = std::min(next, arriving.front().first);
  }
  return next;
}

bool SimEngine::receive(Transport& transport) {
  if (transport.failed) return false;
  SimWorld::Endpoint& endpoint = world_.at(transport.receive_fd());
  if (endpoint.to_switch.empty() || endpoint.to_switch.front().first > world_.now_ns()) {
    if (!endpoint.vm_closed || !endpoint.to_switch.empty() || endpoint.wire == Wire::datagram) return false;
    stream_received(transport, 0, context_.inbox);
    return true;
  }
  endpoint.wire == Wire::stream ? receive_stream(transport, endpoint) : receive_datagrams(transport, endpoint);
  return true;
}

void SimEngine::receive_stream(Transport& transport, SimWorld::Endpoint& endpoint) {
  const StreamReader::Window window = stream_window(transport, context_.chunks, scratch());
  std::size_t limit = window.bytes;
  if (world_.chance(world_.faults().short_read)) limit = world_.pick(1, std::min<std::size_t>(limit, 4096));
  std::size_t got = 0;
  while (got < limit && !endpoint.to_switch.empty() && endpoint.to_switch.front().first <= world_.now_ns()) {
    std::string& bytes = endpoint.to_switch.front().second.bytes;
    const std::size_t part = std::min(limit - got, bytes.size());
    std::memcpy(window.data + got, bytes.data(), part);
    got += part;
    bytes.erase(0, part);
    if (bytes.empty()) endpoint.to_switch.pop_front();
  }
  stream_received(transport, static_cast<std::ptrdiff_t>(got), context_.inbox);
}

void SimEngine::receive_datagrams(Transport& transport, SimWorld::Endpoint& endpoint) {
  const std::size_t most = world_.pick(1, limits::datagrams_per_receive);
  for (std::size_t i = 0; i < most && !endpoint.to_switch.empty(); ++i) {
    if (endpoint.to_switch.front().first > world_.now_ns()) return;
    const SimWorld::SentDatagram datagram = std::move(endpoint.to_switch.front().second);
    endpoint.to_switch.pop_front();
    const SocketAddress source = datagram.source.empty() ? SocketAddress() : SocketAddress::unix_path(datagram.source);
    Buffer* slot = context_.slots.take();
    std::byte* data = slot == nullptr ? nullptr : slot->memory() + limits::slot_headroom_bytes;
    const std::size_t bytes = std::min(datagram.bytes.size(), limits::slot_receive_bytes);
    if (slot != nullptr) std::memcpy(data, datagram.bytes.data(), bytes);
    datagram_received(transport, {slot, data, bytes, bytes < datagram.bytes.size(), {}, source}, context_, now_ns());
  }
}

void SimEngine::unblock(Transport& transport, SimWorld::Endpoint& endpoint) {
  if (endpoint.reading) endpoint.unread_bytes = 0;
  if (!transport.blocked || endpoint.unread_bytes >= endpoint.capacity_bytes) return;
  transport.blocked = false;
  context_.inbox.want_flush(transport);
}

void SimEngine::flush(Transport& transport) {
  SimWorld::Endpoint& endpoint = world_.at(transport.receive_fd());
  while (!transport.dirty.empty() && !transport.blocked) {
    Port& port = *transport.dirty.back();
    endpoint.wire == Wire::stream ? flush_stream(transport, port, endpoint)
                                  : flush_datagrams(transport, port, endpoint);
    port.show_queue();
    if (!port.egress.empty()) return;
    port.dirty = false;
    transport.dirty.pop_back();
  }
}

void SimEngine::flush_stream(Transport& transport, Port& port, SimWorld::Endpoint& endpoint) {
  std::array<iovec, 8> iovecs;
  while (!port.egress.empty()) {
    const std::size_t count = gather_stream(port.egress, iovecs);
    std::size_t total = 0;
    for (std::size_t i = 0; i < count; ++i) {
      observe(static_cast<const std::byte*>(iovecs[i].iov_base), iovecs[i].iov_len);
      total += iovecs[i].iov_len;
    }
    const std::size_t room = endpoint.capacity_bytes - std::min(endpoint.capacity_bytes, endpoint.unread_bytes);
    std::size_t take = std::min(total, room);
    if (take > 1 && world_.chance(world_.faults().short_write)) take = world_.pick(1, take - 1);
    std::size_t left = take;
    for (std::size_t i = 0; i < count && left > 0; ++i) {
      const std::size_t part = std::min(left, iovecs[i].iov_len);
      endpoint.stream_to_vm.append(static_cast<const char*>(iovecs[i].iov_base), part);
      left -= part;
    }
    endpoint.unread_bytes += take;
    port.count_sent(port.egress.sent(take));
    if (take < total) {
      transport.blocked = true;
      return;
    }
  }
}

void SimEngine::flush_datagrams(Transport& transport, Port& port, SimWorld::Endpoint& endpoint) {
  while (!port.egress.empty()) {
    plan_.build(port, 0);
    const std::span<mmsghdr> messages = plan_.messages();
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const int result = send_message(messages[i].msg_hdr, plan_.segments(i), endpoint);
      const SendOutcome outcome = datagrams_sent(port, plan_.segments(i), result);
      if (outcome == SendOutcome::blocked) transport.blocked = true;
      if (outcome == SendOutcome::unconnected) drop_front(port, plan_.segments(i), DropReason::send_error);
      if (outcome == SendOutcome::blocked) return;
      if (outcome == SendOutcome::again) break;
    }
  }
}

// As the kernel would: 0 or -errno. Segments of a run leave as datagrams of their own.
int SimEngine::send_message(const msghdr& message, std::size_t segments, SimWorld::Endpoint& endpoint) {
  if (endpoint.unread_bytes >= endpoint.capacity_bytes) return -EAGAIN;
  if (segments > 1 && message.msg_iov[0].iov_len > world_.faults().mtu_bytes) return -EMSGSIZE;
  if (world_.chance(world_.faults().no_buffers)) return -ENOBUFS;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    observe(static_cast<const std::byte*>(message.msg_iov[i].iov_base), message.msg_iov[i].iov_len);
    endpoint.datagrams_to_vm.emplace_back(static_cast<const char*>(message.msg_iov[i].iov_base),
                                          message.msg_iov[i].iov_len);
    endpoint.unread_bytes += message.msg_iov[i].iov_len;
  }
  return 0;
}

}  // namespace lanyard
