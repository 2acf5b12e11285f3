// What a network's memory of its stations promises: learning, moving, ageing, and who makes room when it is
// full.
#include "frames/mac_table.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace mac_table_test {

using namespace lanyard;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

MacAddress station(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }

// Everything the table lists, taken in slices of `slice` entries; fails on a station listed twice.
std::map<std::uint64_t, MacTable::Entry> listed(const MacTable& table, std::uint64_t now_ns,
                                                std::size_t slice = 7) {
  std::map<std::uint64_t, MacTable::Entry> all;
  std::vector<MacTable::Entry> out(slice);
  for (std::size_t cursor = 0; cursor != MacTable::list_end;) {
    const std::size_t entries = table.list(cursor, out, now_ns);
    REQUIRE(entries <= slice);
    for (std::size_t i = 0; i < entries; ++i) REQUIRE(all.emplace(out[i].station.value(), out[i]).second);
  }
  return all;
}

}  // namespace

TEST_CASE("a station is found on the port it was heard on") {
  MacTable table({});
  CHECK(table.look_up(station(1), 0) == no_port);
  CHECK_FALSE(table.learn(station(1), 3, 0));
  CHECK(table.look_up(station(1), 0) == 3);
  CHECK(table.look_up(station(2), 0) == no_port);
  CHECK(table.size() == 1);
  CHECK(table.size_on(3) == 1);
}

TEST_CASE("a MAC that moves is re-learned at once") {
  MacTable table({});
  table.learn(station(1), 3, 0);
  CHECK(table.learn(station(1), 4, 0));
  CHECK(table.look_up(station(1), 0) == 4);
  CHECK(table.size() == 1);
  CHECK(table.size_on(3) == 0);
  CHECK(table.size_on(4) == 1);
  CHECK(table.moves() == 1);
  CHECK_FALSE(table.learn(station(1), 4, 1));
  CHECK(table.moves() == 1);
}

TEST_CASE("every address and every port can be learned") {
  MacTable table({});
  std::uint64_t number = 0;
  for (const std::uint64_t value :
       {0x0ULL, 0x1ULL, 0x8000'0000'0000ULL, 0xFFFF'FFFF'FFFFULL, 0x5254'0000'0001ULL})
    for (const PortIndex port : {PortIndex{0}, static_cast<PortIndex>(limits::ports_max - 1)}) {
      table.learn(MacAddress(value), port, ++number);
      CHECK(table.look_up(MacAddress(value), number) == port);
    }
  CHECK(table.size() == 5);
}

TEST_CASE("a station not heard of for the ageing time is not found, swept or not") {
  MacTable table({.ageing_ns = 300 * second});
  table.learn(station(1), 3, 1000 * second);
  CHECK(table.look_up(station(1), 1300 * second - 1) == 3);
  CHECK(table.look_up(station(1), 1300 * second) == no_port);
  CHECK(listed(table, 1300 * second).empty());
}

TEST_CASE("a station that speaks stays known") {
  MacTable table({.ageing_ns = 300 * second});
  for (std::uint64_t now = 0; now < 2000 * second; now += 299 * second) {
    table.learn(station(1), 3, now);
    table.age(now + 298 * second);
    CHECK(table.look_up(station(1), now + 298 * second) == 3);
  }
}

TEST_CASE("an aged station that turns up on another port has not moved") {
  MacTable table({.ageing_ns = 300 * second});
  table.learn(station(1), 3, 0);
  CHECK_FALSE(table.learn(station(1), 4, 300 * second));
  CHECK(table.look_up(station(1), 300 * second) == 4);
  CHECK(table.moves() == 0);
}

TEST_CASE("an ageing time without end never forgets") {
  MacTable table({.ageing_ns = ~std::uint64_t{0}});
  table.learn(station(1), 3, 5);
  const std::uint64_t late = ~std::uint64_t{0} - 1;
  table.age(late);
  CHECK(table.look_up(station(1), late) == 3);
}

TEST_CASE("an ageing time of zero remembers nothing") {
  MacTable table({.ageing_ns = 0});
  table.learn(station(1), 3, 5);
  CHECK(table.look_up(station(1), 5) == no_port);
  table.age(1'000'000);
  CHECK(table.size() == 0);
}

TEST_CASE("a clock that stands still or steps back forgets nobody") {
  MacTable table({.ageing_ns = 300 * second});
  table.learn(station(1), 3, 1000 * second);
  table.age(1000 * second);
  table.age(10 * second);
  CHECK(table.look_up(station(1), 10 * second) == 3);
  CHECK(table.size() == 1);
}

TEST_CASE("aged stations give up their places within an eighth of the ageing time") {
  const std::size_t stations = GENERATE(std::size_t{1}, std::size_t{500}, std::size_t{100'000});
  CAPTURE(stations);
  MacTable table({.ageing_ns = 300 * second});
  for (std::size_t i = 0; i < stations; ++i) table.learn(station(i), static_cast<PortIndex>(i % 9), 0);
  std::uint64_t now = 300 * second;
  table.age(now - 1);
  CHECK(table.size() == stations);
  for (int calls = 0; calls < 76; ++calls) table.age(now += second / 2);  // 38 s
  CHECK(table.size() == 0);
}

TEST_CASE("one step of ageing is bounded however long nobody called") {
  MacTable table({.ageing_ns = 300 * second});
  for (std::size_t i = 0; i < 100'000; ++i) table.learn(station(i), 1, 0);
  table.age(1'000'000 * second);
  CHECK(table.size() > 95'000);
}

TEST_CASE("forgetting a port forgets all of its stations and no others") {
  MacTable table({});
  for (std::uint64_t i = 0; i < 3000; ++i) table.learn(station(i), static_cast<PortIndex>(i % 3), 0);
  table.forget_port(1);
  table.forget_port(1);
  table.forget_port(4000);
  for (std::uint64_t i = 0; i < 3000; ++i)
    REQUIRE(table.look_up(station(i), 0) == (i % 3 == 1 ? no_port : i % 3));
  CHECK(table.size() == 2000);
  CHECK(table.size_on(1) == 0);
}

TEST_CASE("the table holds as many stations as its capacity says and no more") {
  const std::size_t capacity = GENERATE(std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{1000});
  CAPTURE(capacity);
  MacTable table({.capacity = capacity});
  for (std::uint64_t i = 0; i < capacity; ++i) table.learn(station(i), 0, i);
  CHECK(table.size() == capacity);
  CHECK(table.evictions() == 0);
  for (std::uint64_t i = 0; i < capacity; ++i) REQUIRE(table.look_up(station(i), capacity) == 0);
  for (std::uint64_t i = capacity; i < 2 * capacity; ++i) {
    table.learn(station(i), 0, i);
    REQUIRE(table.look_up(station(i), i) == 0);
    REQUIRE(table.look_up(station(i - capacity), i) == no_port);  // the oldest made room
  }
  CHECK(table.size() == capacity);
  CHECK(table.evictions() == capacity);
}

TEST_CASE("a port that floods addresses evicts only its own") {
  MacTable table({.capacity = 1000});
  for (std::uint64_t i = 0; i < 90; ++i) table.learn(station(i), static_cast<PortIndex>(1 + i / 10), i);
  for (std::uint64_t i = 0; i < 50'000; ++i) table.learn(station(1000 + i), 0, 100 + i);
  for (std::uint64_t i = 0; i < 90; ++i) REQUIRE(table.look_up(station(i), 100'000) == 1 + i / 10);
  CHECK(table.size_on(0) == 910);
  CHECK(table.size() == 1000);
  CHECK(table.evictions() == 50'000 - 910);
}

TEST_CASE("a flood does not keep other ports from learning") {
  MacTable table({.capacity = 1000});
  for (std::uint64_t i = 0; i < 5000; ++i) table.learn(station(1000 + i), 0, i);
  for (std::uint64_t i = 0; i < 90; ++i) table.learn(station(i), static_cast<PortIndex>(1 + i / 10), 5000);
  for (std::uint64_t i = 0; i < 5000; ++i) table.learn(station(10'000 + i), 0, 5001 + i);
  for (std::uint64_t i = 0; i < 90; ++i) REQUIRE(table.look_up(station(i), 10'001) == 1 + i / 10);
}

TEST_CASE("two ports that flood end with equal shares") {
  MacTable table({.capacity = 1000});
  for (std::uint64_t i = 0; i < 5000; ++i) table.learn(station(i), 1, i);
  for (std::uint64_t i = 5000; i < 10'000; ++i) table.learn(station(i), static_cast<PortIndex>(1 + i % 2), i);
  CHECK(table.size_on(1) == 500);
  CHECK(table.size_on(2) == 500);
}

TEST_CASE("stations that go on speaking survive a flood behind their own port") {
  MacTable table({.capacity = 1000});
  std::uint64_t now = 0;
  for (std::uint64_t round = 0; round < 2; ++round)
    for (std::uint64_t i = 0; i < 800; ++i) table.learn(station(i), 0, ++now);
  for (std::uint64_t i = 0; i < 50'000; ++i) {
    table.learn(station(1000 + i), 0, ++now);
    REQUIRE(table.look_up(station(i % 800), now) == 0);
    table.learn(station(i % 800), 0, ++now);
  }
}

TEST_CASE("a new station can establish itself behind a port full of known ones and flooding") {
  MacTable table({.capacity = 1000});
  std::uint64_t now = 0;
  for (std::uint64_t round = 0; round < 2; ++round)
    for (std::uint64_t i = 0; i < 1000; ++i) table.learn(station(i), 0, ++now);
  std::uint64_t made_up = 10'000;
  for (int i = 0; i < 500; ++i) table.learn(station(++made_up), 0, ++now);
  table.learn(station(5000), 0, ++now);
  for (int i = 0; i < 100; ++i) table.learn(station(++made_up), 0, ++now);
  table.learn(station(5000), 0, ++now);
  for (int i = 0; i < 500; ++i) table.learn(station(++made_up), 0, ++now);
  CHECK(table.look_up(station(5000), now) == 0);
}

TEST_CASE("of the stations heard again, those silent for long go before those that spoke lately") {
  MacTable table({.capacity = 8, .ageing_ns = 800});
  for (std::uint64_t i = 0; i < 8; ++i) table.learn(station(i), 0, 0);
  for (std::uint64_t i = 0; i < 8; ++i) table.learn(station(i), 0, 1);
  for (std::uint64_t i = 0; i < 3; ++i) table.learn(station(i), 0, 200);
  table.learn(station(100), 0, 200);
  CHECK(table.look_up(station(3), 200) == no_port);
  for (const std::uint64_t i : {0U, 1U, 2U, 4U, 5U, 6U, 7U}) CHECK(table.look_up(station(i), 200) == 0);
}

TEST_CASE("making room ends although every station was heard again") {
  MacTable table({.capacity = 1000});
  for (std::uint64_t now = 1; now < 3; ++now)
    for (std::uint64_t i = 0; i < 1000; ++i) table.learn(station(i), 0, now);
  table.learn(station(5000), 1, 3);
  CHECK(table.look_up(station(5000), 3) == 1);
  CHECK(table.size() == 1000);
  CHECK(table.evictions() == 1);
}

TEST_CASE("a network with few stations costs kilobytes whatever its capacity") {
  MacTable table({.capacity = limits::macs_default});
  for (std::uint64_t i = 0; i < 500; ++i) table.learn(station(i), static_cast<PortIndex>(i % 64), 0);
  CHECK(table.memory_bytes() < 32 * limits::kibi);
}

TEST_CASE("a table takes no more memory than it says it may, and not much less when it is full") {
  const std::size_t capacity = GENERATE(std::size_t{1000}, limits::macs_default);
  const std::size_t ports = GENERATE(std::size_t{1}, limits::ports_max);
  MacTable table({.capacity = capacity});
  for (std::uint64_t i = 0; i < 2 * capacity; ++i) table.learn(station(i), static_cast<PortIndex>(i % ports), i);
  CHECK(table.size() == capacity);
  CHECK(table.memory_bytes() <= MacTable::memory_bytes_max(capacity));
  if (capacity == limits::macs_default) CHECK(2 * table.memory_bytes() > MacTable::memory_bytes_max(capacity));
}

TEST_CASE("a listing cut into slices shows every station once") {
  const std::size_t stations =
      GENERATE(std::size_t{0}, std::size_t{1}, std::size_t{400}, std::size_t{20'000});
  const std::size_t slice = GENERATE(std::size_t{1}, std::size_t{64}, std::size_t{100'000});
  CAPTURE(stations, slice);
  MacTable table({});
  for (std::size_t i = 0; i < stations; ++i) table.learn(station(i), static_cast<PortIndex>(i % 5), 10 + i);
  const auto all = listed(table, 30'000, slice);
  CHECK(all.size() == stations);
  for (const auto& [value, entry] : all) {
    const std::uint64_t number = value - station(0).value();
    REQUIRE(entry.port == number % 5);
    REQUIRE(entry.seen_ns == 10 + number);
  }
}

TEST_CASE("a table that grows while it is listed is still listed from end to end") {
  MacTable table({});
  for (std::uint64_t i = 0; i < 400; ++i) table.learn(station(i), 0, 0);
  std::set<std::uint64_t> seen;
  std::array<MacTable::Entry, 50> out;
  std::uint64_t next = 400;
  for (std::size_t cursor = 0; cursor != MacTable::list_end;) {
    const std::size_t entries = table.list(cursor, out, 0);
    for (std::size_t i = 0; i < entries; ++i) seen.insert(out[i].station.value());
    for (int i = 0; i < 200 && next < 3000; ++i) table.learn(station(next++), 0, 0);
  }
  std::size_t found = 0;
  for (std::uint64_t i = 0; i < 400; ++i) found += seen.count(station(i).value());
  CHECK(found >= 390);  // growth may carry one or another over the cursor
}

TEST_CASE("the table agrees with a plain map under random use") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  constexpr std::uint64_t ageing_ns = 1000;
  constexpr std::uint64_t stations = 3000;  // grows the table several times
  constexpr PortIndex ports = 20;
  MacTable table({.capacity = stations, .ageing_ns = ageing_ns, .seed = seed});
  struct Known {
    PortIndex port;
    std::uint64_t seen_ns;
  };
  std::map<std::uint64_t, Known> model;  // aged ones included
  const auto expected = [&](MacAddress address, std::uint64_t now) {
    const auto found = model.find(address.value());
    return found == model.end() || now - found->second.seen_ns >= ageing_ns ? no_port : found->second.port;
  };

  std::uint64_t now = 0;
  std::uint64_t moves = 0;
  for (int step = 0; step < 60'000; ++step) {
    const MacAddress address = station(random() % stations);
    const auto port = static_cast<PortIndex>(random() % ports);
    const std::uint64_t dice = random() % 1000;
    if (dice < 700) {
      const PortIndex before = expected(address, now);
      const bool moved = before != no_port && before != port;
      REQUIRE(table.learn(address, port, now) == moved);
      moves += moved ? 1 : 0;
      model[address.value()] = {port, now};
    } else if (dice < 990) {
      REQUIRE(table.look_up(address, now) == expected(address, now));
    } else if (dice < 998) {
      table.age(now);
    } else {
      table.forget_port(port);
      for (auto it = model.begin(); it != model.end();)
        it = it->second.port == port ? model.erase(it) : std::next(it);
    }
    if (random() % 4 == 0) now += random() % 3;
    if (random() % 20'000 == 0) now += ageing_ns;
    if (step % 5000 != 0) continue;
    const auto all = listed(table, now, 100);
    std::size_t live = 0;
    for (const auto& [value, known] : model) {
      REQUIRE(table.look_up(MacAddress(value), now) == expected(MacAddress(value), now));
      if (now - known.seen_ns >= ageing_ns) continue;
      ++live;
      REQUIRE(all.count(value) == 1);
      REQUIRE(all.at(value).port == known.port);
      REQUIRE(all.at(value).seen_ns == known.seen_ns);
    }
    REQUIRE(all.size() == live);
    REQUIRE(table.size() >= live);
  }
  CHECK(table.moves() == moves);
  CHECK(table.evictions() == 0);
}

TEST_CASE("a full table always makes room at the port which has most") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U);
  const std::size_t capacity = GENERATE(std::size_t{1}, std::size_t{7}, std::size_t{64});
  CAPTURE(seed, capacity);
  std::mt19937_64 random(seed);
  constexpr PortIndex ports = 6;
  MacTable table({.capacity = capacity, .seed = seed});
  std::map<std::uint64_t, PortIndex> model;
  for (std::uint64_t now = 1; now < 4000; ++now) {
    std::array<std::size_t, ports> counts{};
    for (const auto& known : model) ++counts[known.second];
    const std::size_t most = *std::max_element(counts.begin(), counts.end());
    const MacAddress address = station(random() % (2 * capacity));
    const auto port = static_cast<PortIndex>(std::min(random() % ports, random() % ports));
    const bool evicts = model.count(address.value()) == 0 && model.size() == capacity;
    const std::uint64_t evictions = table.evictions();
    table.learn(address, port, now);
    REQUIRE(table.evictions() == evictions + (evicts ? 1 : 0));
    model[address.value()] = port;
    // Whoever went, went from a port that had most; and from the newcomer's own where that had as many.
    std::vector<std::uint64_t> gone;
    for (const auto& [value, known] : model)
      if (table.look_up(MacAddress(value), now) != known) gone.push_back(value);
    REQUIRE(gone.size() == (evicts ? 1 : 0));
    for (const std::uint64_t value : gone) {
      const PortIndex from = model.at(value);
      REQUIRE(counts[from] == most);
      if (counts[port] == most) REQUIRE(from == port);
      model.erase(value);
    }
    for (PortIndex each = 0; each < ports; ++each) {
      std::size_t expected = 0;
      for (const auto& known : model) expected += known.second == each ? 1U : 0U;
      REQUIRE(table.size_on(each) == expected);
    }
  }
}

TEST_CASE("what a table knows does not depend on the seed of its hash") {
  MacTable one({.capacity = 500, .seed = 1});
  MacTable other({.capacity = 500, .seed = 0xDEAD'BEEF});
  std::mt19937_64 random(9);
  for (std::uint64_t now = 0; now < 20'000; ++now) {
    const MacAddress address = station(random() % 800);
    const auto port = static_cast<PortIndex>(random() % 7);
    REQUIRE(one.learn(address, port, now) == other.learn(address, port, now));
    const MacAddress asked = station(random() % 800);
    REQUIRE(one.look_up(asked, now) == other.look_up(asked, now));
  }
}

}  // namespace mac_table_test
