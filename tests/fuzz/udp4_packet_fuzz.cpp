// Feeds the UDP parser arbitrary frames; what it takes and is written again says the same.
#include <algorithm>
#include <cstdint>

#include "frames/check.h"
#include "frames/udp4_packet.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> frame(reinterpret_cast<const std::byte*>(data), size);
  const auto packet = parse_udp4(frame);
  if (!packet) return 0;
  const auto written = write_udp4(*packet);
  const auto again = parse_udp4(written);
  LANYARD_CHECK(again && again->from == packet->from && again->to == packet->to);
  LANYARD_CHECK(std::ranges::equal(again->payload, packet->payload));
  return 0;
}
