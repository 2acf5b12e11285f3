// The framing of the control protocol: whole messages out of any pieces, and the limit.
#include "switchd/control/framing.h"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

namespace framing_test {

using namespace lanyard::control;

TEST_CASE("messages come out whole, whatever pieces they came in") {
  std::mt19937 random(Catch::rngSeed());
  std::vector<std::string> sent;
  std::string stream;
  for (std::size_t i = 0; i < 50; ++i) {
    sent.emplace_back(random() % 300, static_cast<char>('a' + i % 26));
    stream += framed(sent.back());
  }
  MessageReader reader(300);
  std::vector<std::string> received;
  for (std::size_t at = 0; at < stream.size();) {
    const std::size_t piece = 1 + random() % 97;
    reader.add(std::string_view(stream).substr(at, piece));
    at += piece;
    while (const auto message = reader.next()) received.emplace_back(*message);
  }
  CHECK(received == sent);
  CHECK(reader.buffered_bytes() == 0);
}

TEST_CASE("a message longer than the limit breaks the stream, and nothing of it is kept") {
  MessageReader reader(10);
  reader.add(framed("good"));
  reader.add(framed("eleven byte") + framed("good"));
  REQUIRE(reader.next() == "good");
  CHECK_FALSE(reader.next());
  CHECK(reader.is_broken());
  reader.add(framed("more"));
  CHECK_FALSE(reader.next());
  CHECK(reader.buffered_bytes() == 0);
}

}  // namespace framing_test
