// The verbs that change something. Each makes the configuration that shall be, which is checked as a whole by the same
// code that checks command line and YAML, and then carried out by Topology::change_to, whole or not at all.
#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>

#include "frames/utf8.h"
#include "switchd/config_text.h"
#include "switchd/control/api.h"
#include "switchd/control/default_path.h"
#include "switchd/control/refusals.h"
#include "switchd/control/views.h"
#include "switchd/log.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"

namespace lanyard::control {

namespace {

// One mistake is the message; of several the message says how many.
std::optional<Refusal> refusal_of(const std::vector<ConfigError>& errors) {
  if (errors.empty()) return std::nullopt;
  if (errors.size() == 1) return invalid(to_string(errors.front()));
  Refusal refusal = invalid(fmt::format("{} mistakes; nothing was changed", errors.size()));
  for (const ConfigError& error : errors) refusal.details.push_back(to_string(error));
  return refusal;
}

WrittenKey written_key(const std::string& key, const std::vector<std::string>& values, const std::string& where) {
  WrittenKey written;
  written.key = {key, where};
  written.is_list = values.size() > 1;
  for (const std::string& value : values) written.values.push_back({value, where});
  return written;
}

WrittenKey written_key(const v1::Key& key, const std::string& where) {
  return written_key(key.key(), {key.values().begin(), key.values().end()}, where);
}

// Left out, or a path that leaving it out may mean.
bool is_default(const std::optional<std::string>& control) {
  const std::vector<DefaultPath> paths = paths_to_serve();
  return !control || std::any_of(paths.begin(), paths.end(), [&](const DefaultPath& path) { return path.path == *control; });
}

// Those that the command line gives, and otherwise the defaults: of what a document does not name.
void set_to_defaults(Config& config) {
  for (const DaemonSetting& setting : daemon_settings()) {
    setting.copy(Config(), config);
    if (const auto given = config.given.find(std::string(setting.name)); given != config.given.end())
      (void)setting.read(given->second, config);  // which it has taken before
  }
}

// What differs and can change is added to `changes`; what takes a new start stays as it is, and is returned.
std::vector<std::string_view> compare_settings(const Config& present, Config& wanted, std::vector<Change>& changes) {
  if (is_default(wanted.control) && is_default(present.control)) wanted.control = present.control;
  std::vector<std::string_view> kept;
  for (const DaemonSetting& setting : daemon_settings()) {
    const std::string before = setting.written(present), after = setting.written(wanted);
    if (before == after) continue;
    if (setting.changes_live) {
      changes.push_back({Change::Action::change, Change::What::setting, std::string(setting.name), {}, false,
                         {fmt::format("{}: {}", setting.name, before)}, {fmt::format("{}: {}", setting.name, after)}});
    } else {
      kept.push_back(setting.name);
      setting.copy(present, wanted);
    }
  }
  return kept;
}

// An empty file would remove all there is, which hardly anybody means.
std::optional<Refusal> read_document(const v1::Apply& verb, Config& wanted) {
  const std::string file = verb.file().empty() ? "yaml" : verb.file();
  std::vector<ConfigError> errors;
  const bool says_what = parse_yaml(verb.yaml(), file, wanted, errors);
  if (!says_what && errors.empty())
    errors.push_back({file, "expected ports or networks; where there shall be none: ports: {}"});
  complete(wanted, errors);
  return refusal_of(errors);
}

std::optional<Refusal> read_spec(const v1::PortSpec& spec, PortConfig& port) {
  std::vector<ConfigError> errors;
  const bool has_fields = !spec.name().empty() || !spec.type().empty() || !spec.address().empty() || spec.keys_size() > 0;
  if (!spec.text().empty()) {
    if (has_fields) return invalid("port: expected either text or the other fields, not both");
    parse_port(spec.text(), port, errors);
    return refusal_of(errors);
  }
  WrittenPort written;
  written.form = PortForm::fields;
  written.where = fmt::format("port {}", spec.name().empty() ? spec.type() : spec.name());
  if (!spec.name().empty()) written.name = {spec.name(), written.where};
  if (!spec.type().empty()) written.type = {spec.type(), written.where};
  if (!spec.address().empty()) written.address = {spec.address(), written.where};
  for (const v1::Key& key : spec.keys()) written.keys.push_back(written_key(key, written.where));
  read_port(written, port, errors);
  return refusal_of(errors);
}

constexpr std::string_view address_key = "address";  // a field, and a key as well, so that it can go back to its default

// The address of a port that is changed: the present one, another, or the default, which is none where the type needs
// an address.
std::optional<Written> changed_address(const PortConfig& present, const v1::SetPort& verb, const std::string& where,
                                       std::vector<ConfigError>& errors) {
  std::vector<std::string> given;
  if (!verb.address().empty()) given.push_back(verb.address());
  bool is_default = false;
  for (const v1::Key& key : verb.keys()) {
    if (key.key() != address_key) continue;
    given.insert(given.end(), key.values().begin(), key.values().end());
    is_default = key.values().empty();
  }
  if (given.size() > 1) errors.push_back({where, "address: expected a single value"});
  if (given.empty() && is_default) return std::nullopt;
  return Written{given.empty() ? written_address(present) : given.front(), where};
}

// The port as it is written, with some keys replaced; one without values goes back to its default.
std::optional<Refusal> read_changed(const PortConfig& present, const v1::SetPort& verb, PortConfig& port) {
  std::vector<ConfigError> errors;
  WrittenPort written;
  written.form = PortForm::change;
  written.where = fmt::format("port {}", present.name);
  written.name = {present.name, written.where};
  written.type = {std::string(name_of(present.type)), written.where};
  written.address = changed_address(present, verb, written.where, errors);
  const auto is_replaced = [&](std::string_view key) {
    return std::any_of(verb.keys().begin(), verb.keys().end(), [&](const v1::Key& given) { return given.key() == key; });
  };
  for (const auto& [key, values] : written_keys(present))
    if (!is_replaced(key)) written.keys.push_back(written_key(std::string(key), values, written.where));
  for (const v1::Key& key : verb.keys()) {
    if (key.key() == address_key) continue;
    const auto known = std::find_if(port_keys().begin(), port_keys().end(),
                                    [&](const PortKeyInfo& info) { return info.name == key.key(); });
    if (key.values_size() > 0 || known == port_keys().end()) written.keys.push_back(written_key(key, written.where));
  }
  read_port(written, port, errors);
  return refusal_of(errors);
}

// One without values has an empty one.
void take_key(const v1::Key& key, std::vector<WrittenNetworkKey>& keys, std::vector<std::string>& wrong) {
  if (key.values_size() > 1) wrong.push_back(fmt::format("{}: expected a single value", key.key()));
  else keys.push_back({key.key(), key.values_size() == 0 ? "" : key.values(0)});
}

std::optional<Refusal> refusal_of_network(const std::string& name, const std::vector<std::string>& wrong) {
  std::vector<ConfigError> errors;
  for (const std::string& mistake : wrong) errors.push_back({fmt::format("network '{}'", name), mistake});
  return refusal_of(errors);
}

// `network` with some keys replaced; one without values goes back to its default.
std::optional<Refusal> read_changed(const v1::SetNetwork& verb, NetworkConfig& network) {
  std::vector<std::string> wrong;
  std::vector<WrittenNetworkKey> keys;
  if (verb.has_kind()) keys.push_back({"kind", verb.kind()});
  if (verb.has_rewind_mib()) keys.push_back({"rewind", fmt::format("{}", verb.rewind_mib())});
  if (verb.has_ageing_s()) keys.push_back({"ageing", fmt::format("{}", verb.ageing_s())});
  for (const v1::Key& key : verb.keys()) {
    take_key(key, keys, wrong);
    const NetworkKeyInfo* const known = find_network_key(key.key());
    if (key.values_size() == 0 && known != nullptr) keys.back().value = known->written(NetworkConfig());
  }
  for (std::string& mistake : read_network_keys(keys, network)) wrong.push_back(std::move(mistake));
  return refusal_of_network(verb.name(), wrong);
}

}  // namespace

bool Api::handle_change(const v1::Request& request, const Asked& asked) {
  const bool is_change = request.verb_case() >= v1::Request::kAddPort && request.verb_case() <= v1::Request::kRemoveMirror;
  if (is_change && !ready_) {
    asked.refuse(v1::Error::UNAVAILABLE, "the daemon is starting");
    return true;
  }
  switch (request.verb_case()) {
    case v1::Request::kAddPort: add_port(request.add_port(), asked); return true;
    case v1::Request::kSetPort: set_port(request.set_port(), asked); return true;
    case v1::Request::kRemovePort: remove_port(request.remove_port(), asked); return true;
    case v1::Request::kEnablePort: switch_port(request.enable_port().name(), true, asked); return true;
    case v1::Request::kDisablePort: switch_port(request.disable_port().name(), false, asked); return true;
    case v1::Request::kAddNetwork: add_network(request.add_network(), asked); return true;
    case v1::Request::kSetNetwork: set_network(request.set_network(), asked); return true;
    case v1::Request::kRemoveNetwork: remove_network(request.remove_network(), asked); return true;
    case v1::Request::kApply: apply(request.apply(), asked); return true;
    case v1::Request::kFlushMacs: flush(request.flush_macs(), asked); return true;
    case v1::Request::kAddMirror: add_mirror(request.add_mirror(), asked); return true;
    case v1::Request::kRemoveMirror: remove_mirror(request.remove_mirror(), asked); return true;
    case v1::Request::kShutdown: shut_down(asked); return true;
    default: return false;
  }
}

// As it is written, so that what is left out is filled in anew. What does not go together with a change is the fault of
// that; a place in a file that was read long ago says nothing.
Config Api::present() const {
  Config config = services_.topology.config();
  config.ports = config.written;
  for (PortConfig& port : config.ports) port.origin = {fmt::format("port {}", port.name), true, false};
  config.networks.clear();
  for (const auto& [name, network] : services_.topology.networks()) config.networks[name] = network.config;
  config.warnings.clear();
  config.notes.clear();
  return config;
}

void Api::change(const Asked& asked, Make make, std::function<void(const std::string&)> told) {
  services_.topology.in_turn([this, asked, make = std::move(make), told = std::move(told)](std::function<void()> over) {
    Config wanted = present();
    std::string shown;
    std::optional<Refusal> refused = make(wanted, shown);
    std::vector<ConfigError> errors;
    if (!refused) complete(wanted, errors);
    if (!refused) refused = refusal_of(errors);
    if (refused) {
      asked.refuse(*refused);
      return over();
    }
    if (shown.empty() && !wanted.ports.empty()) shown = wanted.ports.back().name;
    const std::vector<Change> changes = services_.topology.plan(wanted);
    carry_out(wanted, [=, this](const std::optional<Refusal>& refusal) {
      if (refusal) asked.refuse(*refusal);
      else for (const Change& one : changes) tell(one);
      if (!refusal) told(shown);
      over();
    });
  }, [asked](const Refusal& broken) { asked.refuse(broken); });
}

void Api::carry_out(const Config& wanted, std::function<void(const std::optional<Refusal>&)> done) {
  auto rewinds = std::make_shared<Rewinds>();
  if (const auto refused = reserve_rewinds(wanted, *rewinds)) return done(refused);
  services_.topology.change_to(wanted, [this, rewinds, done = std::move(done)](const std::optional<Refusal>& refusal) {
    if (refusal) return done(refusal);
    set_rewinds(std::move(*rewinds), [done] { done(std::nullopt); });
  });
}

void Api::add_port(const v1::AddPort& verb, const Asked& asked) {
  PortConfig port;
  if (const auto refusal = read_spec(verb.port(), port)) return asked.refuse(*refusal);
  change(
      asked,
      [this, port](Config& wanted, std::string&) -> std::optional<Refusal> {
        if (services_.topology.written(port.name) != nullptr)
          return Refusal{Refusal::Kind::conflict, fmt::format("port '{}' is there already", port.name), {}};
        wanted.ports.push_back(port);
        return std::nullopt;
      },
      [this, asked](const std::string& name) { show_port(name, asked); });
}

void Api::set_port(const v1::SetPort& verb, const Asked& asked) {
  change(
      asked,
      [this, verb](Config& wanted, std::string& shown) -> std::optional<Refusal> {
        const PortConfig* present = services_.topology.written(verb.name());
        if (present == nullptr) return no_such_port(verb.name());
        shown = verb.name();
        PortConfig port;
        if (auto refusal = read_changed(*present, verb, port)) return refusal;
        for (PortConfig& wanted_port : wanted.ports)
          if (wanted_port.name == shown) wanted_port = port;
        return std::nullopt;
      },
      [this, asked](const std::string& name) { show_port(name, asked); });
}

void Api::remove_port(const v1::RemovePort& verb, const Asked& asked) {
  change(
      asked,
      [this, name = verb.name()](Config& wanted, std::string& shown) -> std::optional<Refusal> {
        if (services_.topology.written(name) == nullptr) return no_such_port(name);
        shown = name;
        std::erase_if(wanted.ports, [&](const PortConfig& port) { return port.name == name; });
        return std::nullopt;
      },
      [asked](const std::string&) { asked.done(1); });
}

void Api::switch_port(const std::string& name, bool enable, const Asked& asked) {
  services_.topology.in_turn([this, name, enable, asked](std::function<void()> over) {
    if (services_.topology.written(name) == nullptr) {
      asked.refuse(no_such_port(name));
      return over();
    }
    const bool changes = services_.topology.is_disabled(name) == enable;
    const auto done = [=, this](const std::optional<Refusal>& refusal) {
      const PortConfig* port = services_.topology.written(name);
      if (!refusal && changes)
        tell(EventKind::port_changed, name, port->network, fmt::format("port {} {}", name, enable ? "enabled" : "disabled"));
      if (refusal) asked.refuse(*refusal);
      else show_port(name, asked);
      over();
    };
    if (enable) services_.topology.enable(name, done);
    else services_.topology.disable(name, done);
  }, [asked](const Refusal& broken) { asked.refuse(broken); });
}

void Api::add_network(const v1::AddNetwork& verb, const Asked& asked) {
  NetworkConfig network;
  std::vector<std::string> wrong;
  if (std::string name_wrong = check_network_name(verb.name()); !name_wrong.empty()) wrong.push_back(name_wrong);
  std::vector<WrittenNetworkKey> keys;
  if (!verb.kind().empty()) keys.push_back({"kind", verb.kind()});
  for (const v1::Key& key : verb.keys()) take_key(key, keys, wrong);
  for (std::string& mistake : read_network_keys(keys, network)) wrong.push_back(std::move(mistake));
  if (const auto refusal = refusal_of_network(verb.name(), wrong)) return asked.refuse(*refusal);
  change(
      asked,
      [name = verb.name(), network](Config& wanted, std::string&) -> std::optional<Refusal> {
        if (wanted.networks.try_emplace(name, network).second) return std::nullopt;
        return Refusal{Refusal::Kind::conflict, fmt::format("network '{}' is there already", name), {}};
      },
      [asked](const std::string&) { asked.done(1); });
}

void Api::set_network(const v1::SetNetwork& verb, const Asked& asked) {
  change(
      asked,
      [this, verb](Config& wanted, std::string&) -> std::optional<Refusal> {
        if (verb.name().empty()) return invalid("name: expected the name of a network");
        if (auto refusal = check_network(verb.name())) return refusal;
        return read_changed(verb, wanted.networks.at(verb.name()));
      },
      [this, verb, asked](const std::string&) {
        v1::ListNetworks list;
        list.set_name(verb.name());
        list_networks(list, asked);
      });
}

void Api::remove_network(const v1::RemoveNetwork& verb, const Asked& asked) {
  change(
      asked,
      [this, name = verb.name()](Config& wanted, std::string&) -> std::optional<Refusal> {
        if (name.empty()) return invalid("name: expected the name of a network");
        if (auto refusal = check_network(name)) return refusal;
        for (const PortConfig& port : wanted.ports)
          if (port.network == name)
            return Refusal{Refusal::Kind::conflict, fmt::format("network '{}' has ports, such as {}", name, port.name), {}};
        wanted.networks.erase(name);
        return std::nullopt;
      },
      [asked](const std::string&) { asked.done(1); });
}

void Api::apply(const v1::Apply& verb, const Asked& asked) {
  services_.topology.in_turn([this, verb, asked](std::function<void()> over) {
    Config wanted = present();
    const Config before = wanted;
    wanted.ports.clear();
    wanted.written.clear();
    wanted.networks.clear();
    set_to_defaults(wanted);
    if (const auto refusal = read_document(verb, wanted)) {
      asked.refuse(*refusal);
      return over();
    }
    std::vector<Change> changes = services_.topology.plan(wanted);
    const std::vector<std::string_view> kept = compare_settings(before, wanted, changes);
    std::vector<v1::Plan> parts = list_changes(changes);
    for (const ConfigError& warning : wanted.warnings) parts.front().add_warnings(as_utf8(to_string(warning)));
    for (const std::string_view setting : kept)
      parts.front().add_warnings(fmt::format("{}: stays as it is until the daemon is started again", setting));
    const auto show = [asked, parts = std::move(parts)] {
      for (const v1::Plan& part : parts) {
        v1::Response response;
        response.set_more(&part != &parts.back());
        *response.mutable_plan() = part;
        asked.respond(std::move(response));
      }
    };
    if (verb.dry_run()) {
      show();
      return over();
    }
    carry_out(wanted, [=, this](const std::optional<Refusal>& refusal) {
      if (refusal) {
        asked.refuse(*refusal);
        return over();
      }
      set_log_level(wanted.log_level);
      for (const Change& one : changes) tell(one);
      tell(EventKind::configuration_applied, {}, {},
           fmt::format("{} applied: {}", verb.file().empty() ? "a configuration" : as_utf8(verb.file()),
                       counted(changes.size(), "change")));
      show();
      over();
    });
  }, [asked](const Refusal& broken) { asked.refuse(broken); });
}

void Api::flush(const v1::FlushMacs& verb, const Asked& asked) {
  if (const auto refusal = check_network(verb.network())) return asked.refuse(*refusal);
  if (const auto refusal = check_port(verb.port())) return asked.refuse(*refusal);
  std::optional<MacAddress> station;
  if (!verb.mac().empty()) {
    station = parse_mac(verb.mac());
    if (!station)
      return asked.refuse(invalid(fmt::format("mac: expected an address such as 52:54:00:12:34:56, not {}",
                                              in_quotes(verb.mac()))));
  }
  services_.topology.flush(verb.network(), verb.port(), station, [asked](std::uint64_t count) { asked.done(count); });
}

void Api::shut_down(const Asked& asked) {
  asked.done();
  asio::post(io_, services_.shut_down);
}

// --- Answers and events.

void Api::show_port(const std::string& name, const Asked& asked) {
  asked.show(control::list_ports(services_.topology, name, {}));
}

Refusal Api::no_such_port(const std::string& name) const {
  if (name.empty()) return invalid("name: expected the name of a port");
  if (const auto refusal = check_port(name)) return *refusal;
  return invalid(fmt::format("{} is a connection of a port; what is configured is {}", name, name.substr(0, name.rfind('.'))));
}

void Api::tell(EventKind kind, const std::string& port, const std::string& network, std::string text) {
  Event event;
  event.kind = kind;
  event.port = port;
  event.network = network;
  const PortRecord* record = services_.topology.registry().find(port);
  if (network.empty() && record != nullptr) event.network = record->network;
  event.text = std::move(text);
  services_.events.add(LogLevel::info, std::move(event));
}

// "max-frame: 1514, queue back to its default, without allow: ::1": what is new of it, and what was taken away.
std::string Api::what_changed(const Change& change) const {
  const Topology& topology = services_.topology;
  const std::vector<std::string> now =
      change.what == Change::What::port ? lines_of(*topology.written(change.name)) : lines_of(topology.networks().at(change.name).config);
  const auto has_key = [](const std::vector<std::string>& lines, const std::string& key) {
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.starts_with(key); });
  };
  std::vector<std::string> parts = change.after;
  for (const std::string& line : change.before) {
    const std::string key = line.substr(0, line.find(' '));  // "queue:"
    if (has_key(change.after, key)) continue;                // it is replaced
    parts.push_back(has_key(now, key) ? "without " + line : key.substr(0, key.size() - 1) + " back to its default");
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// One event for each change. Launchers read on standard output where a port was really bound.
void Api::tell(const Change& change) {
  if (change.what == Change::What::setting) return;  // configuration_applied says so
  const bool is_port = change.what == Change::What::port;
  const std::string thing = fmt::format("{} {}", is_port ? "port" : "network", change.name);
  const auto kind = [&](EventKind of_port, EventKind of_network) { return is_port ? of_port : of_network; };
  const std::string port = is_port ? change.name : "";
  if (change.action == Change::Action::remove) {
    if (is_port) services_.topology.print(thing + " down removed");
    return tell(kind(EventKind::port_removed, EventKind::network_removed), port,
                is_port ? change.network : change.name, thing + " removed");
  }
  const std::string address = is_port ? address_of(change.name) : "";
  if (is_port && (change.action == Change::Action::add || change.reopens))
    services_.topology.print(thing + " " + address);
  const std::string network = is_port ? services_.topology.written(port)->network : change.name;
  if (change.action == Change::Action::add)
    return tell(kind(EventKind::port_added, EventKind::network_added), port, network,
                is_port ? fmt::format("{} added: {}", thing, address)
                               : fmt::format("{} added, {}", thing, fmt::join(change.after, ", ")));
  const std::string what = what_changed(change);
  tell(kind(EventKind::port_changed, EventKind::network_changed), port, network,
       fmt::format("{} changed{}{}", thing, what.empty() ? "" : ": ", what));
}

// "udp:127.0.0.1:7000"
std::string Api::address_of(const std::string& port) const {
  const Topology& topology = services_.topology;
  return fmt::format("{}:{}", name_of(topology.written(port)->type), topology.address_of(port));
}

}  // namespace lanyard::control
