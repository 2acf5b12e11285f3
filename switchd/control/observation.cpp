// Captures, mirrors and the past, as the control plane has them; see the header.
#include "switchd/control/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "switchd/control/refusals.h"
#include "switchd/control/words.h"

namespace lanyard::control {

namespace {

// Its connections or peers carry the frames.
bool makes_ports(const PortConfig& port) {
  const bool listens = port.type == PortType::tcp_listen || port.type == PortType::unix_listen;
  return listens || (port.type == PortType::udp && !port.allow.empty());
}

}  // namespace

bool read_direction(const std::string& text, bool& inbound, bool& outbound) {
  inbound = text.empty() || text == "in";
  outbound = text.empty() || text == "out";
  return inbound || outbound;
}

Observation::Observation(DataLink& link, Topology& topology) : link_(link), topology_(topology) {
  topology.on_network_removed([this](const std::string& name, NetworkIndex index) { network_removed(name, index); });
}

// --- Which ports.

bool Observation::is_there(const std::string& port) {
  return topology_.written(port) != nullptr || topology_.registry().find(port) != nullptr;
}

Observation::Selected Observation::select(const std::vector<std::string>& ports, const std::string& network) {
  Selected selected;
  if (!ports.empty() && !network.empty()) {
    selected.refusal = invalid("expected either ports or a network, not both");
    return selected;
  }
  const auto found = topology_.networks().find(network);
  selected.ports.all = ports.empty() && network.empty();
  if (found != topology_.networks().end()) {
    selected.ports.networks.push_back(found->second.index);
  } else if (!network.empty()) {
    selected.refusal = unknown_network(topology_, network);
  }
  for (const std::string& name : ports) {
    const PortRecord* record = topology_.registry().find(name);
    if (topology_.written(name) != nullptr) {
      selected.ports.owners.push_back(topology_.owner_of(name));
    } else if (record != nullptr && record->counters) {
      selected.ports.ports.push_back(record->counters->serial);
    } else {
      selected.refusal = unknown_port(topology_, name);
    }
  }
  return selected;
}

// --- Captures.

void Observation::add(const std::shared_ptr<Tap>& tap, std::function<void()> added) {
  ++taps_;
  Command add;
  add.kind = Command::Kind::add_tap;
  add.tap = tap;
  link_.send(std::move(add), [added = std::move(added)](Notice&) { added(); });
}

void Observation::remove(const std::shared_ptr<Tap>& tap, std::function<void()> removed) {
  Command remove;
  remove.kind = Command::Kind::remove_tap;
  remove.tap = tap;
  link_.send(std::move(remove), [this, tap, removed = std::move(removed)](Notice&) {
    --taps_;
    removed();
  });
}

// --- Mirrors.

std::optional<Refusal> Observation::check(const v1::AddMirror& mirror) const {
  bool inbound = false;
  bool outbound = false;
  if (!read_direction(mirror.direction(), inbound, outbound))
    return invalid(fmt::format("direction: expected in or out, not {}", in_quotes(mirror.direction())));
  if (mirror.ports().empty() && mirror.network().empty()) return invalid("expected ports, or the name of a network");
  const PortConfig* port = topology_.written(mirror.to());
  if (port != nullptr && makes_ports(*port))
    return invalid(fmt::format("to: port {} carries no frames itself; its connections, such as {}.1, do", mirror.to(),
                               mirror.to()));
  if (std::find(mirror.ports().begin(), mirror.ports().end(), mirror.to()) != mirror.ports().end())
    return invalid(fmt::format("to: port {} cannot be mirrored to itself", mirror.to()));
  for (const v1::AddMirror& other : mirrors_)
    if (other.to() == mirror.to())
      return Refusal{Refusal::Kind::conflict, fmt::format("port {} is the end of a mirror already", mirror.to()), {}};
  if (mirrors_.size() == limits::mirrors_max)
    return Refusal{Refusal::Kind::limit, fmt::format("there are {} mirrors, the most there may be", mirrors_.size()), {}};
  return std::nullopt;
}

std::optional<Refusal> Observation::add_mirror(const v1::AddMirror& mirror, std::function<void()> done) {
  forget_gone();
  if (mirror.to().empty()) return invalid("to: expected the name of a port");
  if (auto to = select(std::vector<std::string>{mirror.to()}, {}); to.refusal) return to.refusal;
  if (auto refusal = check(mirror)) return refusal;
  if (auto selected = select(mirror.ports(), mirror.network()); selected.refusal) return selected.refusal;
  mirrors_.push_back(mirror);
  send_mirrors(std::move(done));
  return std::nullopt;
}

std::optional<Refusal> Observation::remove_mirror(const std::string& to, std::function<void()> done) {
  forget_gone();
  const auto removed = std::erase_if(mirrors_, [&](const v1::AddMirror& mirror) { return mirror.to() == to; });
  if (removed == 0)
    return Refusal{Refusal::Kind::not_found, fmt::format("there is no mirror to a port {}", in_quotes(to)), {}};
  send_mirrors(std::move(done));
  return std::nullopt;
}

void Observation::fill_mirrors(v1::Mirrors& view) {
  forget_gone();
  for (const v1::AddMirror& mirror : mirrors_) *view.add_mirrors() = mirror;
}

// Of ports by name, those that are neither configured nor connected any more are left out; a mirror without an end, or
// without any of its ports, ends.
void Observation::forget_gone() {
  bool changed = false;
  for (v1::AddMirror& mirror : mirrors_) {
    auto& ports = *mirror.mutable_ports();
    const auto is_gone = [&](const std::string& port) { return !is_there(port); };
    const auto gone = std::remove_if(ports.begin(), ports.end(), is_gone);
    changed = changed || gone != ports.end();
    ports.erase(gone, ports.end());
  }
  const auto ended = std::erase_if(mirrors_, [&](const v1::AddMirror& mirror) {
    return !is_there(mirror.to()) || (mirror.ports().empty() && mirror.network().empty());
  });
  if (changed || ended > 0) send_mirrors();
}

void Observation::send_mirrors(std::function<void()> done) {
  Command set;
  set.kind = Command::Kind::set_mirrors;
  for (const v1::AddMirror& mirror : mirrors_) {
    Mirror made;
    made.to = select(std::vector<std::string>{mirror.to()}, {}).ports;
    made.ports = select(mirror.ports(), mirror.network()).ports;
    (void)read_direction(mirror.direction(), made.inbound, made.outbound);
    set.mirrors.push_back(std::move(made));
  }
  link_.send(std::move(set), [done = std::move(done)](Notice&) { done(); });
}

// --- The past.

std::uint64_t Observation::rewind_mib(NetworkIndex network) const {
  const auto kept = kept_.find(network);
  return kept == kept_.end() ? 0 : kept->second->mib;
}

void Observation::set_rewind(NetworkIndex network, std::unique_ptr<Rewind> fresh, std::function<void()> done) {
  if (!fresh && rewind_mib(network) == 0) return done();
  auto& kept = kept_.try_emplace(network, std::make_shared<Kept>()).first->second;
  kept->mib = fresh ? fresh->capacity_bytes() / limits::mebi : 0;
  take(network, std::move(fresh), [kept = std::weak_ptr(kept), done = std::move(done)] {
    if (const auto off = kept.lock(); off && off->mib == 0) off->history.clear();
    done();
  });
}

bool Observation::keeps_past(const std::string& network) const {
  if (network.empty())
    return std::any_of(kept_.begin(), kept_.end(), [](const auto& kept) { return kept.second->mib > 0; });
  const auto found = topology_.networks().find(network);
  return found != topology_.networks().end() && rewind_mib(found->second.index) > 0;
}

bool Observation::take_past(const std::string& network, std::function<void(const Pasts&)> taken) {
  std::map<NetworkIndex, std::unique_ptr<Rewind>> fresh;
  try {
    for (const auto& [name, one] : topology_.networks())
      if ((network.empty() || name == network) && rewind_mib(one.index) > 0)
        fresh[one.index] = std::make_unique<Rewind>(rewind_mib(one.index) * limits::mebi);
  } catch (const std::system_error&) {
    return false;
  }
  struct Gathering {
    Pasts pasts;
    std::size_t open = 0;
  };
  auto gathering = std::make_shared<Gathering>();
  gathering->open = fresh.size();
  for (auto& [index, rewind] : fresh)
    take(index, std::move(rewind), [this, index = index, gathering, taken] {
      const auto kept = kept_.find(index);
      if (kept != kept_.end()) gathering->pasts.push_back(kept->second->history.all());
      if (--gathering->open == 0) taken(gathering->pasts);
    });
  return true;
}

// What was written so far joins what is kept, and `fresh` is written from now on.
void Observation::take(NetworkIndex network, std::unique_ptr<Rewind> fresh, std::function<void()> taken) {
  Command swap;
  swap.kind = Command::Kind::swap_rewind;
  swap.network = network;
  swap.rewind = std::move(fresh);
  const auto kept = kept_.find(network);
  std::weak_ptr<Kept> to;  // not the index: it may be another network's by then
  if (kept != kept_.end()) to = kept->second;
  link_.send(std::move(swap), [to, taken = std::move(taken)](Notice& notice) {
    if (const auto history = to.lock(); history && notice.past) history->history.add(std::move(notice.past));
    taken();
  });
}

void Observation::network_removed(const std::string& name, NetworkIndex index) {
  const auto ended = std::erase_if(mirrors_, [&](const v1::AddMirror& mirror) { return mirror.network() == name; });
  if (ended > 0) send_mirrors();
  if (kept_.erase(index) > 0) take(index, nullptr, [] {});
}

}  // namespace lanyard::control
