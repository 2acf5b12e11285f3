// Ports that come and go: the management step of the data plane's loop. Runs on the data thread, blocks on nothing.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "switchd/dataplane.h"
#include "transports/clock.h"
#include "transports/receive.h"
#include "transports/tcp_watch.h"
#include "transports/unix_peer.h"

namespace lanyard {

namespace {

constexpr std::uint64_t housekeeping_interval_ns = 1'000'000'000;

}  // namespace

// By index: handling one may add others behind it.
void Dataplane::handle_events() {
  for (std::size_t i = 0; i < inbox_.events.size(); ++i) {
    const TransportEvent event = inbox_.events[i];
    switch (event.kind) {
      case TransportEvent::Kind::peer_up: break;  // welcomed before its first frame was forwarded
      case TransportEvent::Kind::failed: begin_close(*event.transport, event.cause, event.error); break;
      case TransportEvent::Kind::detached: finish_close(*event.transport); break;
    }
  }
  inbox_.events.clear();
}

void Dataplane::welcome_peer(Port& port) {
  networks_[port.network].bridge.add_port(port.index);
  observers_.joined(port);
  Notice notice;
  notice.kind = Notice::Kind::peer_up;
  notice.serial = port.transport->serial;
  notice.peer = port.peer;
  notice.counters = port.counters;
  tell(std::move(notice));
}

void Dataplane::take_commands() {
  while (auto command = handover_.commands.pop()) {
    std::size_t count = 0;
    switch (command->kind) {
      case Command::Kind::attach: attach(std::move(command->transport)); break;
      case Command::Kind::detach: {
        const auto entry = transports_.find(command->serial);
        if (entry != transports_.end()) begin_close(*entry->second.transport, command->cause, 0);
        break;
      }
      case Command::Kind::set_port: set_port(*command); break;
      case Command::Kind::set_peer: set_peer(*command); break;
      case Command::Kind::add_network: add_network(*command); break;
      case Command::Kind::set_network: set_network(*command); break;
      case Command::Kind::remove_network:  // its place is kept, its memory goes
        networks_.at(command->network) = make_network({.kind = NetworkKind::hub}, nullptr);
        break;
      case Command::Kind::list_macs: list_macs(*command); break;
      case Command::Kind::flush_macs: count = flush_macs(*command); break;
      case Command::Kind::add_tap: observers_.add_tap(std::move(command->tap), now_ns_); break;
      case Command::Kind::remove_tap: observers_.remove_tap(command->tap.get()); break;
      case Command::Kind::set_mirrors: observers_.set_mirrors(std::move(command->mirrors)); break;
      case Command::Kind::swap_rewind: observers_.swap_rewind(command->network, command->rewind); break;
      case Command::Kind::nothing: break;
      case Command::Kind::stop: stop_asked_ = true; break;
    }
    if (command->token == 0) continue;
    Notice done;
    done.kind = Notice::Kind::done;
    done.token = command->token;
    done.count = count;
    done.past = std::move(command->rewind);
    tell(std::move(done));
  }
}

void Dataplane::attach(std::unique_ptr<Transport> owned) {
  Transport& transport = *owned;
  const auto [place, added] = transports_.try_emplace(transport.serial);
  LANYARD_CHECK(added);
  Entry& entry = place->second;
  entry.transport = std::move(owned);
  int error = 0;
  for (const auto& port : transport.ports) {
    if (ports_.full()) error = ENOSPC;
    else ports_.add(*port);
  }
  if (error == 0) error = engine_->attach(transport);
  if (error != 0) {
    entry.closing = true;
    entry.cause = "cannot be attached";
    entry.error = error;
    return finish_close(transport);
  }
  for (const auto& port : transport.ports) {
    networks_[port->network].bridge.add_port(port->index);
    observers_.joined(*port);
  }
  Notice notice;
  notice.kind = Notice::Kind::attached;
  notice.serial = transport.serial;
  tell(std::move(notice));
}

// Out of its network at once, and out of the engine as soon as nothing is in flight.
void Dataplane::begin_close(Transport& transport, const char* cause, int error) {
  Entry& entry = transports_.at(transport.serial);
  if (entry.closing) return;
  entry.closing = true;
  entry.cause = cause;
  entry.error = error;
  for (const auto& port : transport.ports) {
    observers_.left(*port);
    networks_[port->network].bridge.remove_port(port->index);
  }
  if (transport.wire() == Wire::datagram) book_kernel_drops(transport);
  engine_->detach(transport);
}

// Nothing is in flight: the last buffers go back, and the transport goes to the control plane.
void Dataplane::finish_close(Transport& transport) {
  const auto place = transports_.find(transport.serial);
  Entry entry = std::move(place->second);
  transports_.erase(place);
  transport.reader.reset();
  transport.state = Transport::State::closed;
  std::erase(inbox_.to_flush(), &transport);
  for (const auto& port : transport.ports) {
    const EgressQueue::Left left = port->egress.clear();
    if (left.frames > 0) port->counters->drop(DropReason::port_down, left.frames);
    port->show_queue();
    if (port->index != no_port) ports_.remove(*port);
  }
  Notice notice;
  notice.kind = Notice::Kind::closed;
  notice.serial = transport.serial;
  notice.cause = entry.cause;
  notice.error = entry.error;
  notice.transport = std::move(entry.transport);
  tell(std::move(notice));
}

// A frame that is queued already stays queued. A port that changes its network takes nothing along that was learned.
void Dataplane::set_port(const Command& command) {
  const auto entry = transports_.find(command.serial);
  if (entry == transports_.end() || entry->second.closing) return;
  Transport& transport = *entry->second.transport;
  transport.network = command.network;
  transport.max_frame_bytes = command.max_frame_bytes;
  transport.queue_frames = command.queue_frames;
  if (transport.wire() == Wire::stream) transport.reader.set_max_frame_bytes(command.max_frame_bytes);
  for (const auto& port : transport.ports) {
    port->max_frame_bytes = command.max_frame_bytes;
    port->egress.set_frames_max(command.queue_frames);
    if (port->network == command.network) continue;
    observers_.left(*port);
    networks_[port->network].bridge.remove_port(port->index);
    port->network = command.network;
    networks_[port->network].bridge.add_port(port->index);
    observers_.joined(*port);
  }
}

// What is queued goes to the new place, whose route may take what the other did not.
void Dataplane::set_peer(const Command& command) {
  const auto entry = transports_.find(command.serial);
  if (entry == transports_.end() || entry->second.closing) return;
  Transport& transport = *entry->second.transport;
  Port& port = *transport.ports.front();
  port.peer = command.peer;
  port.local = {};
  port.gso_bytes_max = transport.gso ? limits::udp_payload_bytes_max : 0;
  transport.unreachable = false;
}

void Dataplane::keep_house(std::uint64_t now_ns) {
  next_housekeeping_ns_ = now_ns + housekeeping_interval_ns;
  observers_.set_clock(engine_->now_ns(), unix_ns());
  for (NetworkIndex index = 0; index < networks_.size(); ++index) show_network(index);
  for (auto& [serial, entry] : transports_) {
    Transport& transport = *entry.transport;
    if (entry.closing) continue;
    if (transport.wire() == Wire::datagram) book_kernel_drops(transport);
    if (transport.sources == Sources::allowed) expire_peers(transport, now_ns);
    if (transport.sources == Sources::interface && std::exchange(transport.oversize, false)) tell_oversize(transport);
    if (transport.keeps_errors) tell_unreachable(transport);
    if (transport.is_unix_datagram) connect_unix_peer(transport);  // it may be another by now
    if (transport.tcp_watch) {
      const bool waiting = !transport.ports.front()->egress.empty();
      if (transport.tcp_watch->peer_is_dead(transport.send_fd(), waiting))
        inbox_.report_failed(transport, "the peer's host does not answer", ETIMEDOUT);
    }
  }
}

void Dataplane::tell_unreachable(Transport& transport) {
  take_errors(transport);
  if (!std::exchange(transport.unreachable, false)) return;
  Notice notice;
  notice.kind = Notice::Kind::unreachable;
  notice.serial = transport.serial;
  tell(std::move(notice));
}

void Dataplane::tell_oversize(const Transport& transport) {
  Notice notice;
  notice.kind = Notice::Kind::oversize;
  notice.serial = transport.serial;
  notice.max_frame_bytes = transport.ports.front()->max_frame_bytes;
  tell(std::move(notice));
}

// Forgets peers of a udp port that have been silent for long; they are welcome again. Where somebody was
// turned away, a few that have been silent for a while go earlier, the longest silent first: of the same host
// where that has all that it may have, else of all.
void Dataplane::expire_peers(Transport& transport, std::uint64_t now_ns) {
  const auto silence = [&](const Port& port) { return now_ns - std::min(now_ns, port.heard_ns); };
  std::vector<std::uint64_t> silences;  // of those whose place is wanted
  const SocketAddress wanted_by = transport.turned_away;
  const bool of_host = transport.crowded && transport.peers.host_is_full(wanted_by);
  const auto is_wanted = [&](const Port& port) { return !of_host || port.peer.host() == wanted_by.host(); };
  if (std::exchange(transport.crowded, false)) {
    Notice notice;
    notice.kind = Notice::Kind::crowded;
    notice.serial = transport.serial;
    notice.peer = wanted_by;
    tell(std::move(notice));
    for (const auto& port : transport.ports)
      if (is_wanted(*port) && silence(*port) >= limits::peer_idle_crowded_ns_max) silences.push_back(silence(*port));
  }
  std::size_t places = std::min(silences.size(), limits::peers_evicted_max);
  if (places > 0)
    std::nth_element(silences.begin(), silences.end() - static_cast<std::ptrdiff_t>(places), silences.end());
  const std::uint64_t enough = places > 0 ? silences[silences.size() - places] : 0;
  std::erase_if(transport.ports, [&](const std::unique_ptr<Port>& port) {
    const bool makes_room = places > 0 && is_wanted(*port) && silence(*port) >= enough;
    if (!makes_room && silence(*port) < limits::peer_idle_ns_max) return false;
    const bool in_flight = port->in_flight && port->in_flight->count > 0;
    if (!port->egress.empty() || port->dirty || in_flight) return false;
    if (makes_room) --places;
    forget_peer(transport, *port, silence(*port));
    return true;
  });
}

void Dataplane::forget_peer(Transport& transport, Port& port, std::uint64_t silent_ns) {
  observers_.left(port);
  networks_[port.network].bridge.remove_port(port.index);
  ports_.remove(port);
  transport.peers.remove(port.peer);
  Notice notice;
  notice.kind = Notice::Kind::peer_down;
  notice.serial = transport.serial;
  notice.peer = port.peer;
  notice.silent_ns = silent_ns;
  notice.counters = port.counters;
  tell(std::move(notice));
}

void Dataplane::close_all() {
  for (auto& [serial, entry] : transports_) begin_close(*entry.transport, "switchd stops", 0);
}

void Dataplane::tell(Notice notice) { unsent_notices_.push_back(std::move(notice)); }

// A full queue means that the control plane is behind: the rest waits for a later turn, at the latest in a second.
void Dataplane::send_notices() {
  bool sent = false;
  while (!unsent_notices_.empty() && handover_.notices.push(unsent_notices_.front())) {
    unsent_notices_.pop_front();
    sent = true;
  }
  if (!sent) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(handover_.notice_wake.get(), &one, sizeof one);
}

}  // namespace lanyard
