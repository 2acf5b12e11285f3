// The loop and the forwarding; see the header for the theory. Ports that come and go: dataplane_ports.cpp. What is
// done besides for those who watch: dataplane_observe.cpp.
#include "switchd/dataplane.h"

#include <algorithm>
#include <bit>
#include <cerrno>

#include "transports/clock.h"

namespace lanyard {

Dataplane::Dataplane(const DataplaneOptions& options, Handover& handover, const EngineFactory& make_engine)
    : handover_(handover),
      chunk_memory_(options.chunks * limits::chunk_bytes),
      slot_memory_(options.slots * limits::slot_bytes),
      chunks_(chunk_memory_.span(), limits::chunk_bytes, std::min(limits::chunks_reserve, options.chunks / 4)),
      slots_(slot_memory_.span(), limits::slot_bytes, std::min(limits::slots_reserve, options.slots / 4)),
      next_seed_(options.seed),
      observers_(ports_) {
  for (const NetworkOptions& network : options.networks)
    networks_.push_back(make_network(network, std::make_shared<NetworkCounters>()));
  engine_ = make_engine(DataContext{chunks_, slots_, ports_, inbox_}, handover.command_wake.get());
  observers_.set_clock(engine_->now_ns(), unix_ns());
}

Dataplane::~Dataplane() = default;

bool Dataplane::run() {
  if (!engine_->start()) return false;
  Notice started;
  started.kind = Notice::Kind::started;
  tell(std::move(started));
  while (!stop_asked_) turn(next_housekeeping_ns_);
  stop();
  return true;
}

std::size_t Dataplane::turn(std::uint64_t deadline_ns) {
  engine_->wait(deadline_ns);
  now_ns_ = engine_->woke_ns();
  const std::size_t frames = inbox_.frames.size();
  forward();
  flush();
  received_ = inbox_.receives > 0;
  inbox_.recycle();
  show_turn(frames);
  manage();
  return frames;
}

// What others read of this turn.
void Dataplane::show_turn(std::size_t frames) {
  loop_.turns.add(1);
  loop_.frames.add(frames);
  loop_.syscalls.set(engine_->syscalls());
  loop_.chunks_used.set(chunks_.capacity() - chunks_.free_count());
  loop_.slots_used.set(slots_.capacity() - slots_.free_count());
  const std::uint64_t took_ns = engine_->now_ns() - now_ns_;
  const auto bucket = static_cast<std::size_t>(std::bit_width(took_ns / 1000));
  loop_.busy_ns.add(took_ns);
  loop_.turn_time[std::min(bucket, LoopCounters::turn_times - 1)].add(1);
}

// Frames of one port that follow one another are decided as a batch, small enough to stay in the cache.
void Dataplane::forward() {
  for (std::size_t i = 0; i < inbox_.events.size(); ++i)
    if (inbox_.events[i].kind == TransportEvent::Kind::peer_up) welcome_peer(*inbox_.events[i].port);
  std::span<const Frame> frames = inbox_.frames.frames();
  PortIndex before = no_port;
  while (!frames.empty()) {
    const PortIndex ingress = frames.front().ingress;
    const std::size_t most = std::min(frames.size(), verdicts_.size());
    std::size_t count = 1;
    while (count < most && frames[count].ingress == ingress) ++count;
    Port& in = *ports_.at(ingress);
    if (ingress != std::exchange(before, ingress)) in.counters->receives.add(1);
    Bridge& bridge = networks_[in.network].bridge;
    const std::span<const Frame> batch = frames.first(count);
    const std::span<Verdict> verdicts = std::span(verdicts_).first(count);
    bridge.classify(batch, verdicts, now_ns_);
    if (!bridge.moves().empty()) [[unlikely]] note_moves(in.network);
    deliver(in, batch, verdicts);
    frames = frames.subspan(count);
  }
}

// Frames mostly come in runs that go one way. A run is booked and queued at once.
void Dataplane::deliver(Port& in, std::span<const Frame> frames, std::span<const Verdict> verdicts) {
  std::size_t at = 0;
  while (at < frames.size()) {
    const Verdict verdict = verdicts[at];
    std::size_t end = at + 1;
    while (end < frames.size() && verdicts[end] == verdict) ++end;
    deliver_run(in, frames.subspan(at, end - at), verdict);
    at = end;
  }
}

void Dataplane::deliver_run(Port& in, std::span<const Frame> frames, const Verdict& verdict) {
  if (in.observed) [[unlikely]] observe_received(in, frames, verdict);
  switch (verdict.action) {
    case Verdict::Action::unicast:
      in.counters->unicast.add(frames.size());
      send_to(*ports_.at(verdict.port), frames);
      break;
    case Verdict::Action::flood:
      in.counters->flooded.add(frames.size());
      for (const PortIndex member : networks_[in.network].bridge.members())
        if (member != in.index) send_to(*ports_.at(member), frames);
      break;
    case Verdict::Action::drop: in.counters->drop(verdict.reason, frames.size()); break;
  }
}

// `frames` are of one ingress port.
void Dataplane::send_to(Port& port, std::span<const Frame> frames) {
  if (port.observed) [[unlikely]] return send_observed(port, frames);
  queue_copies(port, frames);
}

// Makes a copy of each: queues it, or drops it with a reason. Returns how many were queued.
std::size_t Dataplane::queue_copies(Port& port, std::span<const Frame> frames) {
  const std::size_t copies = frames.size();
  port.counters->copies.add(copies);
  std::size_t too_long = 0;
  std::size_t refused = 0;
  while (true) {
    frames = frames.subspan(port.egress.extend(frames, port.max_frame_bytes));
    if (frames.empty()) break;
    const std::size_t pinned = port.egress.pin_each(frames, port.max_frame_bytes);
    frames = frames.subspan(pinned);
    if (pinned > 0) continue;
    const Frame& frame = frames.front();
    if (frame.bytes > port.max_frame_bytes) [[unlikely]] ++too_long;
    else if (!port.egress.push(frame)) [[unlikely]] ++refused;
    frames = frames.subspan(1);
  }
  if (too_long > 0) port.counters->drop(DropReason::mtu, too_long);
  if (refused > 0) port.counters->drop(DropReason::egress_full, refused);
  const std::size_t queued = copies - too_long - refused;
  if (queued > 0) inbox_.mark_dirty(port);
  return queued;
}

void Dataplane::flush() {
  std::vector<Transport*>& to_flush = inbox_.to_flush();
  for (Transport* transport : to_flush) {
    transport->listed = false;
    if (transport->state == Transport::State::up) engine_->flush(*transport);
    for (Port* port : transport->dirty) port->show_queue();  // those that have to wait
  }
  to_flush.clear();
}

void Dataplane::manage() {
  handle_events();
  take_commands();
  if (now_ns_ >= next_housekeeping_ns_) keep_house(now_ns_);
  handle_events();  // what the commands brought about
  send_notices();
}

bool Dataplane::memory_returned() const {
  return chunks_.free_count() == chunks_.capacity() && slots_.free_count() == slots_.capacity();
}

Dataplane::Place Dataplane::place_of(const std::byte* address) const {
  const auto inside = [&](const std::span<std::byte> memory) {
    return address >= memory.data() && address < memory.data() + memory.size();
  };
  const auto offset = [&](const std::span<std::byte> memory) {
    return static_cast<std::size_t>(address - memory.data());
  };
  if (inside(chunk_memory_.span())) return {true, false, offset(chunk_memory_.span()) % limits::chunk_bytes};
  if (inside(slot_memory_.span())) return {false, true, offset(slot_memory_.span()) % limits::slot_bytes};
  return {};
}

std::vector<Buffer*> Dataplane::take_all_buffers() {
  std::vector<Buffer*> taken;
  while (Buffer* buffer = chunks_.take()) taken.push_back(buffer);
  while (Buffer* buffer = slots_.take()) taken.push_back(buffer);
  return taken;
}

// The clean stop: nothing is accepted any more (the control plane saw to that); what has arrived is forwarded and
// sent, within limits for peers that never pause or never read; then everything is cancelled and closed.
void Dataplane::stop() {
  constexpr std::uint64_t receive_ns_max = 200'000'000;
  constexpr std::uint64_t send_ns_max = 500'000'000;
  constexpr std::uint64_t close_ns_max = 2'000'000'000;
  drain_receives(engine_->now_ns() + receive_ns_max);
  drain_sends(engine_->now_ns() + send_ns_max);
  close_all();
  manage();
  const std::uint64_t deadline = engine_->now_ns() + close_ns_max;
  while (!transports_.empty() && engine_->now_ns() < deadline) turn(deadline);
  while (!unsent_notices_.empty() && engine_->now_ns() < deadline) send_notices();
  const bool all_closed = transports_.empty();
  engine_.reset();
  Notice stopped;
  stopped.kind = Notice::Kind::stopped;
  stopped.memory_returned = all_closed && memory_returned();
  tell(std::move(stopped));
  send_notices();
}

void Dataplane::drain_receives(std::uint64_t deadline_ns) {
  do turn(0);
  while (received_ && engine_->now_ns() < deadline_ns);
}

void Dataplane::drain_sends(std::uint64_t deadline_ns) {
  const auto something_queued = [&] {
    return std::any_of(transports_.begin(), transports_.end(), [](const auto& entry) {
      const auto& ports = entry.second.transport->ports;
      return !entry.second.closing &&
             std::any_of(ports.begin(), ports.end(), [](const auto& port) { return !port->egress.empty(); });
    });
  };
  while (something_queued() && engine_->now_ns() < deadline_ns) turn(deadline_ns);
}

}  // namespace lanyard
