// Takes arguments apart. CLI11 tells options from words and nothing more, as in switchd's command line: it would stop
// at the first mistake. It is asked up to three times: for what is in front of the verb, between its two words, and
// behind, where the options of the verb are known.
#include "tools/lanyard/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>

#include "frames/utf8.h"
#include "switchd/control/default_path.h"
#include "switchd/control/words.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/units.h"

namespace lanyard::cli {

namespace {

constexpr std::string_view options_end = "--";

bool is_option(const std::string& argument) { return argument.size() > 1 && argument[0] == '-'; }

std::string_view without_dashes(std::string_view option) {
  return option.substr(std::min(option.find_first_not_of('-'), option.size()));
}

std::vector<Option> options_of(const Verb* verb) {
  std::vector<Option> all(common_options().begin(), common_options().end());
  if (verb != nullptr) all.insert(all.end(), verb->options.begin(), verb->options.end());
  return all;
}

// The verbs whose first words are `words`: one, several of a group, or none.
std::vector<const Verb*> verbs_beginning(const std::string& words) {
  std::vector<const Verb*> found;
  for (const Verb& verb : verbs())
    if (verb.name == words || verb.name.starts_with(words + " ")) found.push_back(&verb);
  return found;
}

// What may come behind `before` (nothing, or the first word of a group).
std::vector<std::string_view> next_words(std::string_view before) {
  const std::string group = before.empty() ? "" : std::string(before) + " ";  // "port " is not in front of "ports"
  std::vector<std::string_view> words;
  for (const Verb& verb : verbs()) {
    if (verb.name.starts_with("_") || !verb.name.starts_with(group)) continue;
    const std::string_view rest = verb.name.substr(group.size());
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (words.empty() || words.back() != word) words.push_back(word);  // groups stand together in the table
  }
  return words;
}

}  // namespace

Arguments::Arguments(int argc, const char* const* argv) {
  std::vector<std::string> left = find_verb({argv + std::min(argc, 1), argv + argc});
  if (verb_ != nullptr) read_words(take_options(left, verb_));
  const bool wants_verb = verb_ == nullptr && mistakes_.empty() && !has("--version");
  if (wants_verb) add_mistake(asked_.empty() ? "no verb" : asked_, "expected " + listed(next_words(asked_)));
  if (has("--help")) mistakes_.clear();  // they are why it is asked for
}

// Finds the verb; returns what is behind it.
std::vector<std::string> Arguments::find_verb(std::vector<std::string> left) {
  for (;;) {
    left = take_options(std::move(left), nullptr);
    if (left.empty()) return left;
    const std::string before = asked_;
    asked_ += (before.empty() ? "" : " ") + left.front();
    const std::vector<const Verb*> found = verbs_beginning(asked_);
    if (found.empty()) {
      add_mistake(before.empty() ? "verb" : before,
                  unknown_word("verb", left.front(), next_words(before)));
      asked_ = before;
      return {};
    }
    left.erase(left.begin());
    if (found.front()->name != asked_) continue;  // a group
    verb_ = found.front();
    return left;
  }
}

// Keeps the options in `left`, up to the first word unless `verb` is known; returns what is no option.
std::vector<std::string> Arguments::take_options(std::vector<std::string> left, const Verb* verb) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.prefix_command(verb == nullptr);
  const std::vector<Option> known = options_of(verb);
  std::vector<CLI::Option*> given;
  for (const Option& option : known) {
    const std::string names(option.names);
    given.push_back(option.form.empty() ? app.add_flag(names)->take_all()
                                        : app.add_option(names)->expected(0, 1)->take_all()->allow_extra_args(false));
  }
  std::reverse(left.begin(), left.end());  // as CLI11 takes a vector
  app.parse(std::move(left));
  for (std::size_t i = 0; i < known.size(); ++i)
    if (given[i]->count() > 0) read_option(given[i]->get_name(), known[i], given[i]->results());

  std::vector<std::string> words;
  std::vector<std::string> unknown;
  bool words_only = false;
  for (std::string& word : app.remaining()) {
    if (verb == nullptr && !words.empty())
      words.push_back(std::move(word));  // behind the verb: for the next time
    else if (!words_only && word == options_end)
      words_only = true;
    else
      (!words_only && is_option(word) ? unknown : words).push_back(std::move(word));
  }
  name_unknown_options(unknown, verb);
  return words;
}

void Arguments::read_option(const std::string& name, const Option& option, const std::vector<std::string>& values) {
  const std::string_view form = option.form;
  const bool is_first = options_.emplace(name, values.front()).second;
  if (form.empty()) {
    for (const std::string& value : values)
      if (value != "true") add_mistake(name, fmt::format("takes no value, not {}", in_quotes(value)));
  } else if (!is_first || values.size() > 1) {
    add_mistake(name, "given more than once");
  } else if (values.front().empty()) {
    add_mistake(name, fmt::format("expected {} after it", form));
  } else if (option.completes != Names::files) {
    insist_on_utf8(name, values.front());
  }
}

// Of what goes into a request; the paths of files stay here, and may have any bytes.
void Arguments::insist_on_utf8(const std::string& where, const std::string& value) {
  if (const auto place = find_invalid_utf8(value)) add_mistake(where, fmt::format("byte {} is no UTF-8", place->column));
}

// Words are compared without their dashes, which are no likeness.
void Arguments::name_unknown_options(const std::vector<std::string>& unknown, const Verb* verb) {
  std::vector<std::string_view> words;
  const std::vector<Option> known = options_of(verb);
  for (const Option& option : known) words.push_back(without_dashes(option.names.substr(option.names.find("--"))));
  for (const std::string& argument : unknown) {
    const std::string_view near =
        nearest(without_dashes(std::string_view(argument).substr(0, argument.find('='))), words);
    add_mistake(argument, near.empty() ? "unknown option" : fmt::format("unknown option, did you mean --{}?", near));
  }
}

void Arguments::read_words(const std::vector<std::string>& left) {
  words_ = left;
  if (words_.size() < verb_->words_min)
    add_mistake(std::string(verb_->name), fmt::format("expected {} after it", verb_->form));
  while (words_.size() > verb_->words_max) {
    add_mistake(words_.back(), verb_->form.empty() ? fmt::format("'{}' takes no arguments", verb_->name)
                                                   : fmt::format("'{}' takes {} only", verb_->name, verb_->form));
    words_.pop_back();
  }
  if (verb_->completes == Names::files) return;
  for (const std::string& word : words_) insist_on_utf8(in_quotes(word), word);
}

const std::string& Arguments::word(std::size_t i) const {
  static const std::string none;
  return i < words_.size() ? words_[i] : none;
}

const std::string& Arguments::text(const std::string& option) const {
  static const std::string none;
  const auto found = options_.find(option);
  return found == options_.end() ? none : found->second;
}

std::uint64_t Arguments::number(const std::string& option, std::uint64_t max) {
  const std::string& value = text(option);
  if (value.empty()) return 0;
  const auto number = parse_number(value, 1, max);
  if (!number) add_mistake(option, fmt::format("expected a number from 1 to {}, not {}", max, in_quotes(value)));
  return number.value_or(0);
}

std::uint64_t Arguments::duration_ms(const std::string& option) {
  const std::string& value = text(option);
  if (value.empty()) return 0;
  const auto duration = parse_duration_ms(value);
  if (!duration) add_mistake(option, fmt::format("expected {}, not {}", duration_form, in_quotes(value)));
  return duration.value_or(0);
}

const std::string& Arguments::direction() {
  const std::string& value = text("--direction");
  if (!value.empty() && value != "in" && value != "out")
    add_mistake("--direction", fmt::format("expected in or out, not {}", in_quotes(value)));
  return value;
}

std::vector<control::DefaultPath> Arguments::control_paths() const {
  const char* const variable = std::getenv("LANYARD_CONTROL");
  const bool is_named = has("--control") || (variable != nullptr && *variable != '\0');
  if (!is_named) return control::paths_to_try();
  const std::string path = has("--control") ? text("--control") : variable;
  if (const std::string wrong = control::why_no_socket_path(path); !wrong.empty())
    throw Exit{exit_usage, fmt::format("{}: {}", has("--control") ? "--control" : "LANYARD_CONTROL", wrong)};
  return {{path, {}, true}};
}

void Arguments::add_mistake(const std::string& where, const std::string& what) {
  mistakes_.push_back(printable(where + ": " + what));
}

void Arguments::insist_good() const {
  if (mistakes_.empty()) return;
  std::string message;
  for (const std::string& mistake : mistakes_) message += mistake + "\n";
  throw Exit{exit_usage, fmt::format("{}see lanyard{}{} --help", message, asked_.empty() ? "" : " ", asked_)};
}

}  // namespace lanyard::cli
