// The daemon's networks and ports: start and stop, notices, and what the ports ask for. One port: topology_ports.cpp,
// networks: topology_networks.cpp, changes: topology_change.cpp.
#include "switchd/topology.h"

#include <fmt/format.h>

#include <algorithm>

#include "switchd/log.h"
#include "switchd/port_keys.h"
#include "switchd/resolve.h"

namespace lanyard {

namespace {

// Where packets of a transport leave this host, and come to it; none that go by an interface to other hosts.
std::vector<PacketEnd> ends_of(const Transport& transport) {
  std::vector<PacketEnd> ends;
  const auto end = packet_end(transport.receive_fd());
  if (!end || end->address.is_loopback()) return ends;
  ends.push_back(*end);
  if (transport.sources == Sources::group) ends.push_back({end->protocol, transport.own_address});
  return ends;
}

}  // namespace

void Topology::adopt(Dataplane& dataplane) {
  dataplane_ = &dataplane;
  NetworkIndex index = 0;
  for (const auto& [name, config] : config_.networks) {
    Network& network = networks_[name];
    network.index = index;
    network.config = config;
    network.counters = dataplane.network_counters(index++);
  }
}

void Topology::find_names(std::function<void()> then) { find_names(config_.ports, std::move(then)); }

void Topology::open_all(std::function<void(bool)> opened) {
  struct Start {
    std::size_t pending = 1;
    bool all_open = true;
  };
  const auto start = std::make_shared<Start>();
  const auto one_over = [this, start, opened = std::move(opened)] {
    if (--start->pending > 0) return;
    for (const PortConfig& port : config_.ports)
      if (start->all_open) print(fmt::format("port {} {}:{}", port.name, name_of(port.type), address_of(port.name)));
    opened(start->all_open);
  };
  for (std::size_t i = 0; i < config_.ports.size(); ++i) {
    const PortConfig& port = config_.ports[i];
    Entry& entry = entries_[port.name];
    entry.config = port;
    entry.written = config_.written[i];
    ++start->pending;
    open(entry, [this, start, one_over, &entry](const std::optional<OpenError>& error) {
      const bool may_wait = error && may_come(*error) && !config_.strict;
      if (may_wait) {
        wait(entry, error->what);
        tell_waiting(entry);
      } else if (error) {
        log_error("port {}: {}", entry.config.name, error->what);
        start->all_open = false;
      }
      one_over();
    });
  }
  one_over();
}

void Topology::await_start(std::function<void(bool)> started) {
  started_ = std::move(started);
  if (starting_.empty()) std::exchange(started_, nullptr)(true);
}

// What happened meanwhile is told now.
void Topology::begin() {
  begun_ = true;
  for (const auto& [name, entry] : entries_) {
    if (entry.control) entry.control->begin();
    if (entry.waiting) entry.waiting->later(entry.config);
  }
  for (Notice& notice : std::exchange(early_, {})) take_from_port(notice);
}

void Topology::stop() {
  stopping_ = true;
  *lives_ = false;
  for (auto& [name, entry] : entries_) {
    stop_waiting(entry);
    if (entry.control) entry.control->stop();
  }
  const Refusal refusal{Refusal::Kind::unavailable, "the daemon stops; nothing was changed", {}};
  for (const WaitingChange& change : std::exchange(waiting_changes_, {}))
    if (change.broken) change.broken(refusal);
}

void Topology::finish(const std::function<void()>& finished) {
  std::vector<PortControl*> controls;
  for (const auto& [name, entry] : entries_)
    if (entry.control) controls.push_back(entry.control.get());
  for (const Retired& one : retired_) controls.push_back(one.control.get());
  const auto pending = std::make_shared<std::size_t>(controls.size() + 1);
  const auto one_finished = [pending, finished] {
    if (--*pending == 0) finished();
  };
  for (PortControl* const control : controls) control->finish(one_finished);
  one_finished();
}

void Topology::links_changed(const std::set<unsigned>& gone) {
  if (stopping_) return;
  for (const auto& [name, entry] : entries_)
    if (entry.control && !entry.closed && !entry.is_opening) entry.control->links_changed(gone);
  try_all_again();
}

// --- Notices.

void Topology::take(Notice& notice) {
  if (notice.kind == Notice::Kind::moved || notice.kind == Notice::Kind::loop_began ||
      notice.kind == Notice::Kind::loop_ended)
    return take_move(notice);
  if (begun_ || stopping_) return take_from_port(notice);
  take_early(notice);
}

void Topology::take_early(Notice& notice) {
  const bool starts = starting_.erase(notice.serial) > 0;
  if (starts && notice.kind == Notice::Kind::closed) {
    log_error("port {}: {}", owners_.at(notice.serial)->config().name, cause_text(notice));
    early_.push_back(std::move(notice));
    if (started_) std::exchange(started_, nullptr)(false);
    return;
  }
  early_.push_back(std::move(notice));
  if (starts && starting_.empty() && started_) std::exchange(started_, nullptr)(true);
}

void Topology::take_from_port(Notice& notice) {
  const auto owner = owners_.find(notice.serial);
  LANYARD_CHECK(owner != owners_.end());
  PortControl& port = *owner->second;
  switch (notice.kind) {
    case Notice::Kind::attached: return port.attached(notice);
    case Notice::Kind::crowded: return port.crowded(notice);
    case Notice::Kind::oversize: return port.oversize(notice);
    case Notice::Kind::unreachable: return port.unreachable(notice);
    case Notice::Kind::peer_up: return port.peer_up(notice);
    case Notice::Kind::peer_down: return port.peer_down(notice);
    default: break;
  }
  owners_.erase(owner);
  const bool had_ends = ends_.erase(notice.serial) > 0;
  if (stopping_) return;
  if (had_ends) keep_own_packets_away();
  port.closed(notice);
  notice.transport.reset();  // its descriptors go before a port is opened that needs the same address
  const auto entry = entries_.find(port.config().name);
  if (entry == entries_.end() || entry->second.control.get() != &port || !transports_of(port).empty()) return;
  if (entry->second.closed) finish_close(entry->first);
  else if (!port.reopens_itself()) lost(entry->second, cause_text(notice));
}

void Topology::take_move(const Notice& notice) {
  const auto network = std::find_if(networks_.begin(), networks_.end(),
                                    [&](const auto& it) { return it.second.index == notice.network; });
  if (network == networks_.end()) return;
  const LogLevel level = notice.kind == Notice::Kind::loop_began ? LogLevel::warn : LogLevel::info;
  services_.events.add(level, move_event(notice, network->first));
}

Event Topology::move_event(const Notice& notice, const std::string& network) const {
  Event event;
  event.kind = EventKind::mac_moved;
  event.network = network;
  event.count = notice.count;
  if (notice.counters) event.port = registry_.name_of(notice.counters.get());
  std::string from = notice.from ? std::string(registry_.name_of(notice.from.get())) : "";
  if (from.empty()) from = "(gone)";
  if (notice.kind == Notice::Kind::loop_began) {
    event.kind = EventKind::loop_suspected;
    event.text = fmt::format("{} goes to and fro between ports {} and {} in network {}, {} times within a second: likely "
                             "a loop, where these ports are joined outside too, else two stations with one MAC address; "
                             "until it ends, moves are counted and not told",
                             to_string(notice.station), from, event.port, network, notice.count);
  } else if (notice.kind == Notice::Kind::loop_ended) {
    event.kind = EventKind::loop_ended;
    event.text = fmt::format("no MAC address goes to and fro in network {} any more; {} moves were not told", network,
                             notice.count);
  } else if (notice.counters) {
    event.text = fmt::format("{} moved from port {} to {} in network {}", to_string(notice.station), from, event.port,
                             network);
  } else {
    event.text = fmt::format("{} further moves in network {} within a second", notice.count, network);
  }
  return event;
}

std::uint32_t Topology::owner_of(const std::string& name) {
  return numbers_.try_emplace(name, static_cast<std::uint32_t>(numbers_.size() + 1)).first->second;
}

// --- For the ports.

std::uint64_t Topology::attach(std::unique_ptr<Transport> transport, PortControl& owner) {
  const std::uint64_t serial = next_serial_++;
  transport->serial = serial;
  transport->owner = owner_of(owner.config().name);
  for (const auto& port : transport->ports) port->owner = transport->owner;
  owners_[serial] = &owner;
  if (std::vector<PacketEnd> ends = ends_of(*transport); !ends.empty()) ends_[serial] = std::move(ends);
  keep_own_packets_away();
  if (!begun_) starting_.insert(serial);
  Command attach;
  attach.kind = Command::Kind::attach;
  attach.transport = std::move(transport);
  services_.link.send(std::move(attach));
  return serial;
}

// A port that hears what the host sends is not to hear what the other ports of its network send (own_packets.h).
void Topology::keep_own_packets_away() {
  for (const auto& [name, entry] : entries_) {
    if (!entry.control || entry.config.type != PortType::nic) continue;
    std::vector<PacketEnd> ends;
    for (const auto& [serial, of_one] : ends_) {
      if (owners_.at(serial)->config().network != entry.control->config().network) continue;
      for (const PacketEnd& end : of_one)
        if (std::find(ends.begin(), ends.end(), end) == ends.end()) ends.push_back(end);
    }
    entry.control->keep_away(ends);
  }
}

void Topology::detach(std::uint64_t serial, const char* cause) {
  Command detach;
  detach.kind = Command::Kind::detach;
  detach.serial = serial;
  detach.cause = cause;
  services_.link.send(std::move(detach));
}

void Topology::set_peer(std::uint64_t serial, const SocketAddress& peer) {
  Command set;
  set.kind = Command::Kind::set_peer;
  set.serial = serial;
  set.peer = peer;
  services_.link.send(std::move(set));
}

void Topology::look_up_again(const HostPort& address) {
  if (is_name(address)) names_to_bind_.look_up(address.host);
}

void Topology::event(LogLevel level, EventKind kind, const std::string& port, std::string text) {
  Event event;
  event.kind = kind;
  event.port = port;
  if (const PortRecord* record = registry_.find(port)) event.network = record->network;
  event.text = std::move(text);
  services_.events.add(level, std::move(event));
}

std::shared_ptr<PortCounters> Topology::own_counters(const std::string& name) {
  Entry& entry = entries_.at(name);
  if (!entry.counters) entry.counters = std::make_shared<PortCounters>();
  return entry.counters;
}

// --- What there is.

std::vector<MacListing::NamedNetwork> Topology::network_list(const std::string& only) const {
  std::vector<MacListing::NamedNetwork> list;
  for (const auto& [name, network] : networks_)
    if (only.empty() || name == only) list.push_back({name, network.index});
  return list;
}

bool Topology::has(const MacListing::NamedNetwork& network) const {
  const auto found = networks_.find(network.name);
  return found != networks_.end() && found->second.index == network.index;
}

const PortConfig* Topology::written(const std::string& name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? nullptr : &entry->second.written;
}

bool Topology::is_disabled(const std::string& name) const {
  const auto entry = entries_.find(name);
  return entry != entries_.end() && entry->second.is_disabled;
}

std::string Topology::address_of(const std::string& name) const {
  const Entry& entry = entries_.at(name);
  return entry.control ? entry.control->address() : unbound_address(entry.config);
}

}  // namespace lanyard
