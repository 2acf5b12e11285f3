// What `apply` does, as a diff: a line for each port and network, + added, - removed, ~ changed, and their keys
// below, in the same way. Pure.
#pragma once

#include <string>

#include "switchd/control.pb.h"
#include "tools/lanyard/table.h"

namespace lanyard::cli {

//   + port web
//   +   type: tcp-listen
//   ~ port lab (opens again: its connections drop)
//   -   max-frame: 1514
//   +   max-frame: 9014
// `done`: it was carried out, and not only planned.
[[nodiscard]] std::string plan_text(const v1::Plan& plan, bool done, Style style);

}  // namespace lanyard::cli
