// core_distance CORE OTHER: how far apart two cores are: prints how long a cache line takes from one to the other and
// back, in nanoseconds, the median of 10 ms of such trips. What one program writes and another reads travels so, 24
// lines for a frame of 1514 bytes. On a virtual machine it is the host that decides where cores are, and it may move
// them at any time. A trip during which one of them did not run is far above the median, and does not move it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "bench/endpoint.h"

namespace lanyard::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto duration = std::chrono::milliseconds(10);
constexpr unsigned trips_per_look = 64;  // at the clock
constexpr std::uint64_t ended = ~std::uint64_t{0};

// One line each, and none beside it that the processor would fetch along.
struct alignas(128) Line {
  std::atomic<std::uint64_t> value{0};
};

// Sends back what comes.
void answer(int core, const Line& there, Line& back) {
  pin_to_core(core);
  std::uint64_t expected = 1;
  while (true) {
    const std::uint64_t value = there.value.load(std::memory_order_acquire);
    if (value == ended) return;
    if (value == expected) back.value.store(expected++, std::memory_order_release);
  }
}

double median_trip_ns(int core, int other_core) {
  Line there;
  Line back;
  std::thread other(answer, other_core, std::cref(there), std::ref(back));
  pin_to_core(core);
  std::uint64_t sent = 0;
  const auto go = [&] {
    there.value.store(++sent, std::memory_order_release);
    while (back.value.load(std::memory_order_acquire) != sent) {}
  };
  go();  // waits until the other thread runs
  std::vector<Clock::duration> looks;
  const Clock::time_point begin = Clock::now();
  for (Clock::time_point now = begin; now < begin + duration;) {
    for (unsigned i = 0; i < trips_per_look; ++i) go();
    const Clock::time_point before = std::exchange(now, Clock::now());
    looks.push_back(now - before);
  }
  there.value.store(ended, std::memory_order_release);
  other.join();
  const auto middle = looks.begin() + static_cast<std::ptrdiff_t>(looks.size() / 2);
  std::nth_element(looks.begin(), middle, looks.end());
  return std::chrono::duration<double, std::nano>(*middle).count() / trips_per_look;
}

}  // namespace
}  // namespace lanyard::bench

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: core_distance CORE OTHER\n");
    return 2;
  }
  std::printf("%.1f\n", lanyard::bench::median_trip_ns(std::atoi(argv[1]), std::atoi(argv[2])));
  return 0;
}
