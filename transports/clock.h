// The clocks, in nanoseconds.
#pragma once

#include <time.h>

#include <cstdint>

namespace lanyard {

[[nodiscard]] inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000ULL + static_cast<std::uint64_t>(now.tv_nsec);
}
[[nodiscard]] inline std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }
// Since 1970, as people set it: it may jump.
[[nodiscard]] inline std::uint64_t unix_ns() { return clock_ns(CLOCK_REALTIME); }

}  // namespace lanyard
