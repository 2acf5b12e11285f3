// core_distance: how far apart the two cores are that the other bench programs run on: prints how long a cache line
// takes from core 0 to core 1 and back, in nanoseconds, the mean of 10 ms. What one program writes and another reads
// travels so, 24 lines for a frame of 1514 bytes. On a virtual machine it is the host that decides where cores are,
// and it may move them at any time: what the pump and the switch cost then varies together with this.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <thread>

#include "bench/endpoint.h"

namespace lanyard::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto duration = std::chrono::milliseconds(10);
constexpr unsigned round_trips_per_look = 64;  // at the clock
constexpr std::uint64_t ended = ~std::uint64_t{0};

// One line each, and none beside it that the processor would fetch along.
struct alignas(128) Line {
  std::atomic<std::uint64_t> value{0};
};

void run_on(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) system_error("sched_setaffinity");
}

// Sends back what comes, from core 1.
void answer(const Line& there, Line& back) {
  run_on(1);
  std::uint64_t expected = 1;
  while (true) {
    const std::uint64_t value = there.value.load(std::memory_order_acquire);
    if (value == ended) return;
    if (value == expected) back.value.store(expected++, std::memory_order_release);
  }
}

double round_trip_ns() {
  Line there;
  Line back;
  std::thread other(answer, std::cref(there), std::ref(back));
  run_on(0);
  std::uint64_t sent = 0;
  const auto go = [&] {
    there.value.store(++sent, std::memory_order_release);
    while (back.value.load(std::memory_order_acquire) != sent) {}
  };
  go();  // waits until the other thread runs
  const std::uint64_t before = sent;
  const Clock::time_point begin = Clock::now();
  Clock::time_point now = begin;
  while (now < begin + duration) {
    for (unsigned i = 0; i < round_trips_per_look; ++i) go();
    now = Clock::now();
  }
  const std::uint64_t trips = sent - before;
  there.value.store(ended, std::memory_order_release);
  other.join();
  return std::chrono::duration<double, std::nano>(now - begin).count() / static_cast<double>(trips);
}

}  // namespace
}  // namespace lanyard::bench

int main() {
  std::printf("%.1f\n", lanyard::bench::round_trip_ns());
  return 0;
}
