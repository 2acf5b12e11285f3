// What a port's drops were before connections that are not told (flap_damping.h): its record shows these
// meanwhile, so that drops are not told either that belong to them (drop_watch.h).
#pragma once

#include <optional>

#include "switchd/port_registry.h"

namespace lanyard {

class UntoldDrops {
 public:
  // A connection has come, whose counters, which its predecessors had, and whose record these are.
  void came(bool is_told, PortRecord& shown) {
    if (is_told)
      before_.reset();
    else if (!before_)
      before_ = drops_of(*shown.counters);
    shown.told_drops = before_;
  }
  // That it came is told now.
  void told(PortRecord& shown) {
    before_.reset();
    shown.told_drops.reset();
  }

 private:
  std::optional<DropCounts> before_;
};

}  // namespace lanyard
