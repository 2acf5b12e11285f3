// Spells of a counter: what is told of once.
#include "switchd/spell.h"

#include <catch2/catch.hpp>

namespace spell_test {

using namespace lanyard;
using Change = Spell::Change;

TEST_CASE("a spell begins once, however long it goes on, and ends when nothing came for a while") {
  Spell spell;
  CHECK(spell.look(0) == Change::none);
  CHECK(spell.look(3) == Change::began);
  CHECK(spell.count() == 3);
  for (std::uint64_t now = 4; now < 100; ++now) CHECK(spell.look(now) == Change::none);
  for (unsigned quiet = 1; quiet < Spell::quiet_looks_max; ++quiet) CHECK(spell.look(99) == Change::none);
  CHECK(spell.look(99) == Change::ended);
  CHECK(spell.count() == 99);
  for (unsigned quiet = 0; quiet < 2 * Spell::quiet_looks_max; ++quiet) CHECK(spell.look(99) == Change::none);
}

TEST_CASE("a short pause does not end a spell") {
  Spell spell;
  CHECK(spell.look(1) == Change::began);
  for (std::uint64_t now = 1; now < 10; ++now) {
    for (unsigned quiet = 1; quiet < Spell::quiet_looks_max; ++quiet) CHECK(spell.look(now) == Change::none);
    CHECK(spell.look(now + 1) == Change::none);
  }
}

TEST_CASE("after a pause that was long enough the next spell begins, and counts anew") {
  Spell spell;
  CHECK(spell.look(10) == Change::began);
  for (unsigned quiet = 1; quiet < Spell::quiet_looks_max; ++quiet) CHECK(spell.look(10) == Change::none);
  CHECK(spell.look(10) == Change::ended);
  CHECK(spell.look(14) == Change::began);
  CHECK(spell.count() == 4);
}

TEST_CASE("what is skipped begins no spell, ends none, and is not counted in one") {
  Spell spell;
  spell.skip_to(100);
  CHECK(spell.look(100) == Change::none);
  CHECK(spell.look(107) == Change::began);
  CHECK(spell.count() == 7);
  spell.skip_to(1000);
  CHECK(spell.count() == 7);
  CHECK(spell.look(1002) == Change::none);
  CHECK(spell.count() == 9);
  spell.skip_to(5000);
  for (unsigned quiet = 1; quiet < Spell::quiet_looks_max; ++quiet) CHECK(spell.look(5000) == Change::none);
  CHECK(spell.look(5000) == Change::ended);
  CHECK(spell.count() == 9);
}

}  // namespace spell_test
