// Scripts that complete the command's words in a shell: verbs and options from the table of verbs, names of ports and
// networks from the daemon, by `lanyard __complete`. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lanyard::cli {

[[nodiscard]] std::span<const std::string_view> completion_shells();
// REQUIRES: one of the shells.
[[nodiscard]] std::string completion_script(std::string_view shell);

}  // namespace lanyard::cli
