// When a switch waits for more frames, and when it stops.
#include "transports/gathering.h"

#include <algorithm>
#include <catch2/catch.hpp>

namespace gathering_test {

using lanyard::Gathering;

namespace {

// The slowest that is worth it: one frame, and the next so much later.
constexpr std::uint64_t pace_ns = Gathering::wait_ns / Gathering::worth_frames;
static_assert(pace_ns < Gathering::close_ns);

struct Switch {
  Gathering gathering;
  std::uint64_t now_ns = 1'000'000'000;

  void turn(std::size_t frames, std::uint64_t apart_ns = pace_ns) {
    now_ns += apart_ns;
    gathering.woke(now_ns, frames, gathering.is_on());
  }
  // How many such turns it takes until it waits for more; 0: none of `most`.
  unsigned turns_until_on(std::size_t frames, std::uint64_t apart_ns, unsigned most) {
    for (unsigned i = 1; i <= most; ++i) {
      turn(frames, apart_ns);
      if (gathering.is_on()) return i;
    }
    return 0;
  }
  // From a state in which nothing has come for long.
  unsigned row() {
    turn(1, 1'000'000);
    return turns_until_on(1, pace_ns, 2 * Gathering::row_max);
  }
};

// As many frames as come in the longest wait, when they come as fast as in row().
constexpr std::size_t at_that_pace = Gathering::wait_ns / pace_ns;

}  // namespace

TEST_CASE("frames that trickle in without a break are waited for") {
  Switch a;
  CHECK(a.row() == Gathering::row_min);
}

TEST_CASE("frames that come now and then, or many at once, are not waited for") {
  Switch a;
  CHECK(a.turns_until_on(Gathering::many_frames - 1, Gathering::close_ns, 10'000) == 0);
  CHECK(a.turns_until_on(1, pace_ns + 1, 10'000) == 0);
  CHECK(a.turns_until_on(Gathering::many_frames, pace_ns, 10'000) == 0);
  SECTION("nor where one such turn is between the others") {
    for (unsigned i = 0; i < 1000; ++i) {
      a.turn(i % Gathering::row_min == 0 ? Gathering::many_frames : 1);
      REQUIRE_FALSE(a.gathering.is_on());
    }
  }
}

TEST_CASE("a row goes by its average, so that single turns may be further apart") {
  constexpr std::uint64_t far_ns = Gathering::close_ns - 1;
  Switch a;
  a.turn(1, 1'000'000);
  for (unsigned i = 1; i <= Gathering::row_min; ++i) {
    REQUIRE_FALSE(a.gathering.is_on());
    a.turn(1, i % 2 == 0 ? far_ns : 2 * pace_ns - far_ns);
  }
  CHECK(a.gathering.is_on());
}

TEST_CASE("a slow row is forgotten where a faster one follows") {
  Switch a;
  CHECK(a.turns_until_on(1, pace_ns + 1, Gathering::row_min) == 0);
  CHECK(a.turns_until_on(1, pace_ns, 2 * Gathering::row_min) == Gathering::row_min + 1);
}

TEST_CASE("the pace is of frames, not of turns") {
  Switch a;
  a.turn(2, 1'000'000);
  CHECK(a.turns_until_on(2, Gathering::close_ns - 1, Gathering::row_min) == Gathering::row_min);
}

TEST_CASE("turns without frames do not bring those with frames closer") {
  Switch a;
  for (unsigned i = 0; i < 1000; ++i) {
    a.turn(Gathering::many_frames - 1, Gathering::close_ns / 2);
    REQUIRE_FALSE(a.gathering.is_on());
    a.turn(0, Gathering::close_ns / 2);
  }
}

TEST_CASE("turns without frames do not count, and break no row") {
  Switch a;
  a.turn(1, 1'000'000);
  for (unsigned i = 0; i < Gathering::row_min; ++i) {
    REQUIRE_FALSE(a.gathering.is_on());
    a.turn(0, pace_ns / 3);
    a.turn(1, pace_ns / 3);
  }
  CHECK(a.gathering.is_on());
}

TEST_CASE("a row has to be twice as long after each wait that brought nothing") {
  Switch a;
  for (unsigned row = Gathering::row_min; row <= Gathering::row_max; row *= 2) {
    REQUIRE(a.row() == row);
    a.turn(Gathering::worth_frames - 1, Gathering::wait_ns);
    REQUIRE_FALSE(a.gathering.is_on());
  }
  REQUIRE(a.row() == Gathering::row_max);
  SECTION("and half as long after waits that were worth it") {
    for (unsigned i = 0; i < Gathering::waits_min; ++i) a.turn(at_that_pace, Gathering::wait_ns);
    a.turn(0, Gathering::wait_ns);
    CHECK(a.row() == Gathering::row_max / 2);
  }
  SECTION("but not after one that was, which an answer of several frames may be") {
    a.turn(at_that_pace, Gathering::wait_ns);
    a.turn(1, Gathering::wait_ns);
    CHECK(a.row() == Gathering::row_max);
  }
}

TEST_CASE("waits are judged eight at a time, and three quarters of the row's pace are as fast") {
  constexpr std::size_t twice = 2 * at_that_pace;
  Switch a;
  a.turn(1, 1'000'000);
  REQUIRE(a.turns_until_on(1, pace_ns / 2, Gathering::row_min) == Gathering::row_min);
  SECTION("as fast") {
    for (unsigned i = 0; i < Gathering::waits_judged; ++i) a.turn(3 * twice / 4, Gathering::wait_ns);
    CHECK(a.gathering.is_on());
  }
  SECTION("slower") {
    for (unsigned i = 1; i < Gathering::waits_judged; ++i) {
      a.turn(3 * twice / 4 - 1, Gathering::wait_ns);
      REQUIRE(a.gathering.is_on());
    }
    a.turn(3 * twice / 4 - 1, Gathering::wait_ns);
    CHECK_FALSE(a.gathering.is_on());
    CHECK(a.row() == 2 * Gathering::row_min);
  }
}

TEST_CASE("waits that were worth it, but slower, do not make the next row shorter") {
  Switch a;
  REQUIRE(a.row() == Gathering::row_min);
  a.turn(0, Gathering::wait_ns);
  a.turn(1, 1'000'000);
  REQUIRE(a.turns_until_on(1, pace_ns / 2, 100) == 2 * Gathering::row_min);
  for (unsigned i = 0; i < Gathering::waits_min; ++i) a.turn(Gathering::worth_frames, Gathering::wait_ns);
  a.turn(1, Gathering::wait_ns);
  REQUIRE_FALSE(a.gathering.is_on());
  CHECK(a.row() == 2 * Gathering::row_min);
}

TEST_CASE("it goes on while frames come as fast as before, and now and then looks whether it is needed still") {
  Switch a;
  a.row();
  a.turn(0, Gathering::wait_ns);
  REQUIRE(a.row() == 2 * Gathering::row_min);
  for (unsigned i = 1; i < Gathering::waits_max; ++i) {
    a.turn(at_that_pace, Gathering::wait_ns);
    REQUIRE(a.gathering.is_on());
  }
  a.turn(at_that_pace, Gathering::wait_ns);
  CHECK_FALSE(a.gathering.is_on());
  SECTION("it is") { CHECK(a.turns_until_on(1, pace_ns, 100) == Gathering::row_min); }
  SECTION("the trickle has become a flood") { CHECK(a.turns_until_on(64, pace_ns, 10'000) == 0); }
}

TEST_CASE("a row that has to be longer is forgotten by half every 0.13 s") {
  constexpr std::uint64_t half_life_ns = std::uint64_t{1} << Gathering::half_life_log2_ns;
  Switch a;
  for (unsigned row = Gathering::row_min; row < 64; row *= 2) {
    REQUIRE(a.row() == row);
    a.turn(0, Gathering::wait_ns);
  }
  SECTION("once") {
    a.now_ns += half_life_ns;
    CHECK(a.row() == 32);
  }
  SECTION("twice") {
    a.now_ns += 2 * half_life_ns;
    CHECK(a.row() == 16);
  }
  SECTION("and is no shorter than at first") {
    a.now_ns += 100 * half_life_ns;
    CHECK(a.row() == Gathering::row_min);
  }
  SECTION("also when it has to be longer once more") {
    a.now_ns += half_life_ns;
    REQUIRE(a.row() == 32);
    a.turn(0, Gathering::wait_ns);
    CHECK(a.row() == 64);
  }
  SECTION("also when a port was kept waiting") {
    a.now_ns += half_life_ns;
    REQUIRE(a.row() == 32);
    a.gathering.kept_waiting(a.now_ns);
    CHECK(a.row() == 64);
  }
}

TEST_CASE("a turn that had no time to wait is not judged, but its frames count") {
  Switch a;
  a.row();
  for (unsigned i = 0; i < 10 * Gathering::waits_max; ++i) a.gathering.woke(a.now_ns += pace_ns, 1, false);
  REQUIRE(a.gathering.is_on());
  for (unsigned i = 1; i < Gathering::waits_max; ++i) {
    a.turn(at_that_pace, Gathering::wait_ns);
    REQUIRE(a.gathering.is_on());
  }
}

TEST_CASE("a few frames that all have to wait hold up the next") {
  Gathering gathering;
  CHECK_FALSE(gathering.is_held_up());
  gathering.woke(1'000, Gathering::held_frames_max, false);
  CHECK_FALSE(gathering.is_held_up());
  gathering.kept();
  CHECK(gathering.is_held_up());
  SECTION("but not where others went on") {
    gathering.gave();
    CHECK_FALSE(gathering.is_held_up());
  }
  SECTION("nor once none came") {
    gathering.woke(2'000, 0, false);
    gathering.kept();
    CHECK_FALSE(gathering.is_held_up());
  }
  SECTION("nor where many came, which are cheap as they are") {
    gathering.woke(2'000, Gathering::held_frames_max + 1, false);
    gathering.kept();
    CHECK_FALSE(gathering.is_held_up());
  }
  SECTION("and what was kept or given in one turn says nothing of the next") {
    gathering.woke(2'000, 1, false);
    CHECK_FALSE(gathering.is_held_up());
    gathering.gave();
    gathering.woke(3'000, 1, false);
    gathering.kept();
    CHECK(gathering.is_held_up());
  }
}

TEST_CASE("what goes on beside a port that takes no more is not held up for 10 ms") {
  Gathering gathering;
  std::uint64_t now_ns = 1'000'000;
  const auto turn = [&](bool gives) {
    gathering.woke(now_ns, 1, false);
    gives ? gathering.gave() : gathering.kept();
  };
  gathering.port_blocked();
  turn(true);
  const std::uint64_t quiet_ns = now_ns + Gathering::others_ns;
  now_ns = quiet_ns - 1;
  turn(false);
  CHECK_FALSE(gathering.is_held_up());
  now_ns = quiet_ns;
  turn(false);
  CHECK(gathering.is_held_up());
  SECTION("be it for a port that took no more itself, while another does not") {
    gathering.port_blocked();
    gathering.port_unblocked();
    turn(true);
    turn(false);
    CHECK_FALSE(gathering.is_held_up());
  }
  SECTION("but what that port itself takes in the end is nothing beside it") {
    gathering.port_unblocked();
    turn(true);
    gathering.port_blocked();
    turn(false);
    CHECK(gathering.is_held_up());
  }
}

TEST_CASE("turns that had no time to wait are judged neither as waits nor for their pace") {
  constexpr std::uint64_t slowly_ns = 10 * pace_ns;
  Switch a;
  a.row();
  for (unsigned i = 1; i < Gathering::waits_judged; ++i) a.turn(at_that_pace, Gathering::wait_ns);
  a.gathering.woke(a.now_ns += slowly_ns, 1, false);
  CHECK(a.gathering.is_on());
}

TEST_CASE("where a port was kept waiting to be sent to, it ends") {
  Switch a;
  REQUIRE(a.row() == Gathering::row_min);
  a.gathering.kept_waiting(a.now_ns);
  CHECK_FALSE(a.gathering.is_on());
  a.gathering.kept_waiting(a.now_ns);  // while it is off that says nothing
  CHECK(a.row() == 2 * Gathering::row_min);
}

// Each of some stations sends one frame, and the next when it was answered: two turns of the switch further on. A turn
// finds two frames at most, one that waited for more all that are under way.
struct RoundTrips {
  unsigned stations;
  std::uint64_t turn_ns;
  Switch a{};
  std::uint64_t began_ns = a.now_ns;
  std::uint64_t waited_ns = 0;  // in turns that waited

  // Returns frames for each nanosecond; without gathering for comparison.
  double run(bool gathers) {
    std::uint64_t frames = 0;
    unsigned ready = stations, answered = 0;  // frames at the switch; frames at the stations
    for (unsigned i = 0; i < 100'000; ++i) {
      const bool waits = gathers && a.gathering.is_on();
      const unsigned found = waits ? ready + answered : std::min(ready, 2U);
      const std::uint64_t took_ns = turn_ns + (waits ? Gathering::wait_ns : 0);
      if (gathers) a.turn(found, took_ns);
      else a.now_ns += took_ns;
      ready += answered - found;
      answered = found;
      frames += found;
      if (waits) waited_ns += took_ns;
    }
    return static_cast<double>(frames) / static_cast<double>(a.now_ns - began_ns);
  }
};

TEST_CASE("stations that wait for answers are hardly ever kept waiting") {
  RoundTrips trips{GENERATE(1U, 2U, 4U, 6U, 8U), 4'000};
  CAPTURE(trips.stations);
  trips.run(true);
  CHECK(100 * trips.waited_ns < 5 * (trips.a.now_ns - trips.began_ns));
}

// Where a turn takes so long that a wait brings nearly as many frames as the turns in its place would, it does wait.
TEST_CASE("stations that wait for answers get three quarters of them or more, however long a turn takes") {
  const unsigned stations = GENERATE(1U, 2U, 4U, 6U, 8U);
  const std::uint64_t turn_ns = GENERATE(2'000U, 8'000U, 12'000U, 16'000U);
  CAPTURE(stations, turn_ns);
  CHECK(RoundTrips{stations, turn_ns}.run(true) >= 0.75 * RoundTrips{stations, turn_ns}.run(false));
}

}  // namespace gathering_test
