// Feeds the reader of YAML files, yaml-cpp and all. Whatever comes ends in a configuration or in mistakes
// that each have a place and are one line.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "switchd/config.h"

namespace {

// "lan.yaml:LINE:COLUMN: WHAT", with numbers from 1
bool has_place(std::string_view line) {
  std::string_view rest = line;
  if (!rest.starts_with("lan.yaml:")) return false;
  rest.remove_prefix(9);
  for (int number = 0; number < 2; ++number) {
    if (rest.empty() || rest[0] < '1' || rest[0] > '9') return false;
    while (!rest.empty() && std::isdigit(static_cast<unsigned char>(rest[0])) != 0) rest.remove_prefix(1);
    if (rest.empty() || rest[0] != ':') return false;
    rest.remove_prefix(1);
  }
  return rest.starts_with(' ') && rest.size() > 1 && rest.find('\n') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  lanyard::Config config;
  std::vector<lanyard::ConfigError> errors;
  parse_yaml(text, "lan.yaml", config, errors);
  for (const lanyard::ConfigError& error : errors) LANYARD_CHECK(has_place(to_string(error)));
  const bool good = errors.empty();
  complete(config, errors);
  if (good)
    for (const lanyard::PortConfig& port : config.ports)
      LANYARD_CHECK(!port.name.empty() && !port.network.empty() && !port.origin.text.empty());
  return 0;
}
