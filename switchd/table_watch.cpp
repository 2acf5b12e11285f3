// MAC tables that are full; see the header.
#include "switchd/table_watch.h"

#include <fmt/format.h>

namespace lanyard {

void TableWatch::look() {
  std::erase_if(evictions_, [](const auto& it) { return it.first.use_count() == 1; });  // of a network that is gone
  for (const auto& [name, network] : topology_.networks()) {
    Spell& evictions = evictions_[network.counters];
    if (evictions.look(network.counters->evictions.get()) == Spell::Change::began)
      tell(name, *network.counters, evictions.count());
  }
}

void TableWatch::tell(const std::string& name, const NetworkCounters& counters, std::uint64_t evictions) {
  Event event;
  event.kind = EventKind::table_full;
  event.network = name;
  event.count = evictions;
  event.text = fmt::format("network {} knows {} MAC addresses, which is the most: those of the port that has most of "
                           "them are pushed out",
                           name, counters.macs_max.get());
  events_.add(LogLevel::warn, std::move(event));
}

}  // namespace lanyard
