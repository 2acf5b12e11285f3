// The diff of a plan; see the header.
#include "tools/lanyard/plan_text.h"

#include <fmt/format.h>

#include <array>

#include "switchd/control/words.h"

namespace lanyard::cli {

namespace {

struct Mark {
  char sign;
  Colour colour;
};
constexpr Mark added = {'+', Colour::green};
constexpr Mark removed = {'-', Colour::red};
constexpr Mark changed = {'~', Colour::yellow};

Mark mark_of(v1::Change::Action action) {
  if (action == v1::Change::ADD) return added;
  return action == v1::Change::REMOVE ? removed : changed;
}

std::string line(Mark mark, const std::string& text, Style style) {
  return painted(fmt::format("{} {}", mark.sign, printable(text)), mark.colour, style) + "\n";
}

std::string change_text(const v1::Change& change, Style style) {
  const std::string_view note = change.reopens() ? " (opens again: its connections drop)" : "";
  std::string text = line(mark_of(change.action()), fmt::format("{} {}{}", change.what(), change.name(), note), style);
  for (const std::string& before : change.before()) text += line(removed, "  " + before, style);
  for (const std::string& after : change.after()) text += line(added, "  " + after, style);
  return text;
}

}  // namespace

std::string plan_text(const v1::Plan& plan, bool done, Style style) {
  std::string text;
  for (const std::string& warning : plan.warnings())
    text += painted("warning: " + printable(warning), Colour::yellow, style) + "\n";
  std::array<std::size_t, 3> counts{};  // by Action
  for (const v1::Change& change : plan.changes()) {
    text += change_text(change, style);
    ++counts[static_cast<std::size_t>(change.action()) % counts.size()];
  }
  if (plan.changes().empty()) return text + "nothing to do\n";
  const std::array<std::string_view, 3> verbs = done ? std::array<std::string_view, 3>{"added", "removed", "changed"}
                                                     : std::array<std::string_view, 3>{"to add", "to remove", "to change"};
  return text + fmt::format("{} {}, {} {}, {} {}\n", counts[v1::Change::ADD], verbs[v1::Change::ADD],
                            counts[v1::Change::REMOVE], verbs[v1::Change::REMOVE], counts[v1::Change::CHANGE],
                            verbs[v1::Change::CHANGE]);
}

}  // namespace lanyard::cli
