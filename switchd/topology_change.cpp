// Changes of networks and ports while frames flow; topology.h has the theory.
#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <utility>

#include "switchd/guarded.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "switchd/topology.h"

namespace lanyard {

namespace {

// Does everything that differs change while frames flow?
bool differs_live_only(const PortConfig& before, PortConfig after) {
  after.network = before.network;
  after.max_frame_bytes = before.max_frame_bytes;
  after.queue_frames = before.queue_frames;
  change_live(after.gateway, before.gateway);
  return after == before;
}

// Is it closed, and opened as it shall be? So is a gateway that waits, as there is none that could say whether it can do
// what is asked for.
bool is_reopened(const PortConfig& before, const PortConfig& after, bool waits) {
  return !differs_live_only(before, after) || (waits && before.gateway != after.gateway);
}

const PortConfig* find(const std::vector<PortConfig>& ports, const std::string& name) {
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const PortConfig& port) { return port.name == name; });
  return found == ports.end() ? nullptr : &*found;
}

const PortConfig& written_of(const Config& config, const PortConfig& port) {
  return config.written[static_cast<std::size_t>(&port - config.ports.data())];
}

// Those of `lines` that `others` has not.
std::vector<std::string> without(const std::vector<std::string>& lines, const std::vector<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& line : lines)
    if (std::find(others.begin(), others.end(), line) == others.end()) left.push_back(line);
  return left;
}

Refusal refusal(const std::string& port, const OpenError& error) {
  return {Refusal::Kind::unavailable, fmt::format("port {}: {}", port, error.what), {}};
}

}  // namespace

Refusal internal_fault() {
  return {Refusal::Kind::internal, "the daemon failed to carry this out; its log says more", {}};
}

std::vector<std::string> lines_of(const PortConfig& written) {
  std::vector<std::string> lines = {fmt::format("type: {}", name_of(written.type)),
                                    fmt::format("address: {}", written_address(written)),
                                    fmt::format("network: {}", written.network)};
  for (const auto& [key, values] : written_keys(written))
    if (key != "network")
      for (const std::string& value : values) lines.push_back(fmt::format("{}: {}", key, value));
  return lines;
}

std::vector<std::string> lines_of(const NetworkConfig& network) {
  std::vector<std::string> lines = {fmt::format("kind: {}", name_of(network.kind))};
  for (const auto& [key, value] : written_keys(network))
    if (key != "kind") lines.push_back(fmt::format("{}: {}", key, value));
  return lines;
}

// --- The plan.

std::vector<Change> Topology::plan(const Config& wanted) const {
  std::vector<Change> changes;
  for (const auto& [name, network] : wanted.networks) {
    const auto present = networks_.find(name);
    const std::vector<std::string> after = lines_of(network);
    if (present == networks_.end()) {
      changes.push_back({Change::Action::add, Change::What::network, name, {}, false, {}, after});
    } else if (present->second.config != network) {
      const std::vector<std::string> before = lines_of(present->second.config);
      changes.push_back(
          {Change::Action::change, Change::What::network, name, {}, false, without(before, after), without(after, before)});
    }
  }
  for (const PortConfig& port : wanted.ports) {
    const auto present = entries_.find(port.name);
    const std::vector<std::string> after = lines_of(written_of(wanted, port));
    if (present == entries_.end()) {
      changes.push_back({Change::Action::add, Change::What::port, port.name, {}, false, {}, after});
    } else if (present->second.config != port) {
      const std::vector<std::string> before = lines_of(present->second.written);
      changes.push_back({Change::Action::change, Change::What::port, port.name, {}, !differs_live_only(present->second.config, port),
                         without(before, after), without(after, before)});
    }
  }
  for (const auto& [name, entry] : entries_)
    if (find(wanted.ports, name) == nullptr)
      changes.push_back({Change::Action::remove, Change::What::port, name, entry.config.network, false, lines_of(entry.written), {}});
  for (const auto& [name, network] : networks_)
    if (!wanted.networks.contains(name))
      changes.push_back({Change::Action::remove, Change::What::network, name, {}, false, lines_of(network.config), {}});
  return changes;
}

// --- A transition, in the order of its steps.

// The right to change something; others wait for its end.
struct Topology::Turn {
  Turn(Topology& topology, Broken broken)
      : of(topology), lives(topology.lives_), told_broken(std::move(broken)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  // Nobody is left who could end it.
  ~Turn() {
    if (is_over || !*lives) return;
    guarded("a change is broken off", [this] {
      if (told_broken) told_broken(internal_fault());
      end();
    });
  }
  void end() {
    if (std::exchange(is_over, true) || !*lives) return;
    of.changing_ = false;
    asio::post(of.services_.io, [topology = &of] {
      if (!topology->changing_) topology->next_change();
    });
  }
  Topology& of;
  std::shared_ptr<bool> lives;
  Broken told_broken;
  bool is_over = false;
};

void Topology::in_turn(std::function<void(std::function<void()>)> change, Broken broken) {
  auto run = [this, change = std::move(change), broken] {
    change([turn = std::make_shared<Turn>(*this, broken)] { turn->end(); });
  };
  waiting_changes_.push_back({std::move(run), std::move(broken)});
  if (!changing_) next_change();
}

void Topology::next_change() {
  if (waiting_changes_.empty() || stopping_) return;
  changing_ = true;
  const WaitingChange change = std::move(waiting_changes_.front());
  waiting_changes_.pop_front();
  guarded("a change", change.run);
}

void Topology::change_to(const Config& wanted, Done done) {
  auto change = std::make_shared<Transition>();
  change->before = config_;
  change->wanted = wanted;
  change->done = std::move(done);
  std::vector<PortConfig> to_open;
  for (const PortConfig& port : wanted.ports) {
    const auto present = entries_.find(port.name);
    if (present == entries_.end() || !differs_live_only(present->second.config, port)) to_open.push_back(port);
  }
  find_names(to_open, [this, change] {
    if (!stopping_) begin_transition(change);
  });
}

void Topology::begin_transition(const Shared& change) {
  const Config& wanted = change->wanted;
  for (const auto& [name, network] : wanted.networks) {
    if (networks_.contains(name)) continue;
    change->new_networks.push_back(name);
    add_network(name, network);
  }
  for (const PortConfig& port : change->before.ports) {
    const PortConfig* after = find(wanted.ports, port.name);
    const bool waits = entries_.at(port.name).waiting != nullptr;
    if ((after != nullptr && !is_reopened(port, *after, waits)) || is_disabled(port.name)) continue;
    change->to_close.push_back(&port);
    if (waits) change->were_waiting.insert(port.name);
    if (after != nullptr) change->to_open.push_back(after);
  }
  change->pending = 1;
  const auto one_over = [this, change] {
    if (--change->pending > 0) return;
    if (change->refused) roll_back(change);
    else close_then_open(change);
  };
  for (const PortConfig& port : wanted.ports) {
    if (entries_.contains(port.name)) continue;
    ++change->pending;
    open_new(change, port, one_over);
    if (change->refused) break;
  }
  one_over();
}

void Topology::open_new(const Shared& change, const PortConfig& port, std::function<void()> over) {
  Entry& entry = entries_[port.name];
  entry.config = port;
  entry.written = written_of(change->wanted, port);
  change->new_ports.push_back(port.name);
  open(entry, [change, &port, over = std::move(over)](const std::optional<OpenError>& error) {
    const bool in_use = error && (error->error == EADDRINUSE || error->error == EBUSY);
    if (!error) change->opened.push_back(port.name);
    else if (in_use && !change->to_close.empty()) change->to_open.push_back(&port);
    else if (!change->refused) change->refused = refusal(port.name, *error);
    over();
  });
}

void Topology::close_then_open(const Shared& change) {
  const auto one_opened = [this, change] {
    if (--change->pending > 0) return;
    if (change->refused) roll_back(change);
    else change_gateways(change);
  };
  const auto one_closed = [this, change, one_opened] {
    if (--change->pending > 0) return;
    change->pending = 1;
    for (const PortConfig* port : change->to_open) {
      if (change->refused) break;
      ++change->pending;
      open_or_put_off(change, *port, one_opened);
    }
    one_opened();
  };
  change->pending = change->to_close.size() + 1;
  for (const PortConfig* port : change->to_close) close(port->name, one_closed);
  one_closed();
}

// One that waited, and is configured otherwise, may wait on, for a folder too. Else the change is refused.
void Topology::open_or_put_off(const Shared& change, const PortConfig& port, std::function<void()> over) {
  Entry& entry = entries_.at(port.name);
  entry.config = port;
  entry.written = written_of(change->wanted, port);
  change->opened.push_back(port.name);
  open(entry, [this, change, &entry, over = std::move(over)](const std::optional<OpenError>& error) {
    const std::string& name = entry.config.name;
    const bool may_wait =
        error && change->were_waiting.contains(name) && (may_come(*error) || error->error == ENOENT);
    if (may_wait) wait(entry, error->what);
    else if (error && !change->refused) change->refused = refusal(name, *error);
    over();
  });
}

// Of what can change while frames flow only a gateway may refuse its part: it is asked while all can still be undone.
void Topology::change_gateways(const Shared& change) {
  change->pending = 1;
  const auto one_changed = [this, change] {
    if (--change->pending > 0) return;
    if (change->refused) restore_gateways(change);
    else change_live(change);
  };
  for (const PortConfig& port : change->wanted.ports) {
    const Entry& entry = entries_.at(port.name);
    if (!entry.control || entry.config.gateway == port.gateway) continue;
    change->gateways.push_back(entry.config);
    if (registry_.find(port.name)->state == "down") change->gateways_down.insert(port.name);
    ++change->pending;
    entry.control->reconfigure(port, [change, one_changed, name = port.name](const std::string& wrong) {
      if (!wrong.empty() && !change->refused) change->refused = refusal(name, {wrong, 0});
      one_changed();
    });
  }
  one_changed();
}

// Each is waited for, so that no answer of now is taken for one to the next change. One that was down before may be so
// again.
void Topology::restore_gateways(const Shared& change) {
  change->pending = change->gateways.size();
  for (const PortConfig& before : change->gateways)
    entries_.at(before.name).control->reconfigure(before, [this, change, name = before.name](const std::string& wrong) {
      if (!wrong.empty() && !change->gateways_down.contains(name))
        change->refused->details.push_back(fmt::format("port {} is not as it was: {}", name, wrong));
      if (--change->pending == 0) roll_back(change);
    });
}

// Closes what was opened, then opens again what was closed: it was open a moment ago.
void Topology::roll_back(const Shared& change) {
  change->pending = change->opened.size() + 1;
  const auto one_closed = [this, change] {
    if (--change->pending == 0) reopen_as_before(change);
  };
  for (const std::string& name : change->opened) close(name, one_closed);
  one_closed();
}

void Topology::reopen_as_before(const Shared& change) {
  for (const std::string& name : change->new_ports) {
    entries_.erase(name);
    registry_.remove(name);
  }
  change->pending = 1;
  const auto one_over = [this, change] {
    if (--change->pending == 0) finish_roll_back(change);
  };
  for (const PortConfig* port : change->to_close) {
    const Entry& entry = entries_.at(port->name);
    if (entry.control || entry.waiting) continue;  // it has not come to that
    if (!change->were_waiting.contains(port->name)) change->all_stayed_open = false;
    ++change->pending;
    reopen_as_before(change, *port, one_over);
  }
  one_over();
}

// Says in the refusal what has become of it.
void Topology::reopen_as_before(const Shared& change, const PortConfig& port, std::function<void()> over) {
  Entry& entry = entries_.at(port.name);
  entry.config = port;
  entry.written = written_of(change->before, port);
  open(entry, [this, change, &entry, over = std::move(over)](const std::optional<OpenError>& error) {
    if (!error) {
      tell_up(entry);  // as its end was told of
      return over();
    }
    wait(entry, error->what);
    const std::string& name = entry.config.name;
    if (!change->were_waiting.contains(name)) {
      tell_waiting(entry);
      change->refused->details.push_back(
          fmt::format("port {} is down, and tried again as it was: {}", name, error->what));
    }
    over();
  });
}

void Topology::finish_roll_back(const Shared& change) {
  for (const std::string& name : change->new_networks) remove_network(name);
  Refusal& refused = *change->refused;
  if (!refused.details.empty()) refused.message += "; not everything is as it was";
  else if (change->all_stayed_open) refused.message += "; nothing was changed";
  else refused.message += "; what was closed for it is open again as it was";
  change->done(refused);
}

// Beyond this point nothing is refused.
void Topology::change_live(const Shared& change) {
  const Config& wanted = change->wanted;
  std::erase_if(entries_, [&](const auto& it) {
    const bool gone = find(wanted.ports, it.first) == nullptr;
    if (gone) registry_.remove(it.first);
    return gone;
  });
  for (const PortConfig& port : wanted.ports) change_live(entries_.at(port.name), port, written_of(wanted, port));
  for (const auto& [name, network] : wanted.networks) set_network(name, network);
  std::vector<std::string> gone;
  for (const auto& [name, network] : networks_)
    if (!wanted.networks.contains(name)) gone.push_back(name);
  for (const std::string& name : gone) remove_network(name);
  config_ = wanted;
  Command nothing;
  nothing.kind = Command::Kind::nothing;
  services_.link.send(std::move(nothing), [change](const Notice&) { change->done(std::nullopt); });
}

void Topology::change_live(Entry& entry, const PortConfig& port, const PortConfig& written) {
  entry.written = written;
  if (std::exchange(entry.config, port) == port) return;
  if (entry.is_disabled) return show_disabled(port);
  if (entry.waiting) {
    show_waiting(entry);
    return entry.waiting->now();
  }
  if (!entry.control) return;
  const bool is_done = entry.control->config() == port;  // by a gateway
  if (!is_done) entry.control->reconfigure(port, [](const std::string& wrong) { LANYARD_CHECK(wrong.empty()); });
  tell_data_plane(entry);
}

void Topology::tell_data_plane(const Entry& entry) {
  registry_.move(entry.config.name, entry.config.network);
  keep_own_packets_away();
  for (const std::uint64_t serial : transports_of(*entry.control)) {
    Command set;
    set.kind = Command::Kind::set_port;
    set.serial = serial;
    set.network = network_index(entry.config.network);
    set.max_frame_bytes = entry.control->max_frame_bytes();
    set.queue_frames = entry.config.queue_frames;
    services_.link.send(std::move(set));
  }
}

}  // namespace lanyard
