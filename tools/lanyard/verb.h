// A verb of the command: one row of the table in verbs.cpp, from which arguments are read, help and the completion scripts
// are written, and which says what is done.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/control.pb.h"
#include "tools/lanyard/table.h"

namespace lanyard::cli {

class Arguments;

// What a word is a name of, for completion.
enum class Names { none, ports, networks, files, directions, shells };

struct Option {
  std::string_view names;  // "--network" or "-w,--write"
  std::string_view form;   // of its value, "FILE"; empty: it takes none
  std::string_view text;
  Names completes = Names::none;
};

struct Verb {
  std::string_view name;  // one word or two: "port add"
  std::string_view form{};  // of its arguments: "NAME KEY=VALUE..."
  std::size_t words_min = 0;
  std::size_t words_max = 0;
  std::string_view text{};     // one line, as in the list of verbs
  std::string_view details{};  // further lines of its help
  std::string_view example{};
  std::vector<Option> options{};
  Names completes = Names::none;  // its arguments
  // Makes the request of the arguments, or says mistakes in them.
  void (*ask)(Arguments& arguments, v1::Request& request) = nullptr;
  // Instead of asking once and showing the answer: streams, and what asks no daemon.
  void (*run)(Arguments& arguments, v1::Request& request) = nullptr;
  // The answer for people; by default text_of() in views.h.
  std::string (*show)(const v1::Response& response, const Arguments& arguments, Style style) = nullptr;
};

inline constexpr std::size_t any_number = ~std::size_t{0};

[[nodiscard]] std::span<const Verb> verbs();
[[nodiscard]] std::span<const Option> common_options();  // of every verb, also in front of it

}  // namespace lanyard::cli
