// What a network says of stations that move: a line for each that moves, one for a loop.
#include "frames/loop_watch.h"

#include <catch2/catch.hpp>
#include <map>

namespace loop_watch_test {

using namespace lanyard;
using Sight = LoopWatch::Sight;

namespace {

MacAddress station(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }

// How often each was said of `moves` moves of one station.
std::map<Sight, unsigned> note(LoopWatch& watch, unsigned moves, MacAddress mover = station(1)) {
  std::map<Sight, unsigned> sights;
  for (unsigned i = 0; i < moves; ++i) ++sights[watch.note(mover)];
  return sights;
}

void pass(LoopWatch& watch, unsigned seconds) {
  for (unsigned i = 0; i < seconds; ++i) CHECK_FALSE(watch.second_passed());
}

}  // namespace

TEST_CASE("stations that move once, or there and back, are no loop, however many they are") {
  LoopWatch watch;
  for (std::uint64_t number = 0; number < 1000; ++number) CHECK(note(watch, 1, station(number))[Sight::plain_move] == 1);
  CHECK_FALSE(watch.second_passed());
  CHECK(note(watch, 2)[Sight::plain_move] == 2);
  CHECK_FALSE(watch.is_suspected());
}

TEST_CASE("a station that goes to and fro is told twice, then as a loop, once") {
  LoopWatch watch;
  auto sights = note(watch, 1000);
  CHECK(sights[Sight::plain_move] == LoopWatch::plain_moves_max);
  CHECK(sights[Sight::loop_begins] == 1);
  for (unsigned second = 0; second < 60; ++second) {
    CHECK_FALSE(watch.second_passed());
    sights = note(watch, 1000);
    CHECK(sights[Sight::restless] == 1000);
  }
  CHECK(watch.is_suspected());
}

TEST_CASE("a loop with more stations than are followed is found all the same") {
  LoopWatch watch;
  unsigned told = 0;
  for (unsigned round = 0; round < 100; ++round)
    for (std::uint64_t number = 0; number < 3 * LoopWatch::stations_max; ++number)
      told += watch.note(station(number)) == Sight::loop_begins ? 1 : 0;
  CHECK(told == 1);
}

TEST_CASE("moves of different seconds are not added up") {
  LoopWatch watch;
  for (unsigned second = 0; second < 60; ++second) {
    CHECK(note(watch, LoopWatch::moves_min - 1)[Sight::loop_begins] == 0);
    CHECK_FALSE(watch.second_passed());
  }
  CHECK_FALSE(watch.is_suspected());
}

TEST_CASE("a loop has ended when nothing went to and fro for a while, and another is told again") {
  LoopWatch watch;
  CHECK(note(watch, LoopWatch::moves_min)[Sight::loop_begins] == 1);
  pass(watch, LoopWatch::quiet_seconds_max);  // the first of them was not quiet
  note(watch, LoopWatch::moves_min);          // it goes on
  pass(watch, LoopWatch::quiet_seconds_max);
  note(watch, LoopWatch::moves_min - 1);  // that is no loop
  CHECK(watch.second_passed());
  CHECK_FALSE(watch.is_suspected());
  CHECK(note(watch, LoopWatch::moves_min)[Sight::loop_begins] == 1);
}

}  // namespace loop_watch_test
