// Round trips through the program under test: one frame there, one back, then the next. How long they take
// while the switch is busy elsewhere says whether one port can hold up another.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/flow.h"

namespace lanyard::bench {

struct RoundTrips {
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;               // not back within a second
  std::vector<std::uint64_t> times_ns;  // of those that came back, sorted
  // The smallest time that `share` (0 to 1) of them did not exceed; 0 when none came back.
  [[nodiscard]] std::uint64_t quantile_ns(double share) const;
};

// `count` round trips, `per_second` started each second at most (0: the next at once), no longer than
// `longest`. REQUIRES: `there` is addressed from a to b, `back` from b to a, one frame each.
[[nodiscard]] RoundTrips run_round_trips(Station& a, Station& b, const Burst& there, const Burst& back,
                                         std::uint64_t count, double per_second, Clock::duration longest);

}  // namespace lanyard::bench
