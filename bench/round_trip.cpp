// Round trips; see round_trip.h.
#include "bench/round_trip.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace lanyard::bench {

namespace {

constexpr Clock::duration answer_longest = std::chrono::seconds(1);

// True when the frame sent by `from` reached `to` in time.
bool pass(Station& from, Station& to, const Burst& burst) {
  while (!from.send(burst)) {
  }
  const Clock::time_point deadline = Clock::now() + answer_longest;
  Tally tally;
  while (tally.frames == 0 && Clock::now() < deadline)
    if (wait_readable(to, deadline - Clock::now())) to.receive(tally);
  return tally.frames > 0;
}

}  // namespace

std::uint64_t RoundTrips::quantile_ns(double share) const {
  if (times_ns.empty()) return 0;
  const double last = static_cast<double>(times_ns.size() - 1);
  return times_ns[static_cast<std::size_t>(std::ceil(share * last))];
}

RoundTrips run_round_trips(Station& a, Station& b, const Burst& there, const Burst& back, std::uint64_t count,
                           double per_second, Clock::duration longest) {
  RoundTrips trips;
  const Clock::time_point start = Clock::now();
  while (trips.sent < count && Clock::now() - start < longest) {
    if (per_second > 0) {
      const std::chrono::duration<double> due(static_cast<double>(trips.sent) / per_second);
      std::this_thread::sleep_until(start + std::chrono::duration_cast<Clock::duration>(due));
    }
    ++trips.sent;
    const Clock::time_point begin = Clock::now();
    if (pass(a, b, there) && pass(b, a, back)) {
      const std::chrono::nanoseconds time = Clock::now() - begin;
      trips.times_ns.push_back(static_cast<std::uint64_t>(time.count()));
    } else {
      ++trips.lost;
    }
  }
  std::sort(trips.times_ns.begin(), trips.times_ns.end());
  return trips;
}

}  // namespace lanyard::bench
