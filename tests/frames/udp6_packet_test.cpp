// UDP datagrams over IPv6: written as others read them, and refused where they are not sound.
#include "frames/udp6_packet.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace udp6_packet_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

// From fd00::15 port 5353 to fd00::3 port 53; its checksum is made below.
const char* const datagram =
    "525600000003 525400000001 86dd  60000000 000d 11 40 fd000000000000000000000000000015"
    "fd000000000000000000000000000003  14e9 0035 000d 0000 7175657279";

unsigned sum_of(const Bytes& frame) {  // 0xFFFF where the checksum is right; not by the code under test
  const std::size_t bytes = load_be16(&frame[18]);
  std::uint32_t sum = static_cast<std::uint32_t>(17 + bytes);
  for (std::size_t at = 22; at < 54 + bytes; at += 2) {
    sum += std::to_integer<std::uint32_t>(frame[at]) << 8;
    if (at + 1 < 54 + bytes) sum += std::to_integer<std::uint32_t>(frame[at + 1]);
    if (sum > 0xFFFF) sum -= 0xFFFF;
  }
  return sum;
}

Bytes sound() {
  Bytes frame = from_hex(datagram);
  store_be16(&frame[60], static_cast<std::uint16_t>(~sum_of(frame)));
  REQUIRE(sum_of(frame) == 0xFFFF);
  return frame;
}

}  // namespace

TEST_CASE("a UDP datagram over IPv6 is read, and written again is the same") {
  Bytes frame = sound();
  const auto packet = parse_udp6(frame);
  REQUIRE(packet);
  CHECK(packet->from.mac == parse_mac("52:54:00:00:00:01"));
  CHECK(packet->from.port == 5353);
  CHECK(packet->to.port == 53);
  CHECK(packet->payload.size() == 5);
  CHECK(write_udp6(*packet) == frame);
  frame.resize(frame.size() + 20);  // as an Ethernet pads it
  REQUIRE(parse_udp6(frame));
  CHECK(parse_udp6(frame)->payload.size() == 5);
}

TEST_CASE("payloads of every parity are written with a right checksum, which is never 0") {
  const auto packet = *parse_udp6(sound());
  for (unsigned value = 0; value < 0x10000; ++value) {
    Bytes payload(2 + value % 2);
    store_be16(payload.data(), static_cast<std::uint16_t>(value));
    const Bytes frame = write_udp6({packet.from, packet.to, payload});
    if (load_be16(&frame[60]) == 0 || sum_of(frame) != 0xFFFF) FAIL(value);
  }
}

TEST_CASE("a datagram that is cut, changed or without a checksum is none") {
  const Bytes frame = sound();
  for (std::size_t size = 0; size < frame.size(); ++size) CHECK_FALSE(parse_udp6(std::span(frame).first(size)));
  for (std::size_t bit = 22 * 8; bit < frame.size() * 8; ++bit) {
    Bytes changed = frame;
    changed[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    CAPTURE(bit);
    CHECK_FALSE(parse_udp6(changed));
  }
  Bytes without = frame;
  store_be16(&without[60], 0);
  CHECK_FALSE(parse_udp6(without));
  Bytes tcp = frame;
  tcp[20] = std::byte{6};
  CHECK_FALSE(parse_udp6(tcp));
}

}  // namespace udp6_packet_test
