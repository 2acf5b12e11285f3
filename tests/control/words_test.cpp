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

TEST_CASE("what a terminal or a reader could not take is spelled out") {
  CHECK(printable("a\n\x1b[2J\x7f") == "a\\x0a\\x1b[2J\\x7f");
  CHECK(printable("\xC2\x9B" "2J") == "\\xc2\\x9b2J");  // ECMA-48's CSI in one character
  CHECK(printable("w\xC3\xA4" "b\xFF\xE2\x82") == "w\xC3\xA4" "b\\xff\\xe2\\x82");
}

TEST_CASE("a long word is cut between characters") {
  for (const std::size_t in_front : {0UL, 1UL, 2UL, 3UL}) {
    std::string word(in_front, 'a');
    while (word.size() < 100) word += "\xF0\x9F\x90\xA7";
    const std::string quoted = in_quotes(word);
    CHECK(printable(quoted) == quoted);
    CHECK(quoted.size() > 55);
    CHECK(quoted.size() <= 60 + 5);
  }
}

}  // namespace words_test
