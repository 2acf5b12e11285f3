// Understands one port, however it was written: its type, its address, its keys, and what only hangs together
// between them. Goes on after a mistake, so that all are told at once. See port_keys.h for the table it reads
// by.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "switchd/address.h"
#include "switchd/config_text.h"
#include "switchd/port_keys.h"

namespace lanyard {

namespace {

const PortKeyInfo* find_key(std::string_view name) {
  for (const PortKeyInfo& key : port_keys())
    if (key.name == name) return &key;
  return nullptr;
}

// Words of QEMU, libvirt and others for what is a type here. A word that begins some types ("tcp") means the first of
// them. Empty: none of these.
std::string_view meant_type(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, PortType>, 14> words = {{
      {"socket", PortType::tcp_listen},   {"inet", PortType::tcp_listen},     {"client", PortType::tcp_listen},
      {"server", PortType::tcp_connect},  {"stream", PortType::unix_listen},  {"dgram", PortType::unix_dgram},
      {"multicast", PortType::mcast},     {"user", PortType::nat},            {"slirp", PortType::nat},
      {"gateway", PortType::nat},         {"tun", PortType::tap},             {"bridge", PortType::tap},
      {"eth", PortType::nic},             {"packet", PortType::nic},
  }};
  for (const PortTypeInfo& type : port_types())
    if (type.name.starts_with(word) && type.name.substr(word.size()).starts_with('-')) return type.name;
  for (const auto& [theirs, ours] : words)
    if (word == theirs) return name_of(ours);
  return {};
}

// nullptr where the type is missing or unknown, and that has been said.
const PortTypeInfo* read_type(const WrittenPort& written, std::vector<ConfigError>& errors) {
  std::vector<std::string_view> names;
  for (const PortTypeInfo& type : port_types()) {
    if (written.type && written.type->text == type.name) return &type;
    names.push_back(type.name);
  }
  if (!written.type)
    errors.push_back({written.where, fmt::format("a port needs a type: {}", listed(names))});
  else if (const std::string_view meant = meant_type(written.type->text); !meant.empty())
    errors.push_back({written.type->where, fmt::format("unknown type {}, did you mean '{}'?",
                                                       in_quotes(written.type->text), meant)});
  else if (!written.type->unreadable)
    errors.push_back({written.type->where, unknown_word("type", written.type->text, names)});
  return nullptr;
}

void read_address(const WrittenPort& written, const PortTypeInfo& type, PortConfig& port,
                  std::vector<ConfigError>& errors) {
  if (!written.address) {
    if (type.address_optional) return;
    errors.push_back({written.where, fmt::format("{} needs an address, {}", type.name, type.form)});
    return;
  }
  if (written.address->unreadable) return;
  const std::string wrong = type.read_address(written.address->text, port);
  if (!wrong.empty()) errors.push_back({written.address->where, wrong});
}

// Beside those of the table, in front of them.
std::vector<std::string_view> keys_of(PortForm form) {
  if (form == PortForm::map) return {"type", "address"};
  if (form == PortForm::change) return {"address"};
  return {};
}

// What is a part of every port, but not as a key of this form; else empty.
std::string misplaced_part(std::string_view word, PortForm form) {
  if (word != "name" && word != "type" && word != "address") return {};
  switch (form) {
    case PortForm::words: return fmt::format("{} is no key, it stands in front: [NAME=]TYPE:ADDRESS,KEY=VALUE...", word);
    case PortForm::fields: return fmt::format("{} is no key, but a field of its own", word);
    case PortForm::map: return "the name is what stands in front: NAME: {type: TYPE, address: ADDRESS}";
    case PortForm::change: return fmt::format("a port keeps its {}; remove it, and add another", word);
  }
  return {};
}

// nullptr where `type` (nullptr: unknown) does not take the key, and that has been said.
const PortKeyInfo* look_up_key(const Written& name, PortForm form, const PortTypeInfo* type,
                               std::vector<ConfigError>& errors) {
  const PortKeyInfo* const key = find_key(name.text);
  if (key != nullptr && (type == nullptr || (key->types & set_of(type->type)) != 0)) return key;
  if (key != nullptr) {
    errors.push_back({name.where, fmt::format("key '{}' is for {}, not for {}", key->name,
                                              names_of(key->types), type->name)});
    return nullptr;
  }
  std::string wrong = misplaced_part(name.text, form);
  if (wrong.empty()) {
    std::vector<std::string_view> names = keys_of(form);
    for (const PortKeyInfo& candidate : port_keys())
      if (type == nullptr || (candidate.types & set_of(type->type)) != 0) names.push_back(candidate.name);
    wrong = type == nullptr ? unknown_word("key", name.text, names) : unknown_key(name.text, names);
  }
  errors.push_back({name.where, wrong});
  return nullptr;
}

void read_values(const WrittenKey& written, const PortKeyInfo& key, PortConfig& port,
                 std::vector<ConfigError>& errors) {
  if (written.is_list && !key.list && !key.repeatable) {
    errors.push_back({written.key.where, fmt::format("{}: expected one value, not a list", key.name)});
    return;
  }
  if (written.values.empty())
    errors.push_back({written.key.where, fmt::format("{}: expected at least one value", key.name)});
  std::size_t count = 0;
  for (const Written& value : written.values) {
    if (value.unreadable) continue;
    std::string_view rest = value.text;
    bool more = true;
    while (more) {
      if (++count > limits::allow_prefixes_max) {
        errors.push_back(
            {value.where, fmt::format("{}: more than {} values", key.name, limits::allow_prefixes_max)});
        return;
      }
      const std::size_t plus = key.list ? rest.find('+') : std::string_view::npos;
      more = plus != std::string_view::npos;
      const std::string wrong = key.read(rest.substr(0, plus), port);
      if (!wrong.empty()) errors.push_back({value.where, fmt::format("{}: {}", key.name, wrong)});
      if (more) rest.remove_prefix(plus + 1);
    }
  }
}

// Reads all keys; `given` are those that the port has, well written or not.
void read_keys(const WrittenPort& written, const PortTypeInfo* type, PortConfig& port,
               std::vector<const PortKeyInfo*>& given, std::vector<ConfigError>& errors) {
  for (const WrittenKey& pair : written.keys) {
    const PortKeyInfo* const key = look_up_key(pair.key, written.form, type, errors);
    if (key == nullptr) continue;
    if (!key->repeatable && std::find(given.begin(), given.end(), key) != given.end()) {
      errors.push_back({pair.key.where, fmt::format("key '{}' is given twice", key->name)});
      continue;
    }
    given.push_back(key);
    // What a value means may depend on the type, except where all types take the key.
    if (type != nullptr || key->types == all_port_types) read_values(pair, *key, port, errors);
  }
}

// A peer that is the port itself, or that its socket can never reach.
std::string check_remote(const PortConfig& port) {
  if (port.type == PortType::unix_dgram) {
    if (!port.path.empty() && port.path == port.remote_path) return "remote is the port's own path";
    return {};
  }
  if (!port.remote || port.address.host.empty()) return {};
  if (port.address == *port.remote) return "remote is the port's own address";
  if ((is_ipv4(port.address.host) && is_ipv6(port.remote->host)) ||
      (is_ipv6(port.address.host) && is_ipv4(port.remote->host)))
    return "the port's address and remote must both be IPv4 or both IPv6";
  return {};
}

void check_keys(const WrittenPort& written, const PortConfig& port,
                const std::vector<const PortKeyInfo*>& given, std::vector<ConfigError>& errors) {
  const auto place_of = [&](std::string_view name) { return std::find(given.begin(), given.end(), find_key(name)); };
  const auto has = [&](std::string_view name) { return place_of(name) != given.end(); };
  std::string wrong;
  if (port.type == PortType::udp && has("remote") && has("allow")) {
    wrong = "udp takes remote (one peer) or allow (many), not both";
    if (written.form == PortForm::change)  // what the port had is in front of what is new
      wrong += fmt::format("; {}= takes away what it has", place_of("remote") < place_of("allow") ? "remote" : "allow");
  }
  else if (port.type == PortType::udp && !has("remote") && !has("allow"))
    wrong = "udp needs remote (HOST:PORT of the one peer) or allow (CIDR of many)";
  else if (port.type == PortType::unix_dgram && !has("remote"))
    wrong = "unix-dgram needs remote (PATH of the peer)";
  else
    wrong = check_remote(port);
  if (!wrong.empty()) errors.push_back({written.where, wrong});
}

}  // namespace

void read_port(const WrittenPort& written, PortConfig& port, std::vector<ConfigError>& errors) {
  const std::size_t mistakes_before = errors.size();
  port.origin.text = written.where;
  if (written.name) {
    const std::string wrong = check_port_name(written.name->text);
    if (wrong.empty())
      port.name = written.name->text;
    else
      errors.push_back({written.name->where, wrong});
  }
  const PortTypeInfo* const type = read_type(written, errors);
  if (type != nullptr) {
    port.type = type->type;
    read_address(written, *type, port, errors);
  }
  std::vector<const PortKeyInfo*> given;
  read_keys(written, type, port, given, errors);
  if (type != nullptr) check_keys(written, port, given, errors);
  port.origin.has_mistakes = errors.size() > mistakes_before;
}

}  // namespace lanyard
