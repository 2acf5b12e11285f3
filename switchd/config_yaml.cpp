// Configuration files: YAML in, the same model as the command line's out.
//
//   network: lan                      # for ports that name none
//   engine: auto                      # as --engine; log-level, control and strict likewise
//   networks:
//     core: {kind: wire}              # switch (default), wire or hub; further keys: network_keys.h
//   ports:
//     web: {type: tcp-listen, address: "0.0.0.0:7000", allow: [10.0.0.0/8]}
//
// Shape only: what a port's type, keys and values mean is read_port's business (port_keys.h), as it is for
// the PORT grammar. Goes on after a mistake, so that all are told at once, each with its line and column.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "switchd/config_text.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "switchd/yaml_document.h"

namespace lanyard {

namespace {

using Kind = YamlNode::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::scalar:
      return "a single value";
    case Kind::sequence:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return "";
}

class Reader {
 public:
  Reader(std::string_view file, Config& config, std::vector<ConfigError>& errors)
      : file_(file), config_(config), errors_(errors) {}

  // Does it have networks or ports?
  bool read_document(const YamlNode& root) {
    const YamlNode* default_network = nullptr;
    const YamlNode* networks = nullptr;
    const YamlNode* ports = nullptr;
    for_each_pair(root, "keys such as networks and ports", [&](const YamlNode& key, const YamlNode& value) {
      if (key.text == "networks") {
        networks = &value;
        read_networks(value);
      } else if (key.text == "ports") {
        ports = &value;
        read_ports(value);
      } else {
        if (key.text == "network") default_network = &value;
        read_setting(key, value);
      }
    });
    if (networks != nullptr && default_network != nullptr) check_default_network(*default_network);
    const auto is_said = [](const YamlNode* node) { return node != nullptr && node->kind != Kind::nothing; };
    return is_said(networks) || is_said(ports);
  }

 private:
  void fail(const YamlNode& node, std::string what) {
    errors_.push_back({place(file_, node), std::move(what)});
  }

  // Calls `visit` for each pair of a map whose key is a word that has not been there before. Nothing at all
  // (`ports:` and no more) is an empty map.
  template <typename Visit>
  void for_each_pair(const YamlNode& map, std::string_view expected, Visit visit) {
    if (map.kind == Kind::nothing) return;
    if (map.kind != Kind::map)
      return fail(map, fmt::format("expected {}, not {}{}", expected, name_of(map.kind),
                                   map.text.find(':') == std::string::npos ? "" : " (behind a key's ':' is a space)"));
    std::set<std::string_view> seen;
    for (std::size_t i = 0; i + 1 < map.items.size(); i += 2) {
      const YamlNode& key = map.items[i];
      const YamlNode& value = map.items[i + 1];
      if (key.kind != Kind::scalar)
        fail(key, fmt::format("expected a word as the key, not {}{}", name_of(key.kind),
                              key.kind == Kind::nothing ? ", which null and ~ are without quotes" : ""));
      else if (!seen.insert(key.text).second)
        fail(key, fmt::format("key {} is given twice", in_quotes(key.text)));
      else if (value.kind == Kind::nothing && value.text.empty() && key.text.find(':') != std::string::npos)
        visit_mended(key, visit);
      else
        visit(key, value);
    }
  }

  // "address:7000" is one word to YAML. What is meant is visited, so that nothing is said to be missing.
  template <typename Visit>
  void visit_mended(const YamlNode& word, Visit visit) {
    fail(word, fmt::format("expected a space behind the ':' of {}", in_quotes(word.text)));
    const std::size_t colon = word.text.find(':');
    YamlNode& key = mended_.emplace_back(word);
    YamlNode& value = mended_.emplace_back(word);
    key.text.resize(colon);
    value.text.erase(0, colon + 1);
    value.kind = value.text.empty() ? Kind::nothing : Kind::scalar;
    visit(key, value);
  }

  // The text of a single value; otherwise says so. An absent value has no good place of its own: its key's is
  // told.
  Written single_value(const YamlNode& key, const YamlNode& value) {
    if (value.kind == Kind::scalar) return {value.text, place(file_, value)};
    const bool is_absent = value.kind == Kind::nothing && value.text.empty();
    fail(is_absent ? key : value,
         fmt::format("{}: expected a single value, not {}{}", key.text, name_of(value.kind), hint(value)));
    return {.text = {}, .where = {}, .unreadable = true};
  }

  // What may have been meant.
  static std::string hint(const YamlNode& value) {
    if (value.kind != Kind::nothing)
      return value.in_brackets
                 ? fmt::format(": a value that begins with '{}' needs quotes", value.kind == Kind::map ? '{' : '[')
                 : "";
    if (!value.text.empty()) return fmt::format(", which {} is without quotes", value.text);
    return value.lacks_colon ? ": a value with a comma in it needs quotes" : "";
  }

  // What is far too much is not looked at one by one, so that the time to tell stays short.
  bool check_count(const YamlNode& map, std::string_view noun, std::size_t max) {
    const std::size_t count = map.kind == Kind::map ? map.items.size() / 2 : 0;
    if (count > max) fail(map, fmt::format("{} {}, expected at most {}", count, noun, max));
    return count <= max;
  }

  void read_setting(const YamlNode& key, const YamlNode& value) {
    const DaemonSetting* const setting = find_daemon_setting(key.text);
    if (setting == nullptr) {
      std::vector<std::string_view> words = {"networks", "ports"};
      for (const DaemonSetting& known : daemon_settings()) words.push_back(known.name);
      return fail(key, unknown_key(key.text, words));
    }
    const Written written = single_value(key, value);
    const std::string wrong = written.unreadable ? "" : setting->read(written.text, config_);
    if (!wrong.empty()) fail(value, fmt::format("{}: {}", key.text, wrong));
    if (written.unreadable || !wrong.empty()) config_.unclear.insert(key.text);
  }

  void read_networks(const YamlNode& networks) {
    if (!check_count(networks, "networks", limits::networks_max)) return;
    for_each_pair(
        networks, "networks by name, such as lan: {}", [&](const YamlNode& name, const YamlNode& body) {
          const std::string wrong = check_network_name(name.text);
          if (!wrong.empty()) return fail(name, wrong);
          // Declared, whatever its kind turns out to be: its ports are not to blame.
          NetworkConfig& network = config_.networks[name.text];
          for_each_pair(body, "a map such as {kind: wire}", [&](const YamlNode& key, const YamlNode& value) {
            const NetworkKeyInfo* const known = find_network_key(key.text);
            if (known == nullptr) return fail(key, unknown_network_key(key.text));
            const Written written = single_value(key, value);
            if (written.unreadable) return;
            const std::string wrong_value = known->read(written.text, network);
            if (!wrong_value.empty()) fail(value, fmt::format("{}: {}", key.text, wrong_value));
          });
        });
  }

  void check_default_network(const YamlNode& value) {
    if (config_.unclear.contains("network")) return;
    if (config_.networks.empty() || config_.networks.contains(config_.default_network)) return;
    std::vector<std::string_view> names;
    for (const auto& [name, network] : config_.networks) names.push_back(name);
    fail(value, unknown_word("network", config_.default_network, names));
  }

  void read_ports(const YamlNode& ports) {
    if (!check_count(ports, "ports", limits::ports_max)) return;
    for_each_pair(ports, "ports by name, such as web: {type: tcp-listen, address: 7000}",
                  [&](const YamlNode& name, const YamlNode& body) {
                    const std::size_t mistakes_before = errors_.size();
                    PortConfig& port = config_.ports.emplace_back();
                    read_port(take_apart_port(name, body), port, errors_);
                    port.origin.has_mistakes = errors_.size() > mistakes_before;
                  });
  }

  WrittenPort take_apart_port(const YamlNode& name, const YamlNode& body) {
    WrittenPort written;
    written.form = PortForm::map;
    written.where = place(file_, name);
    written.name = {name.text, written.where};
    if (body.kind != Kind::map && body.kind != Kind::nothing)
      written.type = {.text = {}, .where = {}, .unreadable = true};
    for_each_pair(body, "a map such as {type: tcp-listen, address: 7000}",
                  [&](const YamlNode& key, const YamlNode& value) {
                    if (key.text == "type")
                      written.type = single_value(key, value);
                    else if (key.text == "address")
                      written.address = single_value(key, value);
                    else
                      written.keys.push_back(take_apart_key(key, value));
                  });
    return written;
  }

  WrittenKey take_apart_key(const YamlNode& key, const YamlNode& value) {
    WrittenKey pair{
        .key = {key.text, place(file_, key)}, .values = {}, .is_list = value.kind == Kind::sequence};
    if (!pair.is_list) {
      pair.values.push_back(single_value(key, value));
      return pair;
    }
    for (const YamlNode& item : value.items) pair.values.push_back(single_value(key, item));
    return pair;
  }

  std::string_view file_;
  std::deque<YamlNode> mended_;  // what was meant where YAML saw something else; others may point to it
  Config& config_;
  std::vector<ConfigError>& errors_;
};

}  // namespace

bool parse_yaml(std::string_view text, std::string_view file, Config& config,
                std::vector<ConfigError>& errors) {
  const std::optional<YamlNode> root = read_yaml_document(text, file, errors);
  return root && Reader(file, config, errors).read_document(*root);
}

}  // namespace lanyard
