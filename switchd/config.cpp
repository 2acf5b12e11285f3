// Names of the configuration's values, and the text of mistakes. Pure functions of their arguments.
#include "switchd/config.h"

#include "switchd/control/words.h"

namespace lanyard {

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

std::string to_string(const ConfigError& error) { return printable(error.where + ": " + error.what); }

}  // namespace lanyard
