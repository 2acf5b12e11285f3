// "That may not pass": IPv4 frames are looked at, and refused with the message that a Linux router sends. And echo,
// which is answered.
#include "frames/icmp4.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace icmp4_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

// Captured between a guest and a router that run Linux 6, with `ip route add prohibit 192.0.2.0/24` on the router.
const char* const linux_datagram =
    "525400000002 525400000001 0800  45 00 0022 475d 4000 40 11 2556 0a00020f c0000209"
    "a967 0009 000e ce37  68656c6c6f0a";
const char* const linux_refusal =
    "525400000001 525400000002 0800  45 c0 003e 0485 0000 40 01 5d6a 0a000202 0a00020f  03 0d 4160 00000000"
    "45 00 0022 475d 4000 40 11 2556 0a00020f c0000209  a967 0009 000e ce37  68656c6c6f0a";
const char* const linux_ping =
    "525400000002 525400000001 0800  45 00 0030 84d8 4000 40 01 e7dc 0a00020f c0000209"
    "08 00 7742 07b9 0001 74e0036b00000000d79307000000000010111213";

const MacAddress guest = *parse_mac("52:54:00:00:00:01");
const MacAddress router_mac = *parse_mac("52:54:00:00:00:02");
const Ipv4Address router = *parse_ipv4("10.0.2.2");

// The one's complement sum of 16-bit words (RFC 1071), not by the code under test: 0xFFFF over what holds its own
// checksum.
unsigned sum_of(const Bytes& bytes, std::size_t from, std::size_t to) {
  std::uint32_t sum = 0;
  for (std::size_t at = from; at < to; at += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[at]) << 8;
    if (at + 1 < to) sum += std::to_integer<std::uint32_t>(bytes[at + 1]);
    if (sum > 0xFFFF) sum -= 0xFFFF;
  }
  return sum;
}

// With the checksum of the IPv4 header made right again. REQUIRES: a header of 20 bytes.
Bytes repaired(Bytes frame) {
  store_be16(&frame[24], 0);
  store_be16(&frame[24], static_cast<std::uint16_t>(~sum_of(frame, 14, 34)));
  return frame;
}

Bytes with(std::size_t at, std::uint16_t value, const char* hex = linux_datagram) {
  Bytes frame = from_hex(hex);
  store_be16(&frame[at], value);
  return repaired(frame);
}

Bytes with_address(std::size_t at, std::string_view address, const char* hex = linux_datagram) {
  Bytes frame = from_hex(hex);
  store_be32(&frame[at], parse_ipv4(address)->value());
  return repaired(frame);
}

std::optional<Bytes> refusal_of(const Bytes& frame) {
  const auto packet = parse_ipv4_frame(frame);
  REQUIRE(packet);
  return write_icmp4_prohibited(frame, *packet, router_mac, router);
}

}  // namespace

TEST_CASE("an IPv4 frame shows where it comes from, where it goes and what it carries") {
  Bytes frame = from_hex(linux_datagram);
  frame.resize(60, std::byte{0xA5});  // as an Ethernet pads it
  const auto packet = parse_ipv4_frame(frame);
  REQUIRE(packet);
  CHECK(packet->from == parse_ipv4("10.0.2.15"));
  CHECK(packet->to == parse_ipv4("192.0.2.9"));
  CHECK(packet->protocol == 17);
  CHECK(packet->packet.size() == 0x22);
  CHECK(packet->packet.data() == &frame[14]);
  CHECK(packet->payload.size() == 14);
  CHECK(packet->payload.data() == &frame[34]);
}

TEST_CASE("an IPv4 frame that is cut anywhere is none") {
  const Bytes frame = from_hex(linux_datagram);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_ipv4_frame(std::span(frame).first(size)));
  }
}

TEST_CASE("options of an IPv4 header are no payload") {
  Bytes frame = from_hex("525400000002 525400000001 0800  46 00 001a 475d 4000 40 11 0000 0a00020f c0000209"
                         "94040000 6869");
  store_be16(&frame[24], static_cast<std::uint16_t>(~sum_of(frame, 14, 38)));
  const auto packet = parse_ipv4_frame(frame);
  REQUIRE(packet);
  CHECK(packet->payload.size() == 2);
  CHECK(packet->payload.data() == &frame[38]);
}

TEST_CASE("a header whose lengths do not go together, or of another kind, is no IPv4") {
  CHECK(parse_ipv4_frame(with(18, 0)));  // the identification: any will do
  CHECK_FALSE(parse_ipv4_frame(with(12, 0x86DD)));
  CHECK_FALSE(parse_ipv4_frame(with(12, 0x8100)));
  CHECK_FALSE(parse_ipv4_frame(with(14, 0x6500)));
  CHECK_FALSE(parse_ipv4_frame(with(14, 0x4400)));
  CHECK_FALSE(parse_ipv4_frame(with(14, 0x4000)));
  CHECK_FALSE(parse_ipv4_frame(with(14, 0x4F00)));  // options that are not there
  CHECK_FALSE(parse_ipv4_frame(with(16, 19)));
  CHECK_FALSE(parse_ipv4_frame(with(16, 0)));
  CHECK_FALSE(parse_ipv4_frame(with(16, 0x23)));  // one byte more than there is
}

TEST_CASE("a header with any bit changed is no IPv4") {
  // Its checksum tells: where such a packet comes from is not known (RFC 1122, 3.2.1.2).
  const Bytes frame = from_hex(linux_datagram);
  for (std::size_t bit = 14 * 8; bit < 34 * 8; ++bit) {
    CAPTURE(bit);
    Bytes changed = frame;
    changed[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    CHECK_FALSE(parse_ipv4_frame(changed));
  }
}

TEST_CASE("a packet that may not pass is refused as Linux refuses it") {
  const auto refusal = refusal_of(from_hex(linux_datagram));
  REQUIRE(refusal);
  const Bytes expected = from_hex(linux_refusal);
  REQUIRE(refusal->size() == expected.size());
  CHECK(Bytes(refusal->begin(), refusal->begin() + 14) == Bytes(expected.begin(), expected.begin() + 14));
  CHECK(Bytes(refusal->begin() + 26, refusal->end()) == Bytes(expected.begin() + 26, expected.end()));
  CHECK(load_be16(&(*refusal)[16]) == 0x3E);
  CHECK(sum_of(*refusal, 14, 34) == 0xFFFF);
}

TEST_CASE("a refusal goes back to the guest, with right checksums, and never grows beyond what every host takes") {
  for (const std::size_t size : {0UL, 1UL, 7UL, 8UL, 519UL, 520UL, 521UL, 1480UL, 65515UL}) {
    CAPTURE(size);
    Bytes frame = from_hex(linux_datagram);
    frame.resize(34 + size, std::byte{0xC3});
    store_be16(&frame[16], static_cast<std::uint16_t>(20 + size));
    const auto refusal = refusal_of(repaired(frame));
    REQUIRE(refusal);
    CHECK(MacAddress::read(refusal->data()) == guest);
    CHECK(MacAddress::read(refusal->data() + 6) == router_mac);
    const auto packet = parse_ipv4_frame(*refusal);
    REQUIRE(packet);
    CHECK(packet->from == router);
    CHECK(packet->to == parse_ipv4("10.0.2.15"));
    CHECK(packet->packet.size() == refusal->size() - 14);
    CHECK(packet->packet.size() <= 576);  // RFC 1812, 4.3.2.3
    CHECK(packet->packet.size() >= std::min<std::size_t>(20 + 8 + 20 + size, 576));
    CHECK(sum_of(*refusal, 14, 34) == 0xFFFF);
    CHECK(sum_of(*refusal, 34, refusal->size()) == 0xFFFF);
    CHECK(std::equal(refusal->begin() + 42, refusal->end(), repaired(frame).begin() + 14));
  }
}

TEST_CASE("a question by ICMP is refused, an error by ICMP is not answered with one") {
  CHECK(refusal_of(from_hex(linux_ping)));
  for (const unsigned type : {3U, 4U, 5U, 11U, 12U}) {  // RFC 1122, 3.2.2
    CAPTURE(type);
    CHECK_FALSE(refusal_of(with(34, static_cast<std::uint16_t>(type << 8), linux_ping)));
  }
  Bytes empty = from_hex(linux_ping);
  empty.resize(34);
  store_be16(&empty[16], 20);
  CHECK_FALSE(refusal_of(repaired(empty)));
}

TEST_CASE("of a packet in fragments, only the first is refused") {
  CHECK(refusal_of(with(20, 0x2000)));
  CHECK_FALSE(refusal_of(with(20, 0x2001)));
  CHECK_FALSE(refusal_of(with(20, 0x0001)));
  CHECK_FALSE(refusal_of(with(20, 0x1FFF)));
}

TEST_CASE("nothing is refused that went to many") {
  CHECK_FALSE(refusal_of(with_address(30, "224.0.0.251")));
  CHECK_FALSE(refusal_of(with_address(30, "239.255.255.250")));
  CHECK_FALSE(refusal_of(with_address(30, "255.255.255.255")));
  Bytes frame = from_hex(linux_datagram);
  frame[0] |= std::byte{1};
  CHECK_FALSE(refusal_of(frame));
}

TEST_CASE("nothing is sent to a source that is no single host") {
  // RFC 1122, 3.2.2: the zero address, loopback, broadcast, multicast, class E.
  for (const char* source : {"0.0.0.0", "0.0.0.1", "127.0.0.1", "127.255.255.255", "224.0.0.1", "239.1.2.3",
                             "240.0.0.1", "255.255.255.255"}) {
    CAPTURE(source);
    CHECK_FALSE(refusal_of(with_address(26, source)));
  }
  for (const char* source : {"1.0.0.1", "126.255.255.255", "128.0.0.1", "223.255.255.254"}) {
    CAPTURE(source);
    CHECK(refusal_of(with_address(26, source)));
  }
  Bytes frame = from_hex(linux_datagram);
  frame[6] |= std::byte{1};  // as no Ethernet sends it
  CHECK_FALSE(refusal_of(frame));
}

TEST_CASE("an echo request is answered with what it carried, from the address that was asked") {
  const Bytes ping = from_hex(linux_ping);
  const auto reply = write_icmp4_echo_reply(ping, *parse_ipv4_frame(ping));
  REQUIRE(reply);
  CHECK(MacAddress::read(reply->data()) == guest);
  CHECK(MacAddress::read(reply->data() + 6) == router_mac);
  const auto packet = parse_ipv4_frame(*reply);
  REQUIRE(packet);
  CHECK(packet->from == parse_ipv4("192.0.2.9"));
  CHECK(packet->to == parse_ipv4("10.0.2.15"));
  CHECK(packet->protocol == ip_protocols::icmp);
  CHECK(load_be16(&packet->payload[0]) == 0);
  CHECK(sum_of(*reply, 34, reply->size()) == 0xFFFF);
  CHECK(std::equal(packet->payload.begin() + 4, packet->payload.end(), ping.begin() + 38, ping.end()));
}

TEST_CASE("what is no sound echo request is not answered with an echo") {
  const auto is_answered = [](const Bytes& frame) {
    const auto packet = parse_ipv4_frame(frame);
    return packet && write_icmp4_echo_reply(frame, *packet);
  };
  CHECK(is_answered(from_hex(linux_ping)));
  CHECK_FALSE(is_answered(from_hex(linux_datagram)));
  for (const unsigned type : {0U, 3U, 5U, 13U})
    CHECK_FALSE(is_answered(with(34, static_cast<std::uint16_t>(type << 8), linux_ping)));
  CHECK_FALSE(is_answered(with(36, 0x7743, linux_ping)));  // its checksum
  CHECK_FALSE(is_answered(with(20, 0x2000, linux_ping)));  // a fragment
  CHECK_FALSE(is_answered(with_address(26, "255.255.255.255", linux_ping)));
  Bytes cut = from_hex(linux_ping);
  cut.resize(41);
  store_be16(&cut[16], 27);
  CHECK_FALSE(is_answered(repaired(cut)));
}

}  // namespace icmp4_test
