// The one table of the keys that a network takes, and their readers and writers: command line, YAML and the control
// protocol all come down to it. The help text is made of it, too. Pure functions of their arguments.
//
//   --network NAME[:KIND][,KEY=VALUE]...       networks: {NAME: {kind: KIND, KEY: VALUE}}
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/config.h"

namespace lanyard {

struct NetworkKeyInfo {
  std::string_view name;
  std::string_view form;  // of the value
  std::string_view text;  // one line for people
  // Sets the value; returns what is wrong and was expected, or an empty string.
  std::string (*read)(std::string_view text, NetworkConfig& network);
  std::string (*written)(const NetworkConfig& network);  // as it would be read
  bool of_switch;                                        // counts in a switch only
};
[[nodiscard]] std::span<const NetworkKeyInfo> network_keys();  // `kind` is the first
[[nodiscard]] const NetworkKeyInfo* find_network_key(std::string_view name);  // nullptr when there is none
[[nodiscard]] std::string unknown_network_key(std::string_view name);         // what to say then

struct WrittenNetworkKey {
  std::string key;
  std::string value;
};
// A network as it was written in one word, taken apart but not understood.
struct WrittenNetwork {
  std::string name;
  std::vector<WrittenNetworkKey> keys;  // KIND as the key `kind`
};
// Returns what is wrong, or an empty string; what could be read of it is in `network` all the same.
[[nodiscard]] std::string take_apart_network(std::string_view text, WrittenNetwork& network);
// Understands `keys`, in which none may be twice; returns every mistake found.
[[nodiscard]] std::vector<std::string> read_network_keys(std::span<const WrittenNetworkKey> keys, NetworkConfig& network);

// The way back: those that are not at their default.
[[nodiscard]] std::vector<WrittenNetworkKey> written_keys(const NetworkConfig& network);
// What has no effect in a network of this kind: "stp"; empty: nothing.
[[nodiscard]] std::vector<std::string_view> idle_keys(const NetworkConfig& network);

}  // namespace lanyard
