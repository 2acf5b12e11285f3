// The one table of port types and of the keys they take, and the one reader of a port: the PORT grammar and
// YAML both come down to a WrittenPort, and what is known about types, keys and values is known here alone.
// The help text is made of the same table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/config.h"

namespace lanyard {

// A piece of text and where it stands.
struct Written {
  std::string text;
  std::string where;
  bool unreadable = false;  // something is there that has no text, and that has been said
};

struct WrittenKey {
  Written key;
  std::vector<Written> values;
  bool is_list = false;  // a YAML sequence, even of one value
};

// How a port is written, which decides what is a key beside those of the table.
enum class PortForm : std::uint8_t {
  words,   // NAME=TYPE:ADDRESS,KEY=VALUE: none
  fields,  // of a message, one for each part: none
  map,     // of YAML: type and address
  change,  // of a port that is there: address. A key without a value goes back to its default
};

// A port as it was written, taken apart but not understood.
struct WrittenPort {
  PortForm form = PortForm::words;
  std::string where;
  std::optional<Written> name;
  std::optional<Written> type;
  std::optional<Written> address;
  std::vector<WrittenKey> keys;
};

// Understands `written`; appends every mistake found. What is wrong is left at its default in `port`.
void read_port(const WrittenPort& written, PortConfig& port, std::vector<ConfigError>& errors);

// The way back: a port's address, and the keys that are not at their default with their values, as they would be written.
struct WrittenValues {
  std::string_view key;
  std::vector<std::string> values;
};
[[nodiscard]] std::string written_address(const PortConfig& port);
// What a port is listed with while it is not bound: its address, or more of it where that says nothing, as the 0 of
// udp:0,remote=vm.example.com:7000.
[[nodiscard]] std::string unbound_address(const PortConfig& port);
[[nodiscard]] std::vector<WrittenValues> written_keys(const PortConfig& port);  // in the order of port_keys()

struct PortTypeInfo {
  PortType type;
  std::string_view name;
  std::string_view form;  // of the address
  std::string_view text;  // one line for people
  // Sets the address; returns what is wrong and was expected, or an empty string.
  std::string (*read_address)(std::string_view text, PortConfig& port);
  bool address_optional = false;
};
[[nodiscard]] std::span<const PortTypeInfo> port_types();  // in the order of the enumeration

using PortTypeSet = std::uint32_t;  // bit 1 << type
[[nodiscard]] constexpr PortTypeSet set_of(PortType type) {
  return PortTypeSet{1} << static_cast<unsigned>(type);
}
inline constexpr PortTypeSet all_port_types = set_of(PortType::nic) | (set_of(PortType::nic) - 1);

struct PortKeyInfo {
  std::string_view name;
  std::string_view form;  // of the value
  std::string_view text;  // one line for people
  PortTypeSet types;      // that take it
  bool list;              // several values: joined by '+', or a YAML sequence
  // Sets (a list: extends) the value of a port whose type is known; returns what is wrong, or an empty
  // string.
  std::string (*read)(std::string_view text, PortConfig& port);
  bool repeatable = false;  // may be given again, each time with one more value; in YAML a sequence
};
[[nodiscard]] std::span<const PortKeyInfo> port_keys();
[[nodiscard]] std::string names_of(PortTypeSet types);  // "tcp-listen and udp"

}  // namespace lanyard
