// The life of one configured port: opened, closed, waiting to be opened, disabled; topology.h has the theory.
#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "switchd/log.h"
#include "switchd/port_keys.h"
#include "switchd/resolve.h"
#include "switchd/topology.h"

namespace lanyard {

// --- The names that they bind.

void Topology::find_names(const std::vector<PortConfig>& ports, std::function<void()> then) {
  std::set<std::string> hosts;
  for (const PortConfig& port : ports) hosts.insert(name_to_bind(port));
  hosts.erase("");
  std::set<std::string> kept = hosts;
  for (const PortConfig& port : config_.ports) kept.insert(name_to_bind(port));
  names_to_bind_.forget_all_but(kept);
  names_to_bind_.find(hosts, std::move(then));
}

// --- Opened and closed.

void Topology::open(Entry& entry, Opening opened) {
  LANYARD_CHECK(!entry.control);
  stop_waiting(entry);
  entry.is_disabled = false;
  entry.control = make_port_control(entry.config, *this);
  entry.is_opening = true;
  if (entry.was_lost) entry.control->comes_back();
  if (std::exchange(entry.counted, entry.config.type) != entry.config.type) entry.counters.reset();
  entry.control->had_number(entry.number);
  const std::string name = entry.config.name;
  if (const auto error = entry.control->open()) return opening_over(name, error, opened);
  entry.control->await_open([this, name, opened = std::move(opened)](const std::optional<OpenError>& error) {
    opening_over(name, error, opened);
  });
}

void Topology::opening_over(const std::string& name, const std::optional<OpenError>& error, const Opening& opened) {
  if (stopping_) return;
  Entry& entry = entries_.at(name);
  if (!error) {
    entry.is_opening = false;
    entry.was_lost = false;
    entry.number = entry.control->number();
    if (begun_) entry.control->begin();
    return opened(std::nullopt);
  }
  entry.control->stop();
  entry.control->finish([this, name, error = error, opened = opened] {
    if (stopping_) return;
    Entry& closed = entries_.at(name);
    closed.is_opening = false;
    retire(std::move(closed.control));
    opened(error);
  });
}

// No further connections; its transports go, and when the last is back it is out of use.
void Topology::close(const std::string& name, std::function<void()> closed) {
  Entry& entry = entries_.at(name);
  if (!entry.control) {
    stop_waiting(entry);
    entry.was_lost = false;
    return closed();
  }
  entry.closed = std::move(closed);
  entry.control->stop();
  const std::vector<std::uint64_t> transports = transports_of(*entry.control);
  for (const std::uint64_t serial : transports) detach(serial, "closed by switchd");
  if (transports.empty()) finish_close(name);
}

void Topology::finish_close(const std::string& name) {
  entries_.at(name).control->finish([this, name] {
    if (stopping_) return;
    Entry& entry = entries_.at(name);
    if (PortRecord* const known = registry_.find(name)) {
      known->state = "down";
      known->reason = "closed for a change";
    }
    entry.number = entry.control->number();
    retire(std::move(entry.control));
    std::exchange(entry.closed, nullptr)();
  });
}

// Handlers that were cancelled are still to be called; they are ahead of what is posted now. A port whose script runs is
// kept until another goes after that.
void Topology::retire(std::unique_ptr<PortControl> control) {
  const PortControl* const which = control.get();  // the others' handlers may be behind
  retired_.push_back({std::move(control)});
  asio::post(services_.io, [this, which] {
    asio::post(services_.io, [this, which] {
      for (Retired& one : retired_) one.is_quiet = one.is_quiet || one.control.get() == which;
      std::erase_if(retired_, [](const Retired& one) {
        return one.is_quiet && !one.control->is_finishing();
      });
    });
  });
}

std::vector<std::uint64_t> Topology::transports_of(const PortControl& control) const {
  std::vector<std::uint64_t> serials;
  for (const auto& [serial, owner] : owners_)
    if (owner == &control) serials.push_back(serial);
  return serials;
}

// --- Waiting.

// REQUIRES: it is closed.
void Topology::wait(Entry& entry, const std::string& reason) {
  const std::string name = entry.config.name;
  entry.waiting = std::make_shared<Reopening>(services_.io, names_, [this, name](const NameAnswer* host) {
    try_again(entries_.at(name), host);
  });
  (void)entry.waiting->set_reason(reason);
  show_waiting(entry);
  if (begun_) entry.waiting->later(entry.config);
}

void Topology::stop_waiting(Entry& entry) {
  if (entry.waiting) std::exchange(entry.waiting, nullptr)->stop();
}

void Topology::show_waiting(const Entry& entry) {
  const PortConfig& port = entry.config;
  registry_.set(port.name, {std::string(name_of(port.type)), unbound_address(port), port.network, "down",
                            {}, entry.waiting->reason()});
}

// A port that nobody but this can bring back: its interface has gone, its socket has failed. Told by its control.
void Topology::lost(Entry& entry, const std::string& cause) {
  entry.control->stop();
  entry.number = entry.control->number();
  retire(std::move(entry.control));
  entry.was_lost = true;
  wait(entry, cause);
}

// Without an address for the host that it binds it waits on; else its turn among the changes comes.
void Topology::try_again(Entry& entry, const NameAnswer* host) {
  if (host != nullptr) names_to_bind_.found(entry.config.address.host, *host);
  if (host != nullptr && host->addresses.empty()) return wait_on(entry, host->wrong);
  in_turn([this, name = entry.config.name](const std::function<void()>& over) {
    const auto found = entries_.find(name);
    if (found != entries_.end() && found->second.waiting) try_again(found->second, over);
    else over();
  });
}

void Topology::try_again(Entry& entry, std::function<void()> over) {
  const bool is_finishing = std::any_of(retired_.begin(), retired_.end(), [&](const Retired& one) {
    return one.control->config().name == entry.config.name && one.control->is_finishing();
  });
  if (is_finishing) {  // a script of its takes the interface down, which one of ours is to take up
    entry.waiting->later(entry.config);
    return over();
  }
  const std::shared_ptr<Reopening> waiting = std::exchange(entry.waiting, nullptr);
  open(entry, [this, waiting, &entry, over = std::move(over)](const std::optional<OpenError>& error) {
    if (!error) {
      waiting->stop();
      tell_up(entry);
      return over();
    }
    entry.waiting = waiting;
    wait_on(entry, error->what);
    over();
  });
  PortRecord* const known = entry.is_opening ? registry_.find(entry.config.name) : nullptr;
  if (known != nullptr) known->reason = waiting->reason();  // it is down for that still
}

void Topology::wait_on(Entry& entry, const std::string& reason) {
  if (entry.waiting->set_reason(reason)) log_info("port {} is down: {}; trying again", entry.config.name, reason);
  show_waiting(entry);
  entry.waiting->later(entry.config);
}

// Once the data plane has taken it: from this line on it is in its network. A udp port may still wait for the address of
// its peer, and is told of by its control.
void Topology::tell_up(const Entry& entry) {
  const auto is_up = [this](const std::string& name) {
    const PortRecord* known = registry_.find(name);
    return known != nullptr && known->state != "down" && !is_disabled(name);
  };
  if (!is_up(entry.config.name)) return;
  Command nothing;
  nothing.kind = Command::Kind::nothing;
  services_.link.send(std::move(nothing), [this, is_up, name = entry.config.name](const Notice&) {
    const auto found = entries_.find(name);
    if (found == entries_.end() || !is_up(name)) return;
    print(fmt::format("port {} up {}:{}", name, name_of(found->second.config.type), address_of(name)));
    event(LogLevel::info, EventKind::port_up, name, fmt::format("port {} up: {}", name, address_of(name)));
  });
}

void Topology::tell_waiting(const Entry& entry) {
  const std::string& name = entry.config.name;
  const std::string& reason = entry.waiting->reason();
  if (begun_) print(fmt::format("port {} down {}", name, reason));
  event(LogLevel::warn, EventKind::port_down, name, fmt::format("port {} down: {}; trying again", name, reason));
}

void Topology::try_all_again() {
  for (const auto& [name, entry] : entries_)
    if (entry.waiting) entry.waiting->now();
}

// --- Disabled and enabled.

void Topology::disable(const std::string& name, Done done) {
  if (is_disabled(name)) return done(std::nullopt);
  close(name, [this, name, done] {
    Entry& entry = entries_.at(name);
    entry.is_disabled = true;
    show_disabled(entry.config);
    done(std::nullopt);
  });
}

void Topology::show_disabled(const PortConfig& port) {
  registry_.set(port.name, {std::string(name_of(port.type)), unbound_address(port), port.network, "disabled", {}, {}});
}

// What was asked for is that it shall be open: where it cannot be, it waits. One that waits already is tried at once.
void Topology::enable(const std::string& name, Done done) {
  find_names({entries_.at(name).config}, [this, name, done = std::move(done)] {
    if (!stopping_) enable_now(name, done);
  });
}

void Topology::enable_now(const std::string& name, const Done& done) {
  Entry& entry = entries_.at(name);
  if (entry.waiting) return try_again(entry, [done] { done(std::nullopt); });
  if (!entry.is_disabled) return done(std::nullopt);
  open(entry, [this, &entry, done](const std::optional<OpenError>& error) {
    if (!error) {
      tell_up(entry);
      return done(std::nullopt);
    }
    wait(entry, error->what);
    tell_waiting(entry);
    done(Refusal{Refusal::Kind::unavailable,
                 fmt::format("port {}: {}; it is enabled, and tried again", entry.config.name, error->what), {}});
  });
}

}  // namespace lanyard
