// What every program here says of words that people type: in quotes, listed, with the one that was perhaps meant. Pure;
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard {

// Control characters spelled out, and what is no UTF-8: a newline would make two lines of one, an escape sequence could
// write over others.
[[nodiscard]] std::string printable(std::string_view text);

// A to Z in lower case, all else as it is.
[[nodiscard]] std::string lower_case(std::string text);

// 'text', shortened to some 60 bytes at the boundary of a character.
[[nodiscard]] std::string in_quotes(std::string_view text);

inline constexpr std::size_t listed_words_max = 20;  // of names, of which there may be thousands

// "a, b or c"; of many words only the first and how many more.
[[nodiscard]] std::string listed(std::span<const std::string_view> words, std::string_view last = "or",
                                 std::size_t words_max = listed_words_max);

// "1 port", "2 ports".
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);

// "unknown port 'wbe', did you mean 'web'?", or the list of `words` where none is near.
[[nodiscard]] std::string unknown_word(std::string_view noun, std::string_view word,
                                       const std::vector<std::string_view>& words,
                                       std::size_t words_max = listed_words_max);
// Likewise of a key, but all that there are in its place are listed.
[[nodiscard]] std::string unknown_key(std::string_view word, const std::vector<std::string_view>& words);

// The closest of `words` to `word`, or empty when none is near: more than a third of the longer one would
// have to be inserted, deleted, replaced or swapped with its neighbour.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words);

// Decimal digits and nothing else, within the range.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t min,
                                                        std::uint64_t max);

}  // namespace lanyard
