// The texts of --help and --version.
#pragma once

#include <string>

namespace lanyard {

[[nodiscard]] std::string help_text();     // at most 100 columns wide
[[nodiscard]] std::string version_text();  // "switchd 0.1.0"
// What switchd may take at most, computed from the constants and types that bound it, for --version --verbose.
[[nodiscard]] std::string budget_text();

}  // namespace lanyard
