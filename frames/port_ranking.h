// Which port has most stations: a count per port that goes up and down by one, and the largest at any time.
//
// Theory: `order_` holds the ports that have any, most first, so equal counts lie together and `runs_` knows
// where the run of each count begins and ends. A count that changes by one swaps its port to the edge of its
// run and moves that edge: every operation is O(1), however many ports there are and whoever makes them
// change.
//
// Memory: a few words per port up to the highest one seen, and per station of the largest port. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "frames/frame.h"

namespace lanyard {

class PortRanking {
 public:
  void increment(PortIndex port);
  void decrement(PortIndex port);  // REQUIRES: count(port) > 0
  [[nodiscard]] std::uint32_t count(PortIndex port) const {
    return port < ports_.size() ? ports_[port].count : 0;
  }
  // The port with the highest count, any one of several; no_port when all are zero.
  [[nodiscard]] PortIndex largest() const { return order_.empty() ? no_port : order_.front(); }
  [[nodiscard]] std::size_t memory_bytes() const;
  [[nodiscard]] static std::size_t memory_bytes_max(std::size_t stations);  // with all ports in use

 private:
  struct Port {
    std::uint32_t count = 0;
    std::uint32_t rank = 0;  // position in order_, where count > 0
  };
  // Positions in order_ of the ports with one count; meaningful only while there are any.
  struct Run {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  void swap_ranks(std::uint32_t one, std::uint32_t other);

  std::vector<Port> ports_;  // by PortIndex
  std::vector<PortIndex> order_;
  std::vector<Run> runs_;  // by count
};

}  // namespace lanyard
