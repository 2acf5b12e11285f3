// Feeds both ways by which a request comes to the daemon, JSON and protobuf, as the first byte says. What either takes
// is, printed as JSON and read again, the same request, and prints the same.
#include <google/protobuf/util/message_differencer.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "switchd/control.pb.h"
#include "switchd/control/json.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  v1::Request request;
  if (data[0] % 2 == 0) {
    if (!control::from_json(input, request).empty()) return 0;
  } else {
    if (!request.ParseFromArray(input.data(), static_cast<int>(input.size()))) return 0;
    request.DiscardUnknownFields();  // of a later version: JSON has no place for them
  }
  const std::string printed = control::to_json(request);
  LANYARD_CHECK(printed.find('\n') == std::string::npos);
  v1::Request again;
  LANYARD_CHECK(control::from_json(printed, again).empty());
  LANYARD_CHECK(google::protobuf::util::MessageDifferencer::Equals(request, again));
  LANYARD_CHECK(control::to_json(again) == printed);
  return 0;
}
