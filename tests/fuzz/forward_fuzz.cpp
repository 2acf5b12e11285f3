// Feeds the reader of forwards. What it takes can be printed and read again, and is the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "switchd/gateway/gateway_config.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Forward forward;
  const std::string wrong = read_forward(text, forward);
  if (!wrong.empty()) return 0;
  LANYARD_CHECK(forward.port != 0 && forward.guest_port != 0 && parse_ipv4(forward.host));
  LANYARD_CHECK(parse_ipv4(forward.guest) || dns_label(forward.guest) == forward.guest);
  Forward again;
  LANYARD_CHECK(read_forward(to_string(forward), again).empty() && again == forward);
  LANYARD_CHECK(to_string(again) == to_string(forward));
  return 0;
}
