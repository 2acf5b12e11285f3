// The log of events; see the header.
#include "switchd/events.h"

#include <array>

#include "frames/limits.h"
#include "switchd/log.h"
#include "transports/clock.h"

namespace lanyard {

namespace {

constexpr auto kinds = std::to_array<EventKindInfo>({
    {EventKind::port_added, "port_added", "a port was configured while the daemon runs"},
    {EventKind::port_removed, "port_removed", "a port was removed"},
    {EventKind::port_changed, "port_changed", "a port was configured otherwise, disabled or enabled"},
    {EventKind::port_up, "port_up", "a VM, a peer or a gateway is there, and frames flow"},
    {EventKind::port_down, "port_down", "it is gone; the text says why"},
    {EventKind::network_added, "network_added", "a network was made"},
    {EventKind::network_removed, "network_removed", "a network was removed"},
    {EventKind::network_changed, "network_changed", "a network was configured otherwise"},
    {EventKind::peer_moved, "peer_moved", "the name of a port's peer stands for another address than before"},
    {EventKind::mac_moved, "mac_moved", "a MAC address came by another port than before"},
    {EventKind::loop_suspected, "loop_suspected", "a MAC address goes to and fro between ports, as in a loop"},
    {EventKind::loop_ended, "loop_ended", "none does any more; `count` says how many moves were not told"},
    {EventKind::table_full, "table_full", "a network's MAC table is full, and stations are pushed out of it"},
    {EventKind::drops_began, "drops_began", "a port began to drop frames for a reason"},
    {EventKind::drops_ended, "drops_ended", "it has stopped dropping them; `count` says how many there were"},
    {EventKind::configuration_applied, "configuration_applied", "a configuration file was applied"},
    {EventKind::gateway_restarted, "gateway_restarted", "the gateway of a nat port was started again"},
    {EventKind::name_moved, "name_moved", "a VM's name leads to another VM, as the first does not answer any more"},
    {EventKind::address_in_use, "address_in_use", "a VM uses an address that a gateway has not leased to it"},
    {EventKind::other_gateway, "other_gateway", "another DHCP server, or another gateway, is on the network"},
    {EventKind::stopping, "stopping", "the daemon stops"},
});

static_assert(
    [] {
      for (std::size_t i = 0; i < kinds.size(); ++i)
        if (static_cast<std::size_t>(kinds[i].kind) != i) return false;
      return true;
    }(),
    "the table is in the order of the enumeration");

}  // namespace

const EventKindInfo& info(EventKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

void EventLog::add(LogLevel level, Event event) {
  log(level, "{}: {}", info(event.kind).name, event.text);
  event.number = ++newest_;
  event.time_unix_ns = unix_ns();
  kept_.push_back(std::move(event));
  if (kept_.size() > limits::events_kept_max) kept_.pop_front();
  for (auto watcher = watchers_.begin(); watcher != watchers_.end();) {
    const auto fn = (watcher++)->second;  // a copy: it may unwatch itself
    fn();
  }
}

const Event* EventLog::next(std::uint64_t after) const {
  if (after >= newest_) return nullptr;
  const std::uint64_t oldest = kept_.front().number;
  return &kept_[after < oldest ? 0 : static_cast<std::size_t>(after + 1 - oldest)];
}

std::uint64_t EventLog::watch(std::function<void()> fn) {
  watchers_[next_watcher_] = std::move(fn);
  return next_watcher_++;
}

}  // namespace lanyard
