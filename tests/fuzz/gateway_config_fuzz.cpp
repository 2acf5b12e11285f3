// Feeds the reader of a gateway's configuration. It never throws, and what it takes, written and read again, is the
// same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "frames/check.h"
#include "switchd/gateway/gateway_config.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto config = read_gateway_config({reinterpret_cast<const char*>(data), size});
  if (!config) return 0;
  for (const Forward& forward : config->forwards) (void)guest_address(*config, forward);
  LANYARD_CHECK(read_gateway_config(write_gateway_config(*config)) == config);
  return 0;
}
