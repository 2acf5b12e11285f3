// `status` for people. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "switchd/control.pb.h"
#include "tools/lanyard/table.h"

namespace lanyard::cli {

[[nodiscard]] std::string status_text(const v1::Status& status, Style style);

// Of the turns counted in `loop`, the power of two microseconds that `share` of them (0 to 1) stayed below; 0 where none was
// counted.
[[nodiscard]] std::uint64_t turn_us_below(const v1::Loop& loop, double share);

}  // namespace lanyard::cli
