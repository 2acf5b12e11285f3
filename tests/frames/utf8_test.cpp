// Text as UTF-8: cut, mended, and the place where it is none.
#include "frames/utf8.h"

#include <array>
#include <catch2/catch.hpp>

namespace utf8_test {

using namespace lanyard;

namespace {

// One character of each length, at both ends of what has it.
constexpr std::array<std::string_view, 8> characters{"a", "\x7F", "\xC2\x80", "\xDF\xBF",
                                                     "\xE0\xA0\x80", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"};
// Alone, none of these is a character: a byte that follows, too long a form, half a pair, too large, unfinished.
constexpr std::array<std::string_view, 7> others{"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                                                 "\xF4\x90\x80\x80", "\xE2\x82", "\xFF"};

}  // namespace

TEST_CASE("a text is cut between characters, and is as long as fits") {
  for (const std::string_view character : characters) {
    std::string text;
    for (int i = 0; i < 5; ++i) text += character;
    for (std::size_t bytes = 0; bytes <= text.size() + 1; ++bytes) {
      CAPTURE(text, bytes);
      CHECK(cut_text(text, bytes).size() == std::min(bytes, text.size()) / character.size() * character.size());
      CHECK(text.starts_with(cut_text(text, bytes)));
    }
  }
}

TEST_CASE("what is no UTF-8 is cut where it is told, and loses no more than a character") {
  for (const std::string_view other : others) {
    const std::string text = std::string(other) + "a" + std::string(other) + std::string(10, '\x80');
    for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
      CAPTURE(text, bytes);
      CHECK(cut_text(text, bytes).size() <= bytes);
      CHECK(cut_text(text, bytes).size() + 3 >= bytes);
    }
  }
}

TEST_CASE("the first byte that is no UTF-8 has a line and a column, and is replaced") {
  for (const std::string_view other : others) {
    CAPTURE(other);
    const std::string text = "a\r\nb\xC3\xA4" + std::string(other);
    const auto place = find_invalid_utf8(text);
    REQUIRE(place);
    CHECK((place->line == 2 && place->column == 4));
    CHECK_FALSE(find_invalid_utf8(as_utf8(text)));
    CHECK(as_utf8(text).starts_with("a\r\nb\xC3\xA4\xEF\xBF\xBD"));
  }
  for (const std::string_view character : characters) {
    CHECK_FALSE(find_invalid_utf8(character));
    CHECK(as_utf8(character) == character);
  }
  CHECK_FALSE(find_invalid_utf8(""));
}

}  // namespace utf8_test
