// Words that people type; see the header.
#include "switchd/control/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "frames/utf8.h"

namespace lanyard {

namespace {

constexpr std::size_t quoted_bytes_max = 60;

// Longer words are no typing errors, and the distance costs the product of the lengths.
constexpr std::size_t word_bytes_max = 40;

// How many characters have to be inserted, deleted, replaced, or swapped with their neighbour to get from one
// word to the other ("optimal string alignment"): swapping is the commonest slip and so counts as one.
// REQUIRES: both at most word_bytes_max long.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, word_bytes_max + 1>;
  Row before_last{}, last{}, row{};  // distances of the prefixes of `a` of length i - 2, i - 1 and i
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last = last;
    last = row;
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

// C0, DEL or C1 (U+0080 to U+009F), by which terminals are told things.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = utf8_character_bytes(text);
    const std::string_view shown = text.substr(0, std::max<std::size_t>(bytes, 1));
    if (bytes == 0 || is_control(shown))
      for (const char c : shown) line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      line += shown;
    text.remove_prefix(shown.size());
  }
  return line;
}

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string in_quotes(std::string_view text) {
  if (text.size() <= quoted_bytes_max) return fmt::format("'{}'", text);
  return fmt::format("'{}...'", cut_text(text, quoted_bytes_max));
}

std::string listed(std::span<const std::string_view> words, std::string_view last, std::size_t words_max) {
  const std::size_t shown = std::min(words.size(), words_max);
  const std::size_t hidden = words.size() - shown;
  std::string text;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == words.size() ? fmt::format(" {} ", last) : std::string(", ");
    text += words[i];
  }
  return hidden == 0 ? text : fmt::format("{} {} {} more", text, last, hidden);
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words) {
  std::string_view best;
  std::size_t best_distance = word_bytes_max;
  if (word.size() > word_bytes_max) return best;
  for (const std::string_view candidate : words) {
    if (candidate.size() > word_bytes_max) continue;
    const std::size_t distance = edit_distance(word, candidate);
    if (distance * 3 > std::max(word.size(), candidate.size()) || distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string unknown_word(std::string_view noun, std::string_view word, const std::vector<std::string_view>& words,
                         std::size_t words_max) {
  const std::string_view near = nearest(word, words);
  if (!near.empty()) return fmt::format("unknown {} {}, did you mean '{}'?", noun, in_quotes(word), near);
  return fmt::format("unknown {} {}, expected {}", noun, in_quotes(word), listed(words, "or", words_max));
}

std::string unknown_key(std::string_view word, const std::vector<std::string_view>& words) {
  return unknown_word("key", word, words, words.size());
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t min, std::uint64_t max) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, number);
  if (result.ec != std::errc() || result.ptr != end || number < min || number > max) return std::nullopt;
  return number;
}

}  // namespace lanyard
