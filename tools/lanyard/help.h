// The texts of --help and --version, made of the table of verbs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "tools/lanyard/verb.h"

namespace lanyard::cli {

// Of one verb, of a group ("port"), or of all for none: at most 120 columns wide.
[[nodiscard]] std::string help_text(const Verb* verb, std::string_view group);
[[nodiscard]] std::string version_text();  // "lanyard 0.1.0"

}  // namespace lanyard::cli
