// The port with most stations, compared with a count taken by hand.
#include "frames/port_ranking.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <random>

namespace port_ranking_test {

using namespace lanyard;

TEST_CASE("no port is the largest while all counts are zero") {
  PortRanking ranking;
  CHECK(ranking.largest() == no_port);
  CHECK(ranking.count(7) == 0);
  ranking.increment(7);
  CHECK(ranking.largest() == 7);
  CHECK(ranking.count(7) == 1);
  ranking.decrement(7);
  CHECK(ranking.largest() == no_port);
}

TEST_CASE("the port with the highest count is the largest, whatever the order of ups and downs") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U);
  const auto ports = GENERATE(1U, 2U, 5U, 300U);
  CAPTURE(seed, ports);
  std::mt19937_64 random(seed);
  PortRanking ranking;
  std::map<PortIndex, std::uint32_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto port = static_cast<PortIndex>(random() % ports);
    // Long climbs and long descents, so that counts become high and fall back to zero.
    if (random() % 8 < (step / 2000 % 2 == 0 ? 6U : 2U)) {
      ranking.increment(port);
      ++model[port];
    } else if (model[port] > 0) {
      ranking.decrement(port);
      --model[port];
    }
    const auto most = std::max_element(model.begin(), model.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    REQUIRE(ranking.count(port) == model[port]);
    if (most->second == 0)
      REQUIRE(ranking.largest() == no_port);
    else
      REQUIRE(ranking.count(ranking.largest()) == most->second);
  }
}

}  // namespace port_ranking_test
