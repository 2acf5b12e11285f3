// The help; see the header.
#include "tools/lanyard/help.h"

#include <fmt/format.h>

namespace lanyard::cli {

namespace {

constexpr std::string_view help_head = R"(Usage: lanyard [OPTIONS] VERB [ARGUMENTS]

Asks and changes a switchd that runs, over its control socket.
)";

constexpr std::string_view tail = R"(
The socket is --control PATH, else $LANYARD_CONTROL, else the first where a daemon answers of
lanyard/switchd.sock in $XDG_RUNTIME_DIR and in /run/user/UID, and /tmp/lanyard-UID/switchd.sock.

Exit status: 0 done, 1 the daemon refused, 2 a mistake in the arguments, 3 no daemon answers.

Example:
  switchd vms=unix-listen:/tmp/lan.sock &
  lanyard ports --qemu
)";

std::string row(std::string_view left, std::string_view right) {
  constexpr std::size_t left_width = 38;
  if (left.size() <= left_width) return fmt::format("  {:<{}}  {}\n", left, left_width, right);
  return fmt::format("  {}\n  {:<{}}  {}\n", left, "", left_width, right);
}

std::string with_form(std::string_view name, std::string_view form) {
  return form.empty() ? std::string(name) : fmt::format("{} {}", name, form);
}

std::string option_rows(std::span<const Option> options) {
  std::string text;
  for (const Option& option : options) {
    const std::size_t comma = option.names.find(',');
    const std::string names = comma == std::string_view::npos ? std::string(option.names)
                                                              : fmt::format("{}, {}", option.names.substr(0, comma),
                                                                            option.names.substr(comma + 1));
    text += row(with_form(names, option.form), option.text);
  }
  return text;
}

std::string verb_rows(std::string_view group) {
  std::string text;
  for (const Verb& verb : verbs())
    if (!verb.name.starts_with("_") && verb.name.starts_with(group))
      text += row(with_form(verb.name, verb.form), verb.text);
  return text;
}

std::string verb_help(const Verb& verb) {
  std::string text = fmt::format("Usage: lanyard {}{}\n\n{}.\n", with_form(verb.name, verb.form),
                                 verb.options.empty() ? "" : " [OPTIONS]", verb.text);
  if (!verb.details.empty()) text += fmt::format("{}\n", verb.details);
  if (!verb.options.empty()) text += fmt::format("\nOptions:\n{}", option_rows(verb.options));
  text += fmt::format("\nOptions of every verb:\n{}", option_rows(common_options()));
  return text + fmt::format("\nExample:\n  {}\n", verb.example);
}

}  // namespace

std::string help_text(const Verb* verb, std::string_view group) {
  if (verb != nullptr) return verb_help(*verb);
  if (!group.empty())
    return fmt::format("Usage: lanyard {} ...\n\nVerbs:\n{}", group, verb_rows(std::string(group) + " "));
  return fmt::format("{}\nVerbs:\n{}\nOptions:\n{}{}", help_head, verb_rows(""), option_rows(common_options()), tail);
}

std::string version_text() { return "lanyard " LANYARD_VERSION "\n"; }

}  // namespace lanyard::cli
