// core_distance CORE OTHER: how far apart two cores are: prints how long a cache line takes from one to the other and
// back, in nanoseconds, the median of looks at 64 such trips each, for 10 ms. What one program writes and another reads
// travels so, 24 lines for a frame of 1514 bytes. On a virtual machine it is the host that decides where cores are, and
// it may move them at any time. A look during which one of them did not run is far above the median and does not move
// it, as there are at least 16.
#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "bench/endpoint.h"

namespace lanyard::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto duration = std::chrono::milliseconds(10);
constexpr unsigned trips_per_look = 64;  // at the clock
constexpr std::size_t looks_min = 16;
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
  for (Clock::time_point now = begin; now < begin + duration || looks.size() < looks_min;) {
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
  std::array<int, 2> cores{};
  const auto parse = [&](std::size_t i) {
    const std::string_view text = argv[i + 1];
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cores[i]);
    return error == std::errc() && end == text.data() + text.size() && cores[i] >= 0;
  };
  if (argc != 3 || !parse(0) || !parse(1)) {
    std::fprintf(stderr, "usage: core_distance CORE OTHER\n");
    return 2;
  }
  std::printf("%.1f\n", lanyard::bench::median_trip_ns(cores[0], cores[1]));
  return 0;
}
