// Feeds the reader of TCP segments. What it takes can be written again, and is read as the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/check.h"
#include "frames/tcp_packet.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  const auto check = [](const auto& packet, const auto& again) {
    LANYARD_CHECK(again && again->from == packet.from && again->to == packet.to);
    LANYARD_CHECK(again->segment.size() == packet.segment.size());
    LANYARD_CHECK(std::equal(again->segment.begin() + 18, again->segment.end(), packet.segment.begin() + 18));
  };
  if (const auto packet = parse_tcp4(frame)) {
    const auto written = write_tcp4(*packet);
    check(*packet, parse_tcp4(written));
  }
  if (const auto packet = parse_tcp6(frame); packet && packet->segment.size() <= 65515) {
    const auto written = write_tcp6(*packet);
    check(*packet, parse_tcp6(written));
  }
  return 0;
}
