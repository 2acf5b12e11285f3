// Tells when ports begin to drop frames, and when they have stopped: one event each, by port and reason, not one for each
// frame. Looks at the counters once a second; the data plane knows nothing of it. Where a connection is not told to be up
// (flap_damping.h), neither are its drops. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "switchd/events.h"
#include "switchd/every_second.h"
#include "switchd/port_registry.h"
#include "switchd/spell.h"

namespace lanyard {

class DropWatch {
 public:
  DropWatch(asio::io_context& io, PortRegistry& registry, EventLog& events)
      : registry_(registry), events_(events), every_second_(io, [this] { look(); }) {}

  void begin() { every_second_.begin(); }
  void stop() { every_second_.stop(); }

 private:
  struct Watched {
    std::array<Spell, drop_reason_count> drops;  // by reason
    bool exists = false;
    bool is_untold = false;
  };

  void look();
  void look_at(const std::string& name, const PortRecord& record, Watched& watched);
  void tell(EventKind kind, const std::string& port, const PortRecord& record, const DropReasonInfo& reason,
            std::uint64_t count);

  PortRegistry& registry_;
  EventLog& events_;
  EverySecond every_second_;
  std::unordered_map<const PortCounters*, Watched> watched_;
};

}  // namespace lanyard
