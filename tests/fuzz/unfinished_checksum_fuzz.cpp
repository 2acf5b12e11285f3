// Feeds the finisher of checksums arbitrary frames: it changes two bytes at most, none of what it refuses, and a UDP
// datagram that it finished is sound. Finishing again changes nothing.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "frames/check.h"
#include "frames/udp4_packet.h"
#include "frames/unfinished_checksum.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> given(reinterpret_cast<const std::byte*>(data), size);
  std::vector<std::byte> frame(given.begin(), given.end());
  const bool finished = finish_checksum(frame);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < size; ++i) changed += frame[i] != given[i] ? 1 : 0;
  LANYARD_CHECK(changed <= (finished ? 2U : 0U));
  // What the parser takes has a good checksum already; so has what it takes once that was finished.
  if (parse_udp4(given)) LANYARD_CHECK(parse_udp4(frame));
  const std::vector<std::byte> once = frame;
  LANYARD_CHECK(finish_checksum(frame) == finished);
  LANYARD_CHECK(std::ranges::equal(once, frame));
  return 0;
}
