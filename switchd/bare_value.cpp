// Values that lack quotes; see the header.
#include "switchd/bare_value.h"

#include "switchd/control/words.h"

namespace lanyard {

namespace {

constexpr std::size_t line_bytes_max = 4096;  // longer ones are not looked at
constexpr std::string_view quotes = "\"'";
constexpr std::string_view openers = "[{";
constexpr std::string_view closers = "]}";
// What no plain value begins with (YAML 1.2, 5.3): lists, maps, aliases, anchors, tags, directives, reserved.
constexpr std::string_view indicators = "[{*&!%@`";

bool is_one_of(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

// Behind the quoted text that begins at `at`; the end of the line where it does not end.
std::size_t behind_quotes(std::string_view line, std::size_t at) {
  const std::size_t end = line.find(line[at], at + 1);
  return end == std::string_view::npos ? line.size() : end + 1;
}

// Behind the bracket that closes the one at `at`; the end of the line where none does.
std::size_t behind_brackets(std::string_view line, std::size_t at) {
  std::size_t depth = 0;
  while (at < line.size()) {
    if (is_one_of(quotes, line[at])) {
      at = behind_quotes(line, at);
      continue;
    }
    if (is_one_of(openers, line[at])) ++depth;
    if (is_one_of(closers, line[at]) && --depth == 0) return at + 1;
    ++at;
  }
  return at;
}

// Is what begins at `at` a list or a map, and not a value such as [::1]:7000, whose bracket something follows?
bool is_collection(std::string_view line, std::size_t at) {
  const std::size_t end = behind_brackets(line, at);
  return end == line.size() || is_one_of(" ,]}", line[end]);
}

bool is_first(std::string_view line, std::size_t at) { return at == line.find_first_not_of(' '); }

bool is_behind_key(std::string_view line, std::size_t at) { return line.substr(0, at).ends_with(": "); }

// Where a key or value may begin: first in the line, behind a key, a comma, a bracket, or the hyphen of a list.
bool begins_item(std::string_view line, std::size_t at) {
  if (line[at] == ' ' || is_one_of(closers, line[at])) return false;
  if (is_first(line, at) || is_behind_key(line, at)) return true;
  const std::string_view before = line.substr(0, at);
  return before.ends_with(", ") || before.ends_with(" - ") || before == "- " || is_one_of("[{,", before.back());
}

// The end of the item that begins at `at`: where a comment begins, a bracket closes that was opened before it, or, where
// the line opened one (`in_brackets`), the next item.
std::size_t end_of_item(std::string_view line, std::size_t at, bool in_brackets) {
  std::size_t end = at;
  while (end < line.size() && !line.substr(end).starts_with(" #")) {
    if (is_one_of(openers, line[end])) {
      end = behind_brackets(line, end);
      continue;
    }
    if (is_one_of(closers, line[end]) || (in_brackets && line[end] == ',')) break;
    ++end;
  }
  while (end > at && is_one_of(" ,", line[end - 1])) --end;
  return end;
}

bool is_key(std::string_view item) { return item.find(": ") != std::string_view::npos || item.ends_with(':'); }

bool needs_quotes(std::string_view item, bool behind_key) {
  if (item.empty()) return false;
  const bool as_list = is_one_of("-?", item[0]) && item.substr(1).starts_with(' ');
  return (behind_key && (is_key(item) || as_list)) || is_one_of(indicators, item[0]) ||
         item.find_first_of("[]{}") != std::string_view::npos;
}

}  // namespace

std::optional<BareValue> bare_value(std::string_view line, std::size_t column) {
  if (line.size() > line_bytes_max) return std::nullopt;
  std::optional<BareValue> found;
  std::size_t depth = 0;  // of lists and maps that are open
  for (std::size_t at = 0; at < line.size() && at <= column; ++at) {
    if (is_one_of(closers, line[at]) && depth > 0) --depth;
    if (!begins_item(line, at)) continue;
    found.reset();
    if (is_one_of(openers, line[at]) && is_collection(line, at)) {
      ++depth;
      continue;
    }
    const std::size_t end = is_one_of(quotes, line[at]) ? behind_quotes(line, at) : end_of_item(line, at, depth > 0);
    const std::string_view item = line.substr(at, end - at);
    const bool behind_key = is_behind_key(line, at);
    if (!behind_key && (is_key(item) || item.starts_with("- "))) continue;  // a value comes further on
    if (!is_one_of(quotes, line[at]) && needs_quotes(item, behind_key)) found = BareValue{at, item, is_key(item)};
    if (end > at) at = end - 1;
  }
  return found;
}

std::string in_yaml_quotes(std::string_view text) {
  const std::string shown = in_quotes(text);  // 'text'
  if (text.find_first_of("\"\\") != std::string_view::npos || shown.ends_with("...'")) return shown;
  return '"' + shown.substr(1, shown.size() - 2) + '"';
}

}  // namespace lanyard
