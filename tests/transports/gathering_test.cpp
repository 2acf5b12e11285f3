// When a switch waits for more frames, and when it stops.
#include "transports/gathering.h"

#include <catch2/catch.hpp>

using lanyard::Gathering;

namespace {

constexpr std::uint64_t close_ns = Gathering::close_ns - 1;

// Turns of one frame each, `apart_ns` apart, after which it would wait for more; 0: none of `most`.
struct Switch {
  Gathering gathering;
  std::uint64_t now_ns = 1'000'000'000;

  void turn(std::size_t frames, std::uint64_t apart_ns = close_ns) {
    now_ns += apart_ns;
    gathering.woke(now_ns, frames);
  }
  unsigned turns_until_on(std::size_t frames, std::uint64_t apart_ns, unsigned most) {
    for (unsigned i = 1; i <= most; ++i) {
      turn(frames, apart_ns);
      if (gathering.is_on()) return i;
    }
    return 0;
  }
};

}  // namespace

TEST_CASE("frames that trickle in without a break are waited for") {
  Switch a;
  a.turn(1, 1'000'000);  // the first is close to none
  CHECK(a.turns_until_on(1, close_ns, 100) == Gathering::row_min);
}

TEST_CASE("frames that come now and then, or many at once, are not waited for") {
  Switch a;
  CHECK(a.turns_until_on(1, Gathering::close_ns, 10'000) == 0);
  CHECK(a.turns_until_on(Gathering::few_frames, close_ns, 10'000) == 0);
  SECTION("nor where one such turn is between the others") {
    for (unsigned i = 0; i < 1000; ++i) {
      a.turn(i % Gathering::row_min == 0 ? Gathering::few_frames : 1);
      REQUIRE_FALSE(a.gathering.is_on());
    }
  }
}

TEST_CASE("turns without frames do not count, and break no row") {
  Switch a;
  a.turn(1, 1'000'000);
  for (unsigned i = 0; i < Gathering::row_min; ++i) {
    REQUIRE_FALSE(a.gathering.is_on());
    a.turn(0, close_ns / 3);
    a.turn(1, close_ns / 3);
  }
  CHECK(a.gathering.is_on());
}

TEST_CASE("it goes on while it brings frames, and tries ever less often where it does not") {
  Switch a;
  a.turn(1, 1'000'000);
  REQUIRE(a.turns_until_on(1, close_ns, 100) == Gathering::row_min);
  for (int i = 0; i < 100; ++i) {
    a.turn(Gathering::worth_frames, Gathering::wait_ns);
    REQUIRE(a.gathering.is_on());
  }
  for (unsigned row = 2 * Gathering::row_min; row <= Gathering::row_max; row *= 2) {
    a.turn(Gathering::worth_frames - 1, Gathering::wait_ns);
    REQUIRE_FALSE(a.gathering.is_on());
    REQUIRE(a.turns_until_on(1, close_ns, 10'000) == row);
  }
  a.turn(0, Gathering::wait_ns);
  CHECK(a.turns_until_on(1, close_ns, 10'000) == Gathering::row_max + 1);  // the first came too long after its forerunner
  SECTION("until it is worth it again") {
    a.turn(Gathering::worth_frames, Gathering::wait_ns);
    a.turn(0, Gathering::wait_ns);
    CHECK(a.turns_until_on(1, close_ns, 10'000) == 2 * Gathering::row_min + 1);
  }
}
