// What the tests of the configuration share: mistakes as the lines that a user reads.
#pragma once

#include <string>
#include <string_view>
#include <utility>
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

// The ports of a command line, completed.
struct Completed {
  Config config;
  Lines errors;
  Lines warnings;
};

inline Completed complete_ports(const std::vector<std::string>& ports, Config config = {}) {
  std::vector<ConfigError> errors;
  for (const std::string& text : ports) parse_port(text, config.ports.emplace_back(), errors);
  complete(config, errors);
  Completed completed{std::move(config), lines_of(errors), {}};
  completed.warnings = lines_of(completed.config.warnings);
  return completed;
}

}  // namespace lanyard
