// Tells when the MAC table of a network is full and stations are pushed out of it, who are then flooded to: one event
// when that begins, and no other until it has paused. Looks at the counters once a second; the data plane knows nothing
// of it. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "switchd/events.h"
#include "switchd/every_second.h"
#include "switchd/spell.h"
#include "switchd/topology.h"

namespace lanyard {

class TableWatch {
 public:
  TableWatch(asio::io_context& io, const Topology& topology, EventLog& events)
      : topology_(topology), events_(events), every_second_(io, [this] { look(); }) {}

  void begin() { every_second_.begin(); }
  void stop() { every_second_.stop(); }

 private:
  void look();
  void tell(const std::string& name, const NetworkCounters& counters, std::uint64_t evictions);

  const Topology& topology_;
  EventLog& events_;
  EverySecond every_second_;
  std::map<std::shared_ptr<const NetworkCounters>, Spell> evictions_;  // a network of the same name is another
};

}  // namespace lanyard
