// UDP datagrams with all their headers: written as others read them, and refused where they are not sound.
#include "frames/udp4_packet.h"

#include <catch2/catch.hpp>
#include <random>

#include "frames/bytes.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace udp4_packet_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

Udp4Packet packet_with(std::span<const std::byte> payload) {
  return {{*parse_mac("52:54:00:00:00:01"), *parse_ipv4("10.0.2.15"), 68},
          {*parse_mac("52:54:00:00:00:02"), *parse_ipv4("10.0.2.2"), 67},
          payload};
}

}  // namespace

TEST_CASE("the Internet checksum is that of RFC 1071") {
  // The example of RFC 1071, 3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2.
  const Bytes bytes{std::byte{0x00}, std::byte{0x01}, std::byte{0xf2}, std::byte{0x03},
                    std::byte{0xf4}, std::byte{0xf5}, std::byte{0xf6}, std::byte{0xf7}};
  CHECK(checksum_finish(checksum_add(0, bytes)) == static_cast<std::uint16_t>(~0xddf2));
  CHECK(checksum_finish(checksum_add(0, {})) == 0xFFFF);
  CHECK(checksum_finish(checksum_add(0, std::span(bytes).first(3))) == static_cast<std::uint16_t>(~0xf201));
}

TEST_CASE("what is written is read again") {
  std::mt19937 random(3);
  for (const std::size_t size : {0UL, 1UL, 2UL, 300UL, 1472UL, 65507UL}) {
    CAPTURE(size);
    Bytes payload(size);
    for (std::byte& byte : payload) byte = static_cast<std::byte>(random());
    Bytes frame = write_udp4(packet_with(payload));
    CHECK(frame.size() == udp4_headers_bytes + size);
    frame.resize(std::max<std::size_t>(frame.size(), 60));  // as an Ethernet pads it
    const auto packet = parse_udp4(frame);
    REQUIRE(packet);
    CHECK(packet->from == packet_with({}).from);
    CHECK(packet->to == packet_with({}).to);
    CHECK(Bytes(packet->payload.begin(), packet->payload.end()) == payload);
  }
}

TEST_CASE("a header with any bit changed is not read as it was") {
  const Bytes frame = write_udp4(packet_with(bytes_of("payload")));
  for (std::size_t bit = 14 * 8; bit < udp4_headers_bytes * 8; ++bit) {
    CAPTURE(bit);
    Bytes changed = frame;
    changed[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    CHECK_FALSE(parse_udp4(changed));
  }
}

TEST_CASE("what is no whole datagram is not read") {
  const Bytes frame = write_udp4(packet_with(bytes_of("payload")));
  for (std::size_t size = 0; size < frame.size(); ++size) CHECK_FALSE(parse_udp4(std::span(frame).first(size)));
  const auto with = [&](std::size_t at, std::uint16_t value) {
    Bytes changed = frame;
    store_be16(&changed[at], value);
    store_be16(&changed[24], 0);
    store_be16(&changed[24], checksum_finish(checksum_add(0, std::span(changed).subspan(14, 20))));
    return changed;
  };
  CHECK(parse_udp4(with(18, 0)));  // the identification: any will do
  CHECK_FALSE(parse_udp4(with(20, 0x2000)));
  CHECK_FALSE(parse_udp4(with(20, 0x0001)));
  CHECK_FALSE(parse_udp4(with(22, 0x4006)));  // TCP
  CHECK_FALSE(parse_udp4(with(12, 0x86DD)));
  CHECK_FALSE(parse_udp4(with(14, 0x4600)));  // options that are not there
}

TEST_CASE("a datagram without a checksum is read") {
  Bytes frame = write_udp4(packet_with(bytes_of("payload")));
  store_be16(&frame[40], 0);
  CHECK(parse_udp4(frame));
}

TEST_CASE("an address of a datagram is replaced, and its checksums are right again") {
  const std::string text = GENERATE("", "x", "some words");
  const Udp4Endpoint from{MacAddress(1), Ipv4Address(0x0A00'020F), 53};
  const Udp4Endpoint to{MacAddress(2), Ipv4Address(0x0A00'0202), 40000};
  for (const std::uint32_t address : {0x7F00'0001U, 0x0A00'0202U, 0xFFFF'FFFFU, 0U}) {
    auto frame = write_udp4({from, to, std::as_bytes(std::span(text))});
    replace_udp4_address(frame, Ipv4End::receiver, Ipv4Address(address));
    replace_udp4_address(frame, Ipv4End::sender, Ipv4Address(~address));
    const auto packet = parse_udp4(frame);
    REQUIRE(packet);
    CHECK(packet->to == Udp4Endpoint{to.mac, Ipv4Address(address), to.port});
    CHECK(packet->from == Udp4Endpoint{from.mac, Ipv4Address(~address), from.port});
    CHECK(packet->payload.size() == text.size());
  }
  auto frame = write_udp4({from, to, std::as_bytes(std::span(text))});
  frame[40] = frame[41] = std::byte{0};  // no checksum stays none
  replace_udp4_address(frame, Ipv4End::receiver, from.address);
  CHECK((frame[40] == std::byte{0} && frame[41] == std::byte{0}));
  CHECK(parse_udp4(frame));
}

}  // namespace udp4_packet_test
