// What the tests of the configuration share: mistakes as the lines that a user reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "switchd/config.h"

namespace lanyard {

using Lines = std::vector<std::string>;

inline Lines lines_of(const std::vector<ConfigError>& errors) {
  Lines lines;
  for (const ConfigError& error : errors) lines.push_back(to_string(error));
  return lines;
}

struct ParsedPort {
  PortConfig port;
  Lines errors;
};

inline ParsedPort parse_port(std::string_view text) {
  ParsedPort parsed;
  std::vector<ConfigError> errors;
  parse_port(text, parsed.port, errors);
  parsed.errors = lines_of(errors);
  return parsed;
}

struct ParsedConfig {
  Config config;
  Lines errors;
};

inline ParsedConfig parse_yaml(std::string_view text) {
  ParsedConfig parsed;
  std::vector<ConfigError> errors;
  parse_yaml(text, "lan.yaml", parsed.config, errors);
  parsed.errors = lines_of(errors);
  return parsed;
}

}  // namespace lanyard
