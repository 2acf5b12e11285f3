// What `top` shows: from readings to the text of a screen. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "tools/lanyard/rates.h"
#include "tools/lanyard/table.h"

namespace lanyard::cli {

struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

// The order that a key asks for; nothing: it is no such key.
[[nodiscard]] std::optional<SortBy> order_of_key(char key);

// Drawn over the last one from the upper left corner, as ECMA-48 has it; no line is longer than the screen is wide, and
// the last does not end, so that nothing scrolls.
[[nodiscard]] std::string screen_text(const Readings& readings, SortBy by, ScreenSize size, Style style);

}  // namespace lanyard::cli
