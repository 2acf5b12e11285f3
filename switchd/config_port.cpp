// The PORT grammar, in the manner of socat:
//
//   PORT = [NAME=]TYPE[:ADDRESS][,KEY=VALUE]...
//
// NAME= counts only before the first ':' and ','; the address and each value end at the next ',', and nothing
// can be quoted: a path with a comma in it needs the YAML file. This file takes an argument apart; what the
// parts mean is read_port's business (port_keys.h), as it is for YAML.
#include <fmt/format.h>

#include "frames/utf8.h"
#include "switchd/config_text.h"
#include "switchd/port_keys.h"

namespace lanyard {

namespace {

// "[NAME=]TYPE[:ADDRESS]"
void take_apart_head(std::string_view head, WrittenPort& written) {
  const std::size_t equals = head.find('=');
  if (equals != std::string_view::npos && equals < head.find(':')) {
    written.name = {std::string(head.substr(0, equals)), written.where};
    head.remove_prefix(equals + 1);
  }
  const std::size_t colon = head.find(':');
  written.type = {std::string(head.substr(0, colon)), written.where};
  if (colon != std::string_view::npos) written.address = {std::string(head.substr(colon + 1)), written.where};
}

// ",KEY=VALUE"
void take_apart_key(std::string_view pair, WrittenPort& written, std::vector<ConfigError>& errors) {
  const std::size_t equals = pair.find('=');
  if (equals == std::string_view::npos) {
    const bool path = written.type->text.starts_with("unix-");
    errors.push_back(
        {written.where, fmt::format("expected KEY=VALUE after ',', not {}{}", in_quotes(pair),
                                    path ? " (a path with a comma in it needs the YAML file)" : "")});
    return;
  }
  written.keys.push_back({.key = {std::string(pair.substr(0, equals)), written.where},
                          .values = {{std::string(pair.substr(equals + 1)), written.where}}});
}

}  // namespace

void parse_port(std::string_view text, PortConfig& port, std::vector<ConfigError>& errors) {
  const std::size_t mistakes_before = errors.size();
  WrittenPort written;
  written.where = text.empty() ? "''" : text;
  if (const auto place = find_invalid_utf8(text))
    errors.push_back({written.where, fmt::format("byte {} is no UTF-8", place->column)});
  std::size_t comma = text.find(',');
  take_apart_head(text.substr(0, comma), written);
  while (comma != std::string_view::npos) {
    text.remove_prefix(comma + 1);
    comma = text.find(',');
    take_apart_key(text.substr(0, comma), written, errors);
  }
  read_port(written, port, errors);
  port.origin.has_mistakes = errors.size() > mistakes_before;
}

}  // namespace lanyard
