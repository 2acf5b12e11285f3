// The data plane's table of ports: index to port, lowest free index first. A generation in each place tells a late
// completion of a port that has gone from one of its successor. Data thread only.
#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "frames/check.h"
#include "transports/port.h"

namespace lanyard {

class PortTable {
 public:
  [[nodiscard]] bool full() const { return free_.empty() && places_.size() == limits::ports_max; }

  // REQUIRES: not full. Sets the port's index and generation. The port outlives its stay.
  void add(Port& port) {
    LANYARD_CHECK(!full());
    if (free_.empty()) {
      free_.push(static_cast<PortIndex>(places_.size()));
      places_.emplace_back();
    }
    port.index = free_.top();
    free_.pop();
    places_[port.index].port = &port;
    port.generation = ++places_[port.index].generation;
  }
  void remove(Port& port) {
    LANYARD_CHECK(places_.at(port.index).port == &port);
    places_[port.index].port = nullptr;
    free_.push(port.index);
  }
  // Calls `visit` with each port.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Place& place : places_)
      if (place.port != nullptr) visit(*place.port);
  }
  // nullptr where there is none.
  [[nodiscard]] Port* at(PortIndex index) const { return index < places_.size() ? places_[index].port : nullptr; }

 private:
  struct Place {
    Port* port = nullptr;
    std::uint32_t generation = 0;
  };
  std::vector<Place> places_;
  std::priority_queue<PortIndex, std::vector<PortIndex>, std::greater<>> free_;
};

}  // namespace lanyard
