// One YAML document as a small tree with the places of its parts, out of text that nobody vouches for.
// yaml-cpp reads the grammar and hands over events; the tree is ours, so that what a configuration has no use
// for is refused with its place instead of being half understood: anchors and aliases (and with them loops
// and exponential growth), tags, further documents, deep nesting.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/config.h"

namespace lanyard {

struct YamlNode {
  enum class Kind { nothing, scalar, sequence, map };
  Kind kind = Kind::nothing;
  std::string text;             // of a scalar, unquoted and otherwise as written ("0660" stays "0660"); of nothing, the
                                // word that means it (~, null), empty where nothing is written
  int line = 1;                 // of its first byte, from 1
  int column = 1;               // in bytes, from 1
  bool in_brackets = false;     // it is a [...] or {...}, or within one
  bool lacks_colon = false;     // nothing, because what may be meant as its key has no ':' behind it
  std::vector<YamlNode> items;  // of a sequence: its elements; of a map: key, value, key, value ...
};

// "FILE:LINE:COLUMN"
[[nodiscard]] std::string place(std::string_view file, const YamlNode& node);

// The document of `text` (a node of kind `nothing` where there is none), or nothing and one error appended.
// Never throws. `file` is only for messages.
[[nodiscard]] std::optional<YamlNode> read_yaml_document(std::string_view text, std::string_view file,
                                                         std::vector<ConfigError>& errors);

}  // namespace lanyard
