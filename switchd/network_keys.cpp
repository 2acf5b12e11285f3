// Keys of networks; see the header.
#include "switchd/network_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "switchd/config_text.h"

namespace lanyard {

namespace {

std::string read_kind(std::string_view text, NetworkConfig& network) { return read_network_kind(text, network.kind); }
std::string write_kind(const NetworkConfig& network) { return std::string(name_of(network.kind)); }

std::string read_ageing(std::string_view text, NetworkConfig& network) {
  const auto seconds = parse_number(text, 1, limits::ageing_s_max);
  if (!seconds)
    return fmt::format("expected a number of seconds from 1 to {}, not {}", limits::ageing_s_max, in_quotes(text));
  network.ageing_s = *seconds;
  return {};
}
std::string write_ageing(const NetworkConfig& network) { return fmt::format("{}", network.ageing_s); }

std::string read_rewind(std::string_view text, NetworkConfig& network) {
  const auto mib = parse_number(text, 0, limits::rewind_mib_max);
  if (!mib) return fmt::format("expected a number of MiB from 0 to {}, not {}", limits::rewind_mib_max, in_quotes(text));
  network.rewind_mib = *mib;
  return {};
}
std::string write_rewind(const NetworkConfig& network) { return fmt::format("{}", network.rewind_mib); }

std::string read_stp(std::string_view text, NetworkConfig& network) {
  if (text != "pass" && text != "consume") return fmt::format("expected pass or consume, not {}", in_quotes(text));
  network.stp = text == "pass" ? SpanningTree::pass : SpanningTree::consume;
  return {};
}
std::string write_stp(const NetworkConfig& network) {
  return network.stp == SpanningTree::pass ? "pass" : "consume";
}

constexpr std::array<NetworkKeyInfo, 4> key_table = {{
    {"kind", "KIND", "switch (default), wire or hub", read_kind, write_kind, false},
    {"ageing", "SECONDS", "a MAC address silent for so long is forgotten: 1 to 86400 (default 300)", read_ageing,
     write_ageing, true},
    {"rewind", "MIB", "memory for its recent past: 0 to 4096 (default 0)", read_rewind, write_rewind, false},
    {"stp", "WORD", "frames of spanning tree: pass (default) or consume them", read_stp, write_stp, true},
}};

}  // namespace

std::span<const NetworkKeyInfo> network_keys() { return key_table; }

const NetworkKeyInfo* find_network_key(std::string_view name) {
  const auto found =
      std::find_if(key_table.begin(), key_table.end(), [&](const NetworkKeyInfo& key) { return key.name == name; });
  return found == key_table.end() ? nullptr : &*found;
}

std::string unknown_network_key(std::string_view name) {
  std::vector<std::string_view> words;
  for (const NetworkKeyInfo& key : key_table) words.push_back(key.name);
  return unknown_key(name, words);
}

std::string take_apart_network(std::string_view text, WrittenNetwork& network) {
  std::size_t comma = text.find(',');
  const std::string_view head = text.substr(0, comma);
  const std::size_t colon = head.find(':');
  network.name = head.substr(0, colon);
  if (colon != std::string_view::npos) network.keys.push_back({"kind", std::string(head.substr(colon + 1))});
  while (comma != std::string_view::npos) {
    text.remove_prefix(comma + 1);
    comma = text.find(',');
    const std::string_view pair = text.substr(0, comma);
    const std::size_t equals = pair.find('=');
    if (equals == std::string_view::npos) return fmt::format("expected KEY=VALUE after ',', not {}", in_quotes(pair));
    network.keys.push_back({std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1))});
  }
  return check_network_name(network.name);
}

std::vector<std::string> read_network_keys(std::span<const WrittenNetworkKey> given, NetworkConfig& network) {
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const std::string& name = given[i].key;
    const std::string& value = given[i].value;
    const NetworkKeyInfo* key = find_network_key(name);
    const auto before = given.first(i);
    if (key == nullptr) {
      wrong.push_back(unknown_network_key(name));
    } else if (std::any_of(before.begin(), before.end(), [&](const auto& other) { return other.key == name; })) {
      wrong.push_back(fmt::format("key {} is given twice", in_quotes(name)));
    } else if (const std::string mistake = key->read(value, network); !mistake.empty()) {
      wrong.push_back(key == key_table.data() ? mistake : fmt::format("{}: {}", name, mistake));
    }
  }
  return wrong;
}

std::vector<WrittenNetworkKey> written_keys(const NetworkConfig& network) {
  const NetworkConfig standard;
  std::vector<WrittenNetworkKey> written;
  for (const NetworkKeyInfo& key : key_table)
    if (std::string value = key.written(network); value != key.written(standard))
      written.push_back({std::string(key.name), std::move(value)});
  return written;
}

std::vector<std::string_view> idle_keys(const NetworkConfig& network) {
  const NetworkConfig standard;
  std::vector<std::string_view> idle;
  if (network.kind == NetworkKind::learning_switch) return idle;
  for (const NetworkKeyInfo& key : key_table)
    if (key.of_switch && key.written(network) != key.written(standard)) idle.push_back(key.name);
  return idle;
}

}  // namespace lanyard
