// Feeds the PORT grammar. Whatever comes, a PORT that is accepted keeps its promises, and YAML that says the
// same gives the same port.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "switchd/config.h"

namespace {

using lanyard::Config;
using lanyard::ConfigError;
using lanyard::PortConfig;

// A double-quoted YAML scalar. REQUIRES: printable ASCII.
std::string yaml_quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

// The same port in YAML, taken apart anew and without asking what its parts mean. REQUIRES: a PORT without
// mistakes.
std::string as_yaml(std::string_view text, std::string_view name) {
  const auto cut = [&](std::size_t end) {
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
  };
  const std::size_t equals = text.find('=');
  if (equals < text.find_first_of(":,")) cut(equals);
  const std::size_t type_end = text.find_first_of(":,");
  const bool has_address = type_end < text.size() && text[type_end] == ':';
  std::string yaml = "ports: {" + yaml_quoted(name) + ": {type: " + yaml_quoted(cut(type_end));
  if (has_address) yaml += ", address: " + yaml_quoted(cut(text.find(',')));
  std::map<std::string_view, std::string> values;  // of a key that may be given again: a sequence
  while (!text.empty()) {
    std::string& given = values[cut(text.find('='))];
    given += (given.empty() ? "" : ", ") + yaml_quoted(cut(text.find(',')));
  }
  for (const auto& [key, value] : values) {
    const bool is_one = value.find("\", \"") == std::string::npos;
    yaml += ", " + yaml_quoted(key) + ": " + (is_one ? value : "[" + value + "]");
  }
  return yaml + "}}";
}

void check_promises(const PortConfig& port) {
  namespace limits = lanyard::limits;
  LANYARD_CHECK(!port.name.empty() && port.name.size() <= limits::port_name_bytes_max);
  LANYARD_CHECK(port.name.find_first_of(".:=, \n") == std::string::npos);
  LANYARD_CHECK(!port.network.empty());
  LANYARD_CHECK(port.queue_frames >= 1 && port.queue_frames <= limits::queue_frames_max);
  LANYARD_CHECK(port.max_frame_bytes == 0 || (port.max_frame_bytes >= limits::frame_bytes_min &&
                                              port.max_frame_bytes <= limits::frame_bytes_max));
  LANYARD_CHECK(port.path.size() <= limits::unix_path_bytes_max);
  LANYARD_CHECK(port.mode.value_or(0) <= 0777);
  if (port.type == lanyard::PortType::udp) LANYARD_CHECK(port.remote.has_value() != !port.allow.empty());
  for (const lanyard::Cidr& cidr : port.allow) {
    LANYARD_CHECK(cidr.contains(cidr.v6, cidr.address.data()));
    LANYARD_CHECK(lanyard::parse_cidr(to_string(cidr)) == cidr);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Config config;
  std::vector<ConfigError> errors;
  parse_port(text, config.ports.emplace_back(), errors);
  const PortConfig as_parsed = config.ports[0];
  complete(config, errors);
  for (const ConfigError& error : errors) LANYARD_CHECK(to_string(error).find('\n') == std::string::npos);
  if (!errors.empty()) return 0;
  check_promises(config.ports[0]);

  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; })) return 0;
  Config twin;
  parse_yaml(as_yaml(text, config.ports[0].name), "twin.yaml", twin, errors);
  LANYARD_CHECK(errors.empty() && twin.ports.size() == 1);
  PortConfig named = as_parsed;
  named.name = config.ports[0].name;  // an unnamed port has a name of its own in YAML
  LANYARD_CHECK(twin.ports[0] == named);
  return 0;
}
