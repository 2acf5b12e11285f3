// Text as UTF-8 (RFC 3629): where it is none, and where it may be cut. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard {

// How many bytes the character at the front of `text` has (shortest form, no surrogates, up to U+10FFFF); 0: none that
// is UTF-8. REQUIRES: not empty.
[[nodiscard]] std::size_t utf8_character_bytes(std::string_view text);

// As much of the front of `text` as fits in so many bytes, without the first part of a character.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t bytes_max);

// What is no UTF-8 is replaced, byte by byte, by U+FFFD.
[[nodiscard]] std::string as_utf8(std::string_view text);

struct TextPlace {
  std::size_t line = 1;    // from 1
  std::size_t column = 1;  // in bytes, from 1
};

// The first byte that is no UTF-8; nothing: all is.
[[nodiscard]] std::optional<TextPlace> find_invalid_utf8(std::string_view text);

}  // namespace lanyard
