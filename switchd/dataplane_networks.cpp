// Networks that come, change and go, and what is told of them: of the management step of the data plane's loop. Runs on
// the data thread, blocks on nothing.
#include <utility>

#include "switchd/dataplane.h"

namespace lanyard {

namespace {

constexpr std::size_t stations_per_slice = 1024;
constexpr std::size_t moves_told_max = 16;  // of a network, in a second

}  // namespace

std::size_t Dataplane::flush_macs(const Command& command) {
  Network& network = networks_.at(command.network);
  MacTable& macs = network.bridge.macs();
  const std::size_t before = macs.size();
  if (command.station) (void)macs.forget(*command.station);
  else if (!command.port) macs.clear();
  else
    for (const PortIndex member : network.bridge.members())
      if (ports_.at(member)->counters == command.port) macs.forget_port(member);
  network.counters->macs.set(macs.size());
  return before - macs.size();
}

// Every move is booked; of many only some are told, and while there seems to be a loop, none: it is told instead.
void Dataplane::note_moves(NetworkIndex index) {
  Network& network = networks_[index];
  Bridge& bridge = network.bridge;
  network.moves_untold += bridge.macs().moves() - network.counters->moves.get();
  network.counters->moves.set(bridge.macs().moves());
  for (const Move& move : bridge.moves()) {
    Port& to = *ports_.at(move.to);
    to.counters->moves.add(1);
    const LoopWatch::Sight sight = network.loop.note(move.station);
    if (sight == LoopWatch::Sight::loop_begins) tell_move(Notice::Kind::loop_began, index, move);
    if (sight != LoopWatch::Sight::plain_move || network.moves_told == moves_told_max) continue;
    ++network.moves_told;
    --network.moves_untold;
    tell_move(Notice::Kind::moved, index, move);
  }
  bridge.clear_moves();
}

void Dataplane::tell_move(Notice::Kind kind, NetworkIndex index, const Move& move) {
  const Port* from = ports_.at(move.from);
  Notice notice;
  notice.kind = kind;
  notice.network = index;
  notice.station = move.station;
  notice.from = from != nullptr ? from->counters : nullptr;
  notice.counters = ports_.at(move.to)->counters;
  notice.count = kind == Notice::Kind::moved ? 1 : LoopWatch::moves_min;
  tell(std::move(notice));
}

// Once a second: ages, and what others read of it.
void Dataplane::show_network(NetworkIndex index) {
  Network& network = networks_[index];
  MacTable& macs = network.bridge.macs();
  network.bridge.age(now_ns_);
  network.moves_told = 0;
  const bool loop_ended = network.loop.second_passed();
  if (network.moves_untold > 0 && !network.loop.is_suspected()) {
    Notice notice;
    notice.kind = loop_ended ? Notice::Kind::loop_ended : Notice::Kind::moved;
    notice.network = index;
    notice.count = std::exchange(network.moves_untold, 0);
    tell(std::move(notice));
  }
  if (!network.counters) return;  // removed
  network.counters->macs.set(macs.size());
  network.counters->evictions.set(macs.evictions());
}

Dataplane::Network Dataplane::make_network(const NetworkOptions& options, std::shared_ptr<NetworkCounters> counters) {
  MacTable::Options table;
  table.seed = next_seed_++;
  if (counters) counters->macs_max.set(table.capacity);
  return {Bridge(options, table), std::move(counters), 0, 0, {}};
}

void Dataplane::add_network(const Command& command) {
  Network network = make_network(command.network_options, command.network_counters);
  if (command.network < networks_.size()) {
    networks_[command.network] = std::move(network);
    return;
  }
  LANYARD_CHECK(command.network == networks_.size());
  networks_.push_back(std::move(network));
}

void Dataplane::set_network(const Command& command) {
  networks_.at(command.network).bridge.set_options(command.network_options);
}

void Dataplane::list_macs(const Command& command) {
  std::array<MacTable::Entry, stations_per_slice> slice;
  Notice notice;
  notice.kind = Notice::Kind::macs;
  notice.network = command.network;
  notice.cursor = command.cursor;
  const std::size_t count = networks_.at(command.network).bridge.macs().list(notice.cursor, slice, now_ns_);
  notice.stations.reserve(count);
  for (const MacTable::Entry& entry : std::span(slice).first(count)) {
    const Port* port = ports_.at(entry.port);
    if (port == nullptr) continue;
    notice.stations.push_back({entry.station, port->counters, now_ns_ - std::min(now_ns_, entry.seen_ns)});
  }
  tell(std::move(notice));
}

}  // namespace lanyard
