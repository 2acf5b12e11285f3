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
#include "switchd/control/words.h"

namespace lanyard {

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
  std::string (*written)(const Config& config);  // as read() takes it; empty: its default, where that has no word
  void (*copy)(const Config& from, Config& to);
  bool changes_live = false;  // else it takes a new start
};
[[nodiscard]] std::span<const DaemonSetting> daemon_settings();
[[nodiscard]] const DaemonSetting* find_daemon_setting(std::string_view name);  // nullptr when there is none

}  // namespace lanyard
