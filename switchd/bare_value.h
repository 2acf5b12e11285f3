// Values in a YAML file that lack quotes: YAML takes [::1]:7000 for a list, *:7000 for an alias, "a: b" for a map, and
// says so far from the cause, in words of its grammar. This finds the value near the place where a parser gave up. It
// looks at one line, and guesses; it decides nothing but the words of a message. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard {

struct BareValue {
  std::size_t column = 0;  // of its first byte, from 0
  std::string_view text;   // of the line
  bool is_map = false;     // to YAML, with a ':' and a space in it; and so it may have been meant
};
// The value of `line` around or in front of `column` (from 0), where it would have to be in quotes; else nothing.
[[nodiscard]] std::optional<BareValue> bare_value(std::string_view line, std::size_t column);

// As YAML would have to have it: "[::1]:7000", or '"a"'. Shortened where it is long.
[[nodiscard]] std::string in_yaml_quotes(std::string_view text);

}  // namespace lanyard
