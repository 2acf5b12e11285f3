// Messages as JSON. protobuf's own printer writes 64-bit numbers as strings, so printing is done here, by reflection;
// reading is protobuf's, which takes both. Lists are long (100000 MAC addresses), so text is written at once, without a
// document in between.
#include "switchd/control/json.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "switchd/control/words.h"

namespace lanyard::control {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr int repeated_none = -1;

std::string base64(const std::string& bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    unsigned group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j)
      text += i + j <= bytes.size() ? digits[group >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

// Names in control.proto need no escapes, and most values need none.
void write_string(const std::string& text, std::string& json) {
  const bool is_plain = std::all_of(text.begin(), text.end(),
                                    [](char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; });
  if (is_plain) json.append("\"").append(text).append("\"");
  // Paths may hold bytes that are no UTF-8; they are replaced rather than thrown about.
  else json += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_name(const std::string& name, std::string& json) {
  if (json.back() != '{') json += ',';
  json.append("\"").append(name).append("\":");
}

void write_message(const Message& message, std::string& json);

// One value of a field: of a repeated one that at `i`.
void write_value(const Message& message, const FieldDescriptor& field, int i, std::string& json) {
  const Reflection& reflection = *message.GetReflection();
  const bool single = i == repeated_none;
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      json += (single ? reflection.GetBool(message, &field) : reflection.GetRepeatedBool(message, &field, i)) ? "true"
                                                                                                              : "false";
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      json += std::to_string(single ? reflection.GetUInt32(message, &field)
                                    : reflection.GetRepeatedUInt32(message, &field, i));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      json += std::to_string(single ? reflection.GetUInt64(message, &field)
                                    : reflection.GetRepeatedUInt64(message, &field, i));
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      write_string(lower_case(single ? reflection.GetEnum(message, &field)->name()
                                     : reflection.GetRepeatedEnum(message, &field, i)->name()), json);
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& text = single ? reflection.GetStringReference(message, &field, &scratch)
                                       : reflection.GetRepeatedStringReference(message, &field, i, &scratch);
      write_string(field.type() == FieldDescriptor::TYPE_BYTES ? base64(text) : text, json);
      break;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      write_message(single ? reflection.GetMessage(message, &field) : reflection.GetRepeatedMessage(message, &field, i),
                    json);
      break;
    default: json += "null";  // no other kind is in control.proto
  }
}

// In the order of the keys, which are strings.
void write_map(const Message& message, const FieldDescriptor& field, std::string& json) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<std::pair<std::string, const Message*>> entries;
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(entry.GetReflection()->GetString(entry, entry.GetDescriptor()->map_key()), &entry);
  }
  std::sort(entries.begin(), entries.end());
  json += '{';
  for (const auto& [key, entry] : entries) {
    if (json.back() != '{') json += ',';
    write_string(key, json);
    json += ':';
    write_value(*entry, *entry->GetDescriptor()->map_value(), repeated_none, json);
  }
  json += '}';
}

void write_list(const Message& message, const FieldDescriptor& field, std::string& json) {
  json += '[';
  for (int at = 0; at < message.GetReflection()->FieldSize(message, &field); ++at) {
    if (at > 0) json += ',';
    write_value(message, field, at, json);
  }
  json += ']';
}

void write_message(const Message& message, std::string& json) {
  json += '{';
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (!field.is_repeated() && field.has_presence() && !message.GetReflection()->HasField(message, &field)) continue;
    write_name(field.name(), json);
    if (field.is_map()) write_map(message, field, json);
    else if (field.is_repeated()) write_list(message, field, json);
    else write_value(message, field, repeated_none, json);
  }
  json += '}';
}

// Takes any JSON and keeps nothing but where it ends to be JSON.
class Syntax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    read_bytes_ = position;
    return false;
  }

  [[nodiscard]] std::size_t read_bytes() const { return read_bytes_; }

 private:
  std::size_t read_bytes_ = 0;  // with the one that is wrong
};

// Where `text` is not JSON: "not JSON: line 2, byte 7: ...". Else empty.
std::string wrong_syntax(std::string_view text) {
  Syntax syntax;
  if (nlohmann::json::sax_parse(text, &syntax)) return {};
  const std::size_t at = std::max<std::size_t>(syntax.read_bytes(), 1) - 1;
  if (at >= text.size()) return "not JSON: it ends too early";
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_break = before.rfind('\n');
  const std::size_t byte = line_break == before.npos ? at + 1 : at - line_break;
  const char wrong = text[at];
  const std::string what = wrong > ' ' && wrong < 0x7F ? std::string("'") + wrong + "' was not expected"
                                                       : std::string("this byte was not expected");
  return "not JSON: line " + std::to_string(line) + ", byte " + std::to_string(byte) + ": " + what;
}

// What protobuf 3.21 says of JSON that does not fit a message, in words of who writes JSON. What it may say besides
// stays.
std::string in_plain_words(std::string said) {
  constexpr std::string_view unknown = ": Cannot find field.";
  constexpr std::string_view no_list = ": Proto field is not repeating, cannot start list.";
  constexpr std::string_view object = "invalid value Starting an object on a scalar field for type ";
  constexpr std::string_view string_wanted = " for type TYPE_STRING";
  constexpr std::string_view value = ": invalid value ";
  if (said.ends_with(unknown)) return "unknown name '" + said.substr(0, said.size() - unknown.size()) + "'";
  if (said.ends_with(no_list))
    return said.substr(0, said.size() - no_list.size()) + ": expected a single value, not a list";
  if (const std::size_t at = said.find(object); at != said.npos)
    return said.substr(at + object.size()) + ": expected a single value, not an object";
  const std::size_t at = said.find(value);
  if (at == said.npos || at < 2 || !said.starts_with('(') || said[at - 1] != ')' || !said.ends_with(string_wanted))
    return said;
  const std::size_t from = at + value.size();
  return said.substr(1, at - 2) + ": expected a string, not " +
         said.substr(from, said.size() - string_wanted.size() - from);
}

}  // namespace

std::string to_json(const Message& message) {
  std::string json;
  write_message(message, json);
  return json;
}

std::string from_json(std::string_view text, Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &message, {});
  if (status.ok()) return {};
  if (std::string wrong = wrong_syntax(text); !wrong.empty()) return wrong;
  std::string wrong(status.message());  // with the place in the text on further lines
  wrong.resize(std::min(wrong.find('\n'), wrong.size()));
  return in_plain_words(wrong.starts_with(": ") ? wrong.substr(2) : wrong);
}

}  // namespace lanyard::control
