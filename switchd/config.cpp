// Names of the configuration's values, and the text of mistakes. Pure functions of their arguments.
#include "switchd/config.h"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard {

namespace {

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

}  // namespace

std::string_view name_of(EngineChoice engine) {
  switch (engine) {
    case EngineChoice::automatic:
      return "auto";
    case EngineChoice::io_uring:
      return "io_uring";
    case EngineChoice::epoll:
      return "epoll";
  }
  return "";
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::error:
      return "error";
    case LogLevel::warn:
      return "warn";
    case LogLevel::info:
      return "info";
    case LogLevel::debug:
      return "debug";
  }
  return "";
}

std::string to_string(const ConfigError& error) {
  const std::string raw = error.where + ": " + error.what;
  std::string line;
  line.reserve(raw.size());
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F)
      line += c;
    else  // a newline would make two mistakes of one, an escape sequence could write over others
      line += fmt::format("\\x{:02x}", byte);
  }
  return line;
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

}  // namespace lanyard
