// The completion scripts; see the header. bash and zsh read the same `case`, which says for what stands in front of the
// word whether it is one of `choices`, a name that the daemon knows (`names`), or a file; only how they are told the
// words and tell the result differs. fish is told a condition for each word instead.
#include "tools/lanyard/completion.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "tools/lanyard/verb.h"

namespace lanyard::cli {

namespace {

constexpr std::array<std::string_view, 3> shells = {"bash", "zsh", "fish"};

constexpr std::string_view bash_head = R"script(# Completion of lanyard for bash: source <(lanyard completion bash)
_lanyard() {
  local i last words=() verb='' choices='' names='' files='' control=()
  COMPREPLY=()
  for ((i = 0; i <= COMP_CWORD; ++i)); do # bash takes --network=lan for three words
    [[ ${COMP_WORDS[i]} == = ]] || words+=("${COMP_WORDS[i]}")
  done
  [[ ${COMP_WORDS[COMP_CWORD]} == = ]] && words+=('')
  last=$((${#words[@]} - 1))
  local current=${words[last]} previous=${words[last - 1]}
  for ((i = 1; i < last; ++i)); do
    case ${words[i]} in
      --control) control=(--control "${words[++i]}") ;;
      -*) ;;
      *) @groups@ && verb+=${verb:+ }${words[i]} ;;
    esac
  done
)script";
constexpr std::string_view bash_tail = R"script(
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    return
  fi
  [[ $names ]] && choices+=" $("${COMP_WORDS[0]}" "${control[@]}" __complete "$names" 2>/dev/null)"
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
}
complete -F _lanyard lanyard
)script";

constexpr std::string_view zsh_head = R"script(#compdef lanyard
# Completion of lanyard for zsh: source <(lanyard completion zsh), or this as a file _lanyard in $fpath
_lanyard() {
  local current=${words[CURRENT]} previous=${words[CURRENT-1]}
  local i verb='' choices='' names='' files=''
  local -a control
  for ((i = 2; i < CURRENT; ++i)); do
    case ${words[i]} in
      --control) control=(--control "${words[++i]}") ;;
      --control=*) control=("${words[i]}") ;;
      -*) ;;
      *) @groups@ && verb+=${verb:+ }${words[i]} ;;
    esac
  done
  if [[ $current == --*=* ]]; then
    previous=${current%%=*} current=${current#*=}
    compset -P '*='
  fi
)script";
constexpr std::string_view zsh_tail = R"script(
  if [[ -n $files ]]; then
    _files
    return
  fi
  [[ -n $names ]] && choices+=" $("${words[1]}" "${control[@]}" __complete $names 2>/dev/null)"
  compadd -- ${=choices}
}
if [[ ${funcstack[1]} == _lanyard ]]; then _lanyard "$@"; else compdef _lanyard lanyard; fi
)script";

constexpr std::string_view fish_head = R"script(# Completion of lanyard for fish: lanyard completion fish | source
function __lanyard_at
    set -l verb ''
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        if test "$words[1]" = --control
            set -e words[1]
        else if not string match -q -- '-*' "$words[1]"
            contains -- "$verb" '' @groups@; and set verb (string trim -- "$verb $words[1]")
        end
        set -e words[1]
    end
    test "$verb" = "$argv[1]"
end
function __lanyard_names
    set -l words (commandline -opc)
    set -l control
    if set -l at (contains -i -- --control $words)
        set control --control $words[(math $at + 1)]
    else
        set control (string match -- '--control=*' $words)
    end
    $words[1] $control __complete $argv 2>/dev/null
end
complete -c lanyard -f
)script";

// Words that are followed by a further one before they are a verb.
std::set<std::string_view> groups() {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs())
    if (const std::size_t space = verb.name.find(' '); space != std::string_view::npos)
      names.insert(verb.name.substr(0, space));
  return names;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text += fmt::format("{}{}", text.empty() ? "" : between, word);
  return text;
}

std::vector<std::string> names_of(const Option& option) {
  const std::size_t comma = option.names.find(',');
  if (comma == std::string_view::npos) return {std::string(option.names)};
  return {std::string(option.names.substr(0, comma)), std::string(option.names.substr(comma + 1))};
}

std::vector<Option> options_of(const Verb& verb) {
  std::vector<Option> all(verb.options);
  all.insert(all.end(), common_options().begin(), common_options().end());
  return all;
}

// What may follow `before`, "" or a group.
std::vector<std::string> words_behind(std::string_view before) {
  std::vector<std::string> words;
  for (const Verb& verb : verbs()) {
    if (verb.name.starts_with("_")) continue;
    const std::size_t space = verb.name.find(' ');
    const std::string_view group = space == std::string_view::npos ? "" : verb.name.substr(0, space);
    std::string_view word = verb.name;
    if (before == group)
      word.remove_prefix(before.empty() ? 0 : before.size() + 1);
    else if (before.empty())
      word = group;
    else
      continue;
    if (words.empty() || words.back() != word) words.emplace_back(word);
  }
  return words;
}

// ---------------------------------------------------------------------------------------------------- bash and zsh

std::string choice_of(Names names) {
  switch (names) {
    case Names::ports: return "names=ports";
    case Names::networks: return "names=networks";
    case Names::files: return "files=yes";
    case Names::directions: return "choices='in out'";
    case Names::shells: return "choices='bash zsh fish'";
    case Names::none: break;
  }
  return ":";
}

// The cases of the word before: options that take a value.
std::string value_cases() {
  std::map<std::string, std::string> choices;  // by option, which means the same with every verb
  for (const Verb& verb : verbs())
    for (const Option& option : options_of(verb))
      if (!option.form.empty()) choices[joined(names_of(option), " | ")] = choice_of(option.completes);
  std::string text;
  for (const auto& [names, choice] : choices) text += fmt::format("    {}) {} ;;\n", names, choice);
  return text;
}

std::string verb_case(const Verb& verb) {
  std::vector<std::string> options;
  for (const Option& option : options_of(verb))
    for (const std::string& name : names_of(option)) options.push_back(name);
  return fmt::format("        '{0}:-'*) choices='{1}' ;;\n        '{0}:'*) {2} ;;\n", verb.name, joined(options, " "),
                     choice_of(verb.completes));
}

std::string cases() {
  std::string text = "  case $previous in\n" + value_cases() + "    *)\n      case $verb:$current in\n";
  std::vector<std::string> options;
  for (const Option& option : common_options())
    for (const std::string& name : names_of(option)) options.push_back(name);
  text += fmt::format("        ':-'*) choices='{}' ;;\n", joined(options, " "));
  text += fmt::format("        ':'*) choices='{}' ;;\n", joined(words_behind(""), " "));
  for (const std::string_view group : groups())
    text += fmt::format("        '{}:'*) choices='{}' ;;\n", group, joined(words_behind(group), " "));
  for (const Verb& verb : verbs())
    if (!verb.name.starts_with("_")) text += verb_case(verb);
  return text + "      esac ;;\n  esac";
}

// ------------------------------------------------------------------------------------------------------------- fish

std::string fish_arguments(Names names) {
  switch (names) {
    case Names::ports: return " -f -a '(__lanyard_names ports)'";
    case Names::networks: return " -f -a '(__lanyard_names networks)'";
    case Names::files: return " -F";
    case Names::directions: return " -f -a 'in out'";
    case Names::shells: return " -f -a 'bash zsh fish'";
    case Names::none: break;
  }
  return " -f";
}

std::string fish_option(const Option& option, const std::string& condition) {
  std::string text = "complete -c lanyard" + condition;
  for (const std::string& name : names_of(option))
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.form.empty()) text += " -r" + fish_arguments(option.completes);
  return text + fmt::format(" -d \"{}\"\n", option.text);
}

// A word of a verb, or the only one: `group` is what stands in front of it.
std::string fish_word(std::string_view group, std::string_view word, std::string_view text) {
  return fmt::format("complete -c lanyard -n \"__lanyard_at '{}'\" -a {} -d \"{}\"\n", group, word, text);
}

std::string fish_verb(const Verb& verb) {
  const std::size_t space = verb.name.find(' ');
  const bool is_alone = space == std::string_view::npos;
  std::string text =
      fish_word(is_alone ? "" : verb.name.substr(0, space), verb.name.substr(is_alone ? 0 : space + 1), verb.text);
  const std::string condition = fmt::format(" -n \"__lanyard_at '{}'\"", verb.name);
  if (verb.completes != Names::none)
    text += fmt::format("complete -c lanyard{}{}\n", condition, fish_arguments(verb.completes));
  for (const Option& option : verb.options) text += fish_option(option, condition);
  return text;
}

std::string fish_lines() {
  std::string text;
  for (const Option& option : common_options()) text += fish_option(option, "");
  for (const std::string_view group : groups()) text += fish_word("", group, fmt::format("Changes to a {}", group));
  for (const Verb& verb : verbs())
    if (!verb.name.starts_with("_")) text += fish_verb(verb);
  return text;
}

// `text` with `with` in the place of "@groups@".
std::string filled(std::string_view text, const std::string& with) {
  constexpr std::string_view mark = "@groups@";
  const std::size_t at = text.find(mark);
  return std::string(text.substr(0, at)) + with + std::string(text.substr(at + mark.size()));
}

}  // namespace

std::span<const std::string_view> completion_shells() { return shells; }

std::string completion_script(std::string_view shell) {
  const std::set<std::string_view> names = groups();
  const std::vector<std::string> words(names.begin(), names.end());
  if (shell == "fish") return filled(fish_head, joined(words, " ")) + fish_lines();
  const std::string is_group = fmt::format("[[ -z $verb || $verb == ({}) ]]", joined(words, "|"));
  if (shell == "zsh") return filled(zsh_head, is_group) + cases() + std::string(zsh_tail);
  const std::string is_group_in_bash = fmt::format("[[ -z $verb || $verb == @({}) ]]", joined(words, "|"));
  return filled(bash_head, is_group_in_bash) + cases() + std::string(bash_tail);
}

}  // namespace lanyard::cli
