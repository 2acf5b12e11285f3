// Words that people type, and the one that they meant.
#include "switchd/control/words.h"

#include <catch2/catch.hpp>

namespace words_test {

using namespace lanyard;

TEST_CASE("the nearest word is near") {
  const std::vector<std::string_view> words = {"network", "queue", "ttl", "allow"};
  CHECK(nearest("netwrok", words) == "network");
  CHECK(nearest("newtork", words) == "network");
  CHECK(nearest("quue", words) == "queue");
  CHECK(nearest("tl", words) == "ttl");
  CHECK(nearest("queue", words) == "queue");
  CHECK(nearest("foo", words).empty());
  CHECK(nearest("", words).empty());
  CHECK(nearest("net", words).empty());
  CHECK(nearest(std::string(100, 'x'), words).empty());
  CHECK(nearest("ttl", {}).empty());
}

}  // namespace words_test
