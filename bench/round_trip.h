// Round trips through the program under test: one frame there, one back, then the next. How long they take
// while the switch is busy elsewhere says whether one port can hold up another.
//
// They are a part of a stretch of traffic (flow.h), driven by the same thread as the flows beside them: two
// processes on one core would take turns of milliseconds, and the figure would be the scheduler's.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/station.h"
#include "bench/traffic.h"

namespace lanyard::bench {

class RoundTrips {
 public:
  struct Limits {
    std::uint64_t count = 0;
    double per_second = 0;  // started at most; 0: the next at once
  };

  // REQUIRES: the stations outlive this.
  RoundTrips(Station& a, Station& b, std::size_t frame_bytes, const Limits& limits);

  // Does what can be done without waiting; true when it did anything. Starts no trip when `starting` is false.
  bool step(bool starting);

  // Whose readability it waits for; nullptr between two trips.
  [[nodiscard]] const Station* awaited() const;
  // When it has something to do even if nothing arrives; never where it rests and starts no trip.
  [[nodiscard]] Clock::time_point due(bool starting) const;
  [[nodiscard]] bool all_started() const { return sent_ >= limits_.count; }

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }  // not back within a second
  // Nanoseconds of those that came back.
  [[nodiscard]] const std::vector<std::uint64_t>& times_ns() const { return times_ns_; }

 private:
  enum class State { resting, there, back };

  Station& a_;
  Station& b_;
  Burst there_;
  Burst back_;
  const Limits limits_;
  const Clock::time_point start_;
  State state_ = State::resting;
  Clock::time_point began_;  // of the present trip
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
  std::vector<std::uint64_t> times_ns_;
};

// The smallest time that `share` (0 to 1) of them did not exceed; 0 when there are none.
[[nodiscard]] std::uint64_t quantile(const std::vector<std::uint64_t>& sorted, double share);

}  // namespace lanyard::bench
