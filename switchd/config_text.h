// Words for messages, and the small values that the command line and YAML share: one reader and one text for
// each, so that the two never differ. A reader returns what is wrong and what was expected, or an empty
// string when all is well.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/config.h"

namespace lanyard {

// 'text', shortened to some 60 bytes at the boundary of a character.
[[nodiscard]] std::string in_quotes(std::string_view text);

// "a, b or c"; of many words only the first and how many more.
[[nodiscard]] std::string listed(std::span<const std::string_view> words, std::string_view last = "or");

// "unknown key 'netwrok', did you mean 'network'?", or the list of `words` where none is near.
[[nodiscard]] std::string unknown_word(std::string_view noun, std::string_view word,
                                       const std::vector<std::string_view>& words);

// Decimal digits and nothing else, within the range.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t min,
                                                        std::uint64_t max);

// Names have letters, digits, '-' and '_', at most limits::port_name_bytes_max. A '.' is kept for the
// connections of a port, NAME.N.
[[nodiscard]] std::string check_port_name(std::string_view name);
[[nodiscard]] std::string check_network_name(std::string_view name);

[[nodiscard]] std::string check_group(std::string_view name);  // of the system's groups

[[nodiscard]] std::string read_network_kind(std::string_view text, NetworkKind& kind);

// Settings of the whole daemon, by the same name as a flag (--engine) and as a key at the top of a YAML
// document.
struct DaemonSetting {
  std::string_view name;
  std::string (*read)(std::string_view text, Config& config);
};
[[nodiscard]] std::span<const DaemonSetting> daemon_settings();
[[nodiscard]] const DaemonSetting* find_daemon_setting(std::string_view name);  // nullptr when there is none

}  // namespace lanyard
