// Implements yaml_document.h. Two passes: over the bytes, for what yaml-cpp takes without a word but should
// not (broken UTF-8, control characters, one of which it takes for the end of the file) or reports far from
// its cause (tabs); then yaml-cpp's events, built into the tree.
//
// Depth: yaml-cpp recurses once per level of nesting, and tells us of each level before it goes into it; our
// refusal at limits::config_depth_max is what keeps its stack small. The exceptions of yaml-cpp end in
// read_yaml_document.
#include "switchd/yaml_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

#include "frames/utf8.h"
#include "switchd/bare_value.h"

namespace lanyard {

namespace {

std::string place(std::string_view file, std::size_t line, std::size_t column) {
  return fmt::format("{}:{}:{}", file, line, column);
}

// --- The bytes.

// yaml-cpp reports a tab as some mistake further on. One in front of nothing or of a comment does no harm.
bool indents_something(std::string_view rest_of_line) {
  const std::size_t first = rest_of_line.find_first_not_of(" \t");
  return first != std::string_view::npos &&
         std::string_view("\r\n#").find(rest_of_line[first]) == std::string_view::npos;
}

// Appends the first mistake and returns false where the bytes are not plain text.
bool check_bytes(std::string_view text, std::string_view file, std::vector<ConfigError>& errors) {
  std::size_t line = 1;
  std::size_t column = 1;
  bool indentation = true;
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t bytes = utf8_character_bytes(text);
    const bool line_end = c == '\n' || c == '\r';
    const char* wrong = nullptr;
    if (bytes == 0)
      wrong = "invalid UTF-8";
    else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t' && !line_end) || c == 0x7F)
      wrong = "a control character";
    else if (c == '\t' && indentation && indents_something(text))
      wrong = "a tab in the indentation, expected spaces";
    if (wrong != nullptr) {
      errors.push_back({place(file, line, column), wrong});
      return false;
    }
    indentation = c == '\n' || (indentation && (c == ' ' || c == '\t'));
    column = c == '\n' ? 1 : column + bytes;
    if (c == '\n') ++line;
    text.remove_prefix(bytes);
  }
  return true;
}

// --- The events.

// What YAML allows and a configuration has no use for.
struct Refused : YAML::ParserException {
  using ParserException::ParserException;
};

// The word for nothing at the front of `text`, or "". Also a prefix of others: yaml-cpp has said that nothing is there.
std::string_view word_for_nothing(std::string_view text) {
  for (const std::string_view word : {"~", "null", "Null", "NULL"})
    if (text.starts_with(word)) return word;
  return {};
}

// Is what stands in front of `rest` a key?
bool is_key_end(std::string_view rest) {
  const std::size_t next = rest.find_first_not_of(" \t");
  return next != std::string_view::npos && rest[next] == ':';
}

class TreeBuilder : public YAML::EventHandler {  // the interface of yaml-cpp's parser
 public:
  // `text`, without a byte order mark, is what the parser reads.
  explicit TreeBuilder(std::string_view text) : text_(text) {}

  YamlNode take_root() { return std::move(root_); }
  // The innermost map or sequence whose end has not come; nullptr where there is none.
  [[nodiscard]] const YamlNode* innermost() const { return open_.empty() ? nullptr : &open_.back(); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) throw Refused(mark, "a second document starts here, expected one");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    YamlNode nothing = node(YamlNode::Kind::nothing, mark);
    // Where nothing is written, the mark is that of what comes next, which may be a key of that name.
    const std::string_view here = text_.substr(std::min(text_.size(), static_cast<std::size_t>(std::max(mark.pos, 0))));
    const std::string_view word = word_for_nothing(here);
    if (!word.empty() && !is_key_end(here.substr(word.size()))) nothing.text = word;
    const std::size_t before = text_.substr(0, text_.size() - here.size()).find_last_not_of(" \t\r\n");
    nothing.lacks_colon = nothing.in_brackets && (before == std::string_view::npos || text_[before] != ':');
    add(std::move(nothing));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark, 1); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.text = value;
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::sequence, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::map, mark, tag, anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  [[nodiscard]] YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) const {
    YamlNode node;
    node.kind = kind;
    node.in_brackets = !open_.empty() && open_.back().in_brackets;
    node.line = std::max(mark.line, 0) + 1;  // yaml-cpp counts from 0, and has marks of -1
    node.column = std::max(mark.column, 0) + 1;
    return node;
  }
  static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (anchor != 0) throw Refused(mark, "anchors and aliases (&, *) have no use here, write the value out");
  }
  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    // yaml-cpp's own: none, "?" for a plain value, "!" for a quoted one.
    if (!tag.empty() && tag != "?" && tag != "!") throw Refused(mark, "tags (!) have no use here");
  }
  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.size() == limits::config_depth_max)
      throw Refused(mark, fmt::format("nested deeper than {} levels", limits::config_depth_max));
    open_.push_back(node(kind, mark));
    open_.back().in_brackets = open_.back().in_brackets || style == YAML::EmitterStyle::Flow;
  }
  void close() {
    YamlNode done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done));
  }
  void add(YamlNode&& done) {
    if (open_.empty())
      root_ = std::move(done);
    else
      open_.back().items.push_back(std::move(done));
  }

  std::string_view text_;
  int documents_ = 0;
  YamlNode root_;
  std::vector<YamlNode> open_;  // from the root to where the parser is
};

std::string place(std::string_view file, const YAML::Mark& mark) {
  return place(file, static_cast<std::size_t>(std::max(mark.line, 0)) + 1,
               static_cast<std::size_t>(std::max(mark.column, 0)) + 1);
}

// --- What to do about a mistake. Most are values that YAML takes for something else.

// The line of this number, from 1, without its end.
std::string_view line_of(std::string_view text, std::size_t number) {
  for (; number > 1 && !text.empty(); --number) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  text = text.substr(0, text.find('\n'));
  return text.ends_with('\r') ? text.substr(0, text.size() - 1) : text;
}

std::optional<BareValue> bare_value_at(std::string_view text, const YAML::Mark& mark) {
  return bare_value(line_of(text, static_cast<std::size_t>(std::max(mark.line, 0)) + 1),
                    static_cast<std::size_t>(std::max(mark.column, 0)));
}

// What yaml-cpp found wrong at `mark`, or, where a value there lacks quotes, that, in the place of the value.
ConfigError not_yaml(std::string_view text, std::string_view file, const YAML::Mark& mark, const std::string& what) {
  const auto bare = bare_value_at(text, mark);
  if (!bare) return {place(file, mark), "not YAML: " + what};
  return {place(file, static_cast<std::size_t>(std::max(mark.line, 0)) + 1, bare->column + 1),
          fmt::format("this value needs quotes around it: {}{}", in_yaml_quotes(bare->text),
                      bare->is_map ? "; a map needs a line of its own, or braces" : "")};
}

// What is good YAML, and refused, may have been meant as a value: *, &a, !b.
std::string refused_remark(std::string_view text, const YAML::Mark& mark) {
  const auto bare = bare_value_at(text, mark);
  const bool is_word = bare && bare->text.find(' ') == std::string_view::npos && bare->text.find_first_of("&*!") == 0;
  return is_word ? fmt::format("; where it is meant as a value it needs quotes: {}", in_yaml_quotes(bare->text)) : "";
}

std::string_view comment_remark(std::string_view line) {
  return line.find(" #") == std::string_view::npos ? "" : "; ' #' begins a comment, where it is not in quotes";
}

}  // namespace

std::string place(std::string_view file, const YamlNode& node) {
  return fmt::format("{}:{}:{}", file, node.line, node.column);
}

std::optional<YamlNode> read_yaml_document(std::string_view text, std::string_view file,
                                           std::vector<ConfigError>& errors) {
  if (text.size() > limits::config_bytes_max) {
    errors.push_back({std::string(file), fmt::format("longer than {} bytes", limits::config_bytes_max)});
    return std::nullopt;
  }
  if (!check_bytes(text, file, errors)) return std::nullopt;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  TreeBuilder builder(text.substr(text.starts_with(byte_order_mark) ? byte_order_mark.size() : 0));
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take_root();
  } catch (const Refused& refused) {
    errors.push_back({place(file, refused.mark), refused.msg + refused_remark(text, refused.mark)});
  } catch (const YAML::Exception& failed) {
    // Where the text ends before a bracket is closed, yaml-cpp has lost its column; the bracket has a place.
    const bool unclosed =
        failed.mark.pos >= static_cast<int>(text.size()) && failed.msg.ends_with("flow not found");
    const YamlNode* const bracket = unclosed ? builder.innermost() : nullptr;
    if (bracket == nullptr)
      errors.push_back(not_yaml(text, file, failed.mark, failed.msg));
    else
      errors.push_back({place(file, *bracket),
                        fmt::format("not YAML: {}{}", failed.msg,
                                    comment_remark(line_of(text, static_cast<std::size_t>(bracket->line))))});
  } catch (const std::exception& failed) {
    errors.push_back({std::string(file), fmt::format("cannot be read as YAML: {}", failed.what())});
  }
  return std::nullopt;
}

}  // namespace lanyard
