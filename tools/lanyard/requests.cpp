// From arguments to requests; see the header.
#include "tools/lanyard/requests.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "frames/utf8.h"
#include "switchd/control/framing.h"
#include "switchd/control/words.h"

namespace lanyard::cli {

namespace {

// A setting as it is typed, "KEY=VALUE".
struct Setting {
  std::string key;
  std::string value;
};

// The arguments behind the first, as settings. What is none is a mistake.
std::vector<Setting> settings_of(Arguments& arguments) {
  std::vector<Setting> settings;
  for (std::size_t i = 1; i < arguments.words().size(); ++i) {
    const std::string& word = arguments.word(i);
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0)
      arguments.add_mistake(in_quotes(word), "expected KEY=VALUE");
    else
      settings.push_back({word.substr(0, equals), word.substr(equals + 1)});
  }
  return settings;
}

v1::Key& key_of(v1::SetPort& port, const std::string& name) {
  for (v1::Key& key : *port.mutable_keys())
    if (key.key() == name) return key;
  v1::Key& key = *port.add_keys();
  key.set_key(name);
  return key;
}

void set_port_key(Arguments& arguments, const Setting& setting, v1::SetPort& port) {
  if (setting.key == "address" && !setting.value.empty()) {
    if (!port.address().empty()) arguments.add_mistake("address=", "given more than once");
    port.set_address(setting.value);
    return;
  }
  v1::Key& key = key_of(port, setting.key);
  if (!setting.value.empty()) key.add_values(setting.value);
}

void add_network_key(const Setting& setting, google::protobuf::RepeatedPtrField<v1::Key>& keys) {
  v1::Key& key = *keys.Add();
  key.set_key(setting.key);
  if (!setting.value.empty()) key.add_values(setting.value);
}

// At most one byte more than a request may have, so that a file which is too long is refused and not cut.
std::string read_all(int file, std::string& text) {
  std::array<char, 64u << 10> bytes;
  while (text.size() <= control::request_bytes_max) {
    const ssize_t got = ::read(file, bytes.data(), bytes.size());
    if (got == 0) return {};
    if (got > 0)
      text.append(bytes.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR)
      return fmt::format("cannot be read: {}", std::strerror(errno));
  }
  return {};
}

std::string read_file(const std::string& path, std::string& text) {
  if (path == "-") return read_all(STDIN_FILENO, text);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return fmt::format("cannot be opened: {}", std::strerror(errno));
  std::string wrong = read_all(file, text);
  ::close(file);
  return wrong;
}

}  // namespace

void ask_status(Arguments&, v1::Request& request) { request.mutable_get_status(); }
void ask_version(Arguments&, v1::Request& request) { request.mutable_get_version(); }
void ask_shutdown(Arguments&, v1::Request& request) { request.mutable_shutdown(); }
void ask_mirrors(Arguments&, v1::Request& request) { request.mutable_list_mirrors(); }

void ask_networks(Arguments& arguments, v1::Request& request) {
  request.mutable_list_networks()->set_name(arguments.word(0));
}

void ask_ports(Arguments& arguments, v1::Request& request) {
  v1::ListPorts& list = *request.mutable_list_ports();
  list.set_name(arguments.word(0));
  list.set_network(arguments.text("--network"));
}

void ask_macs(Arguments& arguments, v1::Request& request) {
  v1::ListMacs& list = *request.mutable_list_macs();
  list.set_network(arguments.text("--network"));
  list.set_port(arguments.text("--port"));
}

void ask_port_add(Arguments& arguments, v1::Request& request) {
  request.mutable_add_port()->mutable_port()->set_text(arguments.word(0));
}

void ask_port_remove(Arguments& arguments, v1::Request& request) {
  request.mutable_remove_port()->set_name(arguments.word(0));
}

void ask_port_set(Arguments& arguments, v1::Request& request) {
  v1::SetPort& port = *request.mutable_set_port();
  port.set_name(arguments.word(0));
  for (const Setting& setting : settings_of(arguments)) set_port_key(arguments, setting, port);
}

void ask_port_up(Arguments& arguments, v1::Request& request) {
  request.mutable_enable_port()->set_name(arguments.word(0));
}

void ask_port_down(Arguments& arguments, v1::Request& request) {
  request.mutable_disable_port()->set_name(arguments.word(0));
}

// NAME[:KIND][,KEY=VALUE]...; what the keys mean is the daemon's business.
void ask_network_add(Arguments& arguments, v1::Request& request) {
  std::string_view rest = arguments.word(0);
  std::size_t comma = rest.find(',');
  const std::string_view head = rest.substr(0, comma);
  const std::size_t colon = head.find(':');
  v1::AddNetwork& network = *request.mutable_add_network();
  network.set_name(std::string(head.substr(0, colon)));
  if (colon != std::string_view::npos) {
    network.set_kind(std::string(head.substr(colon + 1)));
    if (network.kind().empty()) arguments.add_mistake(in_quotes(head), "expected NAME[:KIND][,KEY=VALUE]...");
  }
  while (comma != std::string_view::npos) {
    rest.remove_prefix(comma + 1);
    comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0)
      arguments.add_mistake(in_quotes(pair), "expected KEY=VALUE");
    else
      add_network_key({std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))},
                      *network.mutable_keys());
  }
}

void ask_network_set(Arguments& arguments, v1::Request& request) {
  v1::SetNetwork& network = *request.mutable_set_network();
  network.set_name(arguments.word(0));
  for (const Setting& setting : settings_of(arguments)) add_network_key(setting, *network.mutable_keys());
}

void ask_network_remove(Arguments& arguments, v1::Request& request) {
  request.mutable_remove_network()->set_name(arguments.word(0));
}

void ask_apply(Arguments& arguments, v1::Request& request) {
  v1::Apply& apply = *request.mutable_apply();
  const std::string& path = arguments.word(0);
  if (path.empty()) return;
  apply.set_file(path == "-" ? "standard input" : as_utf8(path));
  apply.set_dry_run(arguments.has("--dry-run"));
  const std::string wrong = read_file(path, *apply.mutable_yaml());
  if (!wrong.empty()) return arguments.add_mistake(apply.file(), wrong);
  // A message has no place for it, so that the daemon could not say where it is.
  if (const auto place = find_invalid_utf8(apply.yaml()))
    arguments.add_mistake(fmt::format("{}:{}:{}", apply.file(), place->line, place->column), "invalid UTF-8");
}

void ask_flush(Arguments& arguments, v1::Request& request) {
  v1::FlushMacs& flush = *request.mutable_flush_macs();
  flush.set_network(arguments.text("--network"));
  flush.set_port(arguments.text("--port"));
  flush.set_mac(arguments.word(0));
}

void ask_mirror_add(Arguments& arguments, v1::Request& request) {
  v1::AddMirror& mirror = *request.mutable_add_mirror();
  mirror.set_to(arguments.word(0));
  for (std::size_t i = 1; i < arguments.words().size(); ++i) mirror.add_ports(arguments.word(i));
  mirror.set_network(arguments.text("--network"));
  mirror.set_direction(arguments.direction());
  if (mirror.ports().empty() && !arguments.has("--network"))
    arguments.add_mistake("mirror add", "expected the PORTs whose traffic is copied, or --network NAME for all of one");
}

void ask_mirror_remove(Arguments& arguments, v1::Request& request) {
  request.mutable_remove_mirror()->set_to(arguments.word(0));
}

void ask_top(Arguments& arguments, v1::Request& request) {
  v1::WatchStats& watch = *request.mutable_watch_stats();
  watch.set_network(arguments.text("--network"));
  const std::uint64_t interval = arguments.duration_ms("--interval");
  if (interval != 0 && (interval < 100 || interval > 60'000))
    arguments.add_mistake("--interval", fmt::format("expected 100ms to 60s, not {}", arguments.text("--interval")));
  watch.set_interval_ms(static_cast<std::uint32_t>(interval));
}

void ask_events(Arguments& arguments, v1::Request& request) {
  request.mutable_watch_events()->set_follow(arguments.has("--follow"));
}

}  // namespace lanyard::cli
