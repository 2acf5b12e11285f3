// TCP segments under the headers of IPv4 and IPv6: what is written is read again, and nothing that is not
// whole and sound.
#include "frames/tcp_packet.h"

#include <algorithm>
#include <catch2/catch.hpp>

#include "frames/bytes.h"

namespace tcp_packet_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

const Udp4Endpoint here4{MacAddress(0x5254'0000'0001), Ipv4Address(0x0A00'020F), 4000};
const Udp4Endpoint there4{MacAddress(0x5255'0A00'0203), Ipv4Address(0x0A00'0203), 53};
const Udp6Endpoint here6{MacAddress(0x5254'0000'0001), {std::byte{0xFD}, std::byte{1}}, 4000};
const Udp6Endpoint there6{MacAddress(0x5256'0000'0003), {std::byte{0xFD}, std::byte{3}}, 53};

// The parser and the writer of a family as one.
struct Ipv4Family {
  static Bytes write(std::span<const std::byte> segment) { return write_tcp4({here4, there4, segment}); }
  static auto parse(std::span<const std::byte> frame) { return parse_tcp4(frame); }
  static auto from() { return here4; }
  static auto to() { return there4; }
  static constexpr std::size_t segment_at = 34, protocol_at = 23;
};
struct Ipv6Family {
  static Bytes write(std::span<const std::byte> segment) { return write_tcp6({here6, there6, segment}); }
  static auto parse(std::span<const std::byte> frame) { return parse_tcp6(frame); }
  static auto from() { return here6; }
  static auto to() { return there6; }
  static constexpr std::size_t segment_at = 54, protocol_at = 20;
};

Bytes segment(std::size_t payload_bytes) {
  Bytes bytes(20 + payload_bytes);
  bytes[12] = std::byte{0x50};
  for (std::size_t i = 0; i < payload_bytes; ++i) bytes[20 + i] = static_cast<std::byte>(i * 7 + 1);
  return bytes;
}

}  // namespace

TEMPLATE_TEST_CASE("a TCP segment that is written is read again, with its new ends", "", Ipv4Family,
                   Ipv6Family) {
  const std::size_t payload_bytes = GENERATE(0U, 1U, 2U, 999U, 1440U);
  const Bytes frame = TestType::write(segment(payload_bytes));
  const auto packet = TestType::parse(frame);
  REQUIRE(packet);
  CHECK(packet->from == TestType::from());
  CHECK(packet->to == TestType::to());
  REQUIRE(packet->segment.size() == 20 + payload_bytes);
  CHECK(std::equal(packet->segment.begin() + 20, packet->segment.end(), segment(payload_bytes).begin() + 20));
  Bytes padded = frame;
  padded.resize(frame.size() + 18);
  REQUIRE(TestType::parse(padded));
  CHECK(TestType::parse(padded)->segment.size() == 20 + payload_bytes);
}

TEMPLATE_TEST_CASE("a TCP segment that is cut, damaged or of another protocol is none", "", Ipv4Family,
                   Ipv6Family) {
  const Bytes frame = TestType::write(segment(100));
  for (std::size_t bytes = 0; bytes < frame.size(); ++bytes)
    CHECK_FALSE(TestType::parse(std::span(frame).first(bytes)));
  for (std::size_t at = TestType::segment_at; at < frame.size(); ++at) {
    Bytes damaged = frame;
    damaged[at] ^= std::byte{0x10};
    CHECK_FALSE(TestType::parse(damaged));
  }
  Bytes other = frame;
  other[TestType::protocol_at] = std::byte{17};
  CHECK_FALSE(TestType::parse(other));
}

TEST_CASE("only a SYN that answers none opens a connection") {
  Bytes bytes = segment(0);
  CHECK_FALSE(opens_connection(bytes));
  bytes[13] = tcp_syn;
  CHECK(opens_connection(bytes));
  bytes[13] = tcp_syn | tcp_ack;
  CHECK_FALSE(opens_connection(bytes));
}

}  // namespace tcp_packet_test
