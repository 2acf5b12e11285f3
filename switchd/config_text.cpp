// Implements config_text.h. Pure functions of their arguments.
#include "switchd/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "switchd/address.h"
#include "switchd/memory_plan.h"

namespace lanyard {

namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

std::string check_name(std::string_view noun, std::string_view name, std::string_view hint) {
  if (name.empty()) return fmt::format("{} cannot be empty", noun);
  if (name.size() > limits::port_name_bytes_max)
    return fmt::format("{} has at most {} characters, {} has {}", noun, limits::port_name_bytes_max,
                       in_quotes(name), name.size());
  if (std::all_of(name.begin(), name.end(), is_name_character)) return {};
  return fmt::format("{} has letters, digits, '-' and '_' only, not {}{}", noun, in_quotes(name), hint);
}

// `text` as one of `values`, by their names.
template <typename Value, std::size_t count>
std::string read_word(std::string_view text, const std::array<Value, count>& values, Value& value) {
  std::array<std::string_view, count> words;
  for (std::size_t i = 0; i < count; ++i) {
    words[i] = name_of(values[i]);
    if (text == words[i]) {
      value = values[i];
      return {};
    }
  }
  return fmt::format("expected {}, not {}", listed(words), in_quotes(text));
}

std::string read_engine(std::string_view text, Config& config) {
  constexpr std::array values = {EngineChoice::automatic, EngineChoice::io_uring, EngineChoice::epoll};
  return read_word(text, values, config.engine);
}

std::string read_log_level(std::string_view text, Config& config) {
  constexpr std::array values = {LogLevel::error, LogLevel::warn, LogLevel::info, LogLevel::debug};
  return read_word(text, values, config.log_level);
}

std::string read_control(std::string_view text, Config& config) {
  if (text == "none") {
    config.control = "";
    return {};
  }
  std::string wrong = check_unix_path(text);
  if (wrong.empty()) config.control = text;
  return wrong;
}

std::string read_control_group(std::string_view text, Config& config) {
  std::string wrong = check_group(text);
  if (wrong.empty()) config.control_group = text;
  return wrong;
}

std::string read_http(std::string_view text, Config& config) {
  config.http.reset();
  if (text == "none") return {};
  HostPort address;
  std::string wrong = read_host_port(text, {.host_required = false, .port_zero = true}, address);
  if (!wrong.empty()) return wrong;
  if (!address.host.empty() && address.host != "localhost" && !is_ipv4(address.host) && !is_ipv6(address.host))
    return fmt::format("expected an IP address or localhost, not {}", in_quotes(address.host));
  config.http = address;
  return {};
}

std::string read_http_token(std::string_view text, Config& config) {
  std::string wrong = check_path(text);
  if (wrong.empty()) config.http_token = text;
  return wrong;
}

std::string read_memory(std::string_view text, Config& config) {
  const auto bytes = parse_size(text);
  if (!bytes) return fmt::format("expected a size such as 512M or 2G, not {}", in_quotes(text));
  if (*bytes < limits::memory_bytes_min || *bytes > limits::memory_bytes_max)
    return fmt::format("expected {} to {}, not {}", in_mebibytes(limits::memory_bytes_min),
                       in_mebibytes(limits::memory_bytes_max), in_quotes(text));
  config.memory_bytes = *bytes;
  return {};
}

std::string read_default_network(std::string_view text, Config& config) {
  std::string wrong = check_network_name(text);
  if (wrong.empty()) config.default_network = text;
  return wrong;
}

std::string read_strict(std::string_view text, Config& config) {
  if (text != "true" && text != "false") return fmt::format("expected true or false, not {}", in_quotes(text));
  config.strict = text == "true";
  return {};
}

// How a member of Config is written.
std::string text_of(const std::string& text) { return text; }
std::string text_of(const std::optional<std::string>& path) { return path && path->empty() ? "none" : path.value_or(""); }
std::string text_of(const std::optional<HostPort>& address) { return address ? to_string(*address) : ""; }
std::string text_of(const std::optional<std::size_t>& bytes) { return bytes ? std::to_string(*bytes) : ""; }
std::string text_of(bool is_on) { return is_on ? "true" : "false"; }
std::string text_of(EngineChoice engine) { return std::string(name_of(engine)); }
std::string text_of(LogLevel level) { return std::string(name_of(level)); }

template <auto member>
constexpr DaemonSetting setting(std::string_view name, std::string (*read)(std::string_view, Config&), bool changes_live) {
  return {name, read, [](const Config& config) { return text_of(config.*member); },
          [](const Config& from, Config& to) { to.*member = from.*member; }, changes_live};
}

constexpr std::array<DaemonSetting, 9> settings = {{
    setting<&Config::default_network>("network", read_default_network, true),
    setting<&Config::control>("control", read_control, false),
    setting<&Config::control_group>("control-group", read_control_group, false),
    setting<&Config::http>("http", read_http, false),
    setting<&Config::http_token>("http-token", read_http_token, false),
    setting<&Config::engine>("engine", read_engine, false),
    setting<&Config::memory_bytes>("memory", read_memory, false),
    setting<&Config::log_level>("log-level", read_log_level, true),
    setting<&Config::strict>("strict", read_strict, false),
}};

}  // namespace

std::string check_group(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= limits::group_name_bytes_max &&
      std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
  return good ? std::string()
              : fmt::format("expected the name or number of a group, at most {} characters, not {}",
                            limits::group_name_bytes_max, in_quotes(name));
}

std::string check_port_name(std::string_view name) {
  const bool dot = name.find('.') != std::string_view::npos;
  return check_name("a port name", name, dot ? " (NAME.N is for the connections of a port)" : "");
}

std::string check_network_name(std::string_view name) { return check_name("a network name", name, ""); }

std::string read_network_kind(std::string_view text, NetworkKind& kind) {
  constexpr std::array values = {NetworkKind::learning_switch, NetworkKind::wire, NetworkKind::hub};
  return read_word(text, values, kind);
}

std::span<const DaemonSetting> daemon_settings() { return settings; }

const DaemonSetting* find_daemon_setting(std::string_view name) {
  for (const DaemonSetting& setting : settings)
    if (setting.name == name) return &setting;
  return nullptr;
}

}  // namespace lanyard
