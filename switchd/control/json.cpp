// Messages as JSON. protobuf's own printer writes 64-bit numbers as strings, so printing is done here, by reflection;
// reading is protobuf's, which takes both.
#include "switchd/control/json.h"

#include <google/protobuf/util/json_util.h>

#include <nlohmann/json.hpp>

namespace lanyard::control {

namespace {

using Json = nlohmann::ordered_json;
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

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

Json message_json(const Message& message);

// One value of a field: of a repeated one that at `i`.
Json value_json(const Message& message, const FieldDescriptor& field, int i) {
  const Reflection& reflection = *message.GetReflection();
  const bool single = i == repeated_none;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return single ? reflection.GetBool(message, &field) : reflection.GetRepeatedBool(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT32:
      return single ? reflection.GetUInt32(message, &field) : reflection.GetRepeatedUInt32(message, &field, i);
    case FieldDescriptor::CPPTYPE_UINT64:
      return single ? reflection.GetUInt64(message, &field) : reflection.GetRepeatedUInt64(message, &field, i);
    case FieldDescriptor::CPPTYPE_ENUM:
      return lower_case(single ? reflection.GetEnum(message, &field)->name()
                               : reflection.GetRepeatedEnum(message, &field, i)->name());
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text = single ? reflection.GetString(message, &field)
                                : reflection.GetRepeatedString(message, &field, i);
      return field.type() == FieldDescriptor::TYPE_BYTES ? base64(text) : text;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return message_json(single ? reflection.GetMessage(message, &field)
                                 : reflection.GetRepeatedMessage(message, &field, i));
    default: return nullptr;  // no other kind is in control.proto
  }
}

Json map_json(const Message& message, const FieldDescriptor& field) {
  std::map<std::string, Json> sorted;
  for (int i = 0; i < message.GetReflection()->FieldSize(message, &field); ++i) {
    const Message& entry = message.GetReflection()->GetRepeatedMessage(message, &field, i);
    const auto& type = *entry.GetDescriptor();
    const Json key = value_json(entry, *type.map_key(), repeated_none);
    sorted[key.is_string() ? key.get<std::string>() : key.dump()] = value_json(entry, *type.map_value(), repeated_none);
  }
  Json json = Json::object();
  for (auto& [key, value] : sorted) json[key] = std::move(value);
  return json;
}

Json message_json(const Message& message) {
  Json json = Json::object();
  const auto& type = *message.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_map()) {
      json[field.name()] = map_json(message, field);
    } else if (field.is_repeated()) {
      Json& list = json[field.name()] = Json::array();
      for (int at = 0; at < message.GetReflection()->FieldSize(message, &field); ++at)
        list.push_back(value_json(message, field, at));
    } else if (!field.has_presence() || message.GetReflection()->HasField(message, &field)) {
      json[field.name()] = value_json(message, field, repeated_none);
    }
  }
  return json;
}

}  // namespace

std::string to_json(const Message& message) {
  // Paths may hold bytes that are no UTF-8; they are replaced rather than thrown about.
  return message_json(message).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string from_json(std::string_view text, Message& message) {
  const auto status =
      google::protobuf::util::JsonStringToMessage({text.data(), text.size()}, &message, {});
  return status.ok() ? std::string() : std::string(status.message());
}

}  // namespace lanyard::control
