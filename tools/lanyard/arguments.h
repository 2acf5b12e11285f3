// What was typed, taken apart: the verb, its arguments and options. Every mistake is collected, so that all can be said
// at once; those in values are found by who reads them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/control/default_path.h"
#include "tools/lanyard/verb.h"

namespace lanyard::cli {

class Arguments {
 public:
  Arguments(int argc, const char* const* argv);

  // nullptr: none was given, or none of ours; `asked` says what was.
  [[nodiscard]] const Verb* verb() const { return verb_; }
  [[nodiscard]] const std::string& asked() const { return asked_; }
  [[nodiscard]] const std::vector<std::string>& words() const { return words_; }
  [[nodiscard]] const std::string& word(std::size_t i) const;  // empty where it is missing
  [[nodiscard]] bool has(const std::string& option) const { return options_.count(option) != 0; }
  // Of an option that takes a value, "--network": empty where it is not given.
  [[nodiscard]] const std::string& text(const std::string& option) const;
  // 0 where it is not given, or a mistake, which is said.
  [[nodiscard]] std::uint64_t number(const std::string& option, std::uint64_t max);
  [[nodiscard]] std::uint64_t duration_ms(const std::string& option);
  // "in", "out" or empty.
  [[nodiscard]] const std::string& direction();
  // Where the daemon may be, by --control, $LANYARD_CONTROL or default, in the order to try.
  [[nodiscard]] std::vector<control::DefaultPath> control_paths() const;

  void add_mistake(const std::string& where, const std::string& what);
  void insist_good() const;  // else Exit with all mistakes

 private:
  void read_option(const std::string& name, const Option& option, const std::vector<std::string>& values);
  void insist_on_utf8(const std::string& where, const std::string& value);
  [[nodiscard]] std::vector<std::string> take_options(std::vector<std::string> left, const Verb* verb);
  [[nodiscard]] std::vector<std::string> find_verb(std::vector<std::string> left);
  void name_unknown_options(const std::vector<std::string>& unknown, const Verb* verb);
  void read_words(const std::vector<std::string>& left);

  const Verb* verb_ = nullptr;
  std::string asked_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> options_;
  std::vector<std::string> mistakes_;
};

}  // namespace lanyard::cli
