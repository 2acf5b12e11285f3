// Control messages as JSON: names as in control.proto, everything printed (zeros and empty lists too), 64-bit numbers as
// numbers, enumerations in lower case, of a oneof the member that is set. What is read may leave out anything; an unknown
// name, or a value of the wrong kind, is an error that names it. Any thread.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

namespace lanyard::control {

// One line, no line end. Bytes are Base64.
[[nodiscard]] std::string to_json(const google::protobuf::Message& message);
// Fills `message`, which is empty. Returns what is wrong, or an empty string.
[[nodiscard]] std::string from_json(std::string_view text, google::protobuf::Message& message);

}  // namespace lanyard::control
