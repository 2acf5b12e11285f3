// Drops that begin and end; see the header.
#include "switchd/drop_watch.h"

#include <fmt/format.h>

namespace lanyard {

void DropWatch::look() {
  for (auto& [counters, watched] : watched_) watched.exists = false;
  for (const auto& [name, record] : registry_.records())
    if (record.counters) look_at(name, record, watched_[record.counters.get()]);
  std::erase_if(watched_, [](const auto& it) { return !it.second.exists; });
}

void DropWatch::look_at(const std::string& name, const PortRecord& record, Watched& watched) {
  watched.exists = true;
  const DropCounts now = drops_of(*record.counters);
  const bool was_untold = std::exchange(watched.is_untold, record.told_drops.has_value());
  const DropCounts& told = record.told_drops ? *record.told_drops : now;
  for (const DropReasonInfo& info : drop_reasons) {
    const auto reason = static_cast<std::size_t>(info.reason);
    Spell& drops = watched.drops[reason];
    if (was_untold && !watched.is_untold) drops.skip_to(now[reason]);
    const Spell::Change change = drops.look(told[reason]);
    if (change == Spell::Change::began) tell(EventKind::drops_began, name, record, info, drops.count());
    if (change == Spell::Change::ended) tell(EventKind::drops_ended, name, record, info, drops.count());
  }
}

void DropWatch::tell(EventKind kind, const std::string& port, const PortRecord& record, const DropReasonInfo& reason,
                     std::uint64_t count) {
  Event event;
  event.kind = kind;
  event.port = port;
  event.network = record.network;
  event.reason = reason.name;
  event.count = count;
  event.text = kind == EventKind::drops_began
                   ? fmt::format("port {} drops frames as {}: {}", port, reason.name, reason.text)
                   : fmt::format("port {} has stopped dropping frames as {}: {} in all", port, reason.name, count);
  events_.add(LogLevel::info, std::move(event));
}

}  // namespace lanyard
