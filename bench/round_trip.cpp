// Round trips; see round_trip.h.
#include "bench/round_trip.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace lanyard::bench {

namespace {

constexpr Clock::duration answer_longest = std::chrono::seconds(1);

Burst single_frame(MacAddress from, MacAddress to, std::size_t bytes) {
  return std::move(make_bursts({from, to}, std::array{bytes}, 1).front());
}

// One small frame at a time: there is always room for it, or soon.
void send_all(Station& from, const Burst& burst) {
  while (!from.send(burst)) {
  }
}

}  // namespace

RoundTrips::RoundTrips(Station& a, Station& b, std::size_t frame_bytes, const Limits& limits)
    : a_(a),
      b_(b),
      there_(single_frame(a.mac(), b.mac(), frame_bytes)),
      back_(single_frame(b.mac(), a.mac(), frame_bytes)),
      limits_(limits),
      start_(Clock::now()) {}

bool RoundTrips::step(bool starting) {
  if (state_ == State::resting) {
    if (Clock::now() < due(starting)) return false;
    ++sent_;
    began_ = Clock::now();
    send_all(a_, there_);
    state_ = State::there;
    return true;
  }
  const bool there = state_ == State::there;
  Tally tally;
  const bool any = (there ? b_ : a_).receive(tally);
  if (tally.frames > 0 && there) {
    send_all(b_, back_);
    state_ = State::back;
  } else if (tally.frames > 0) {
    const std::chrono::nanoseconds time = Clock::now() - began_;
    times_ns_.push_back(static_cast<std::uint64_t>(time.count()));
    state_ = State::resting;
  } else if (Clock::now() >= due(starting)) {
    ++lost_;
    state_ = State::resting;
  }
  return any;
}

const Station* RoundTrips::awaited() const {
  if (state_ == State::resting) return nullptr;
  return state_ == State::there ? &b_ : &a_;
}

Clock::time_point RoundTrips::due(bool starting) const {
  if (state_ != State::resting) return began_ + answer_longest;
  if (!starting || all_started()) return Clock::time_point::max();
  if (limits_.per_second <= 0) return start_;
  const std::chrono::duration<double> due(static_cast<double>(sent_) / limits_.per_second);
  return start_ + std::chrono::duration_cast<Clock::duration>(due);
}

std::uint64_t quantile(const std::vector<std::uint64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace lanyard::bench
