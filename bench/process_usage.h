// What a process has used so far, read from outside: the figure of every row is the difference of two
// readings.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace lanyard::bench {

struct ProcessUsage {
  std::uint64_t cpu_ns = 0;        // user and system, all threads, those of io_uring and those gone included
  std::uint64_t sleeps = 0;        // times a living thread waited of its own accord
  std::uint64_t rss_bytes = 0;     // resident now
  std::uint64_t core_busy_ns = 0;  // of the core it ran on last, in ticks
  std::uint64_t clock_ns = 0;      // when this was read
};

// What others did on the process's core between two readings, as a share of the time; exact to a few ticks.
[[nodiscard]] double share_of_others(const ProcessUsage& before, const ProcessUsage& after);

// All zero when pid is 0. Ends the program when the process is gone.
[[nodiscard]] ProcessUsage read_usage(pid_t pid);

}  // namespace lanyard::bench
