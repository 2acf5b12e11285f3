// Neighbour discovery: solicitations of Linux are read, and answered with the very bytes of Linux's answer.
#include "frames/ndp.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace ndp_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

// Captured between two hosts that run Linux 6.
const char* const linux_solicitation =
    "3333ff000002 525400000001 86dd  60000000 0020 3a ff fd000000000000000000000000000015"
    "ff0200000000000000000001ff000002  87 00 2d2f 00000000 fd000000000000000000000000000002  01 01 525400000001";
const char* const linux_advertisement =
    "525400000001 525400000002 86dd  60000000 0020 3a ff fd000000000000000000000000000002"
    "fd000000000000000000000000000015  88 00 cc31 60000000 fd000000000000000000000000000002  02 01 525400000002";
// Is this address in use? (RFC 4862, 5.4.2), with a nonce (RFC 7527).
const char* const linux_duplicate_detection =
    "3333ff000001 525400000001 86dd  60000000 0020 3a ff 00000000000000000000000000000000"
    "ff0200000000000000000001ff000001  87 00 ea6a 00000000 fe80000000000000505400fffe000001  0e 01 c2726d540496";
const char* const linux_ping =
    "525400000002 525400000001 86dd  600025bf 000c 3a 40 fd000000000000000000000000000015"
    "fd000000000000000000000000000002  80 00 0000 07b80001 74e0036b";

const MacAddress guest = *parse_mac("52:54:00:00:00:01");
const MacAddress router = *parse_mac("52:54:00:00:00:02");

Ipv6Bytes address(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  REQUIRE(bytes.size() == 16);
  Ipv6Bytes out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// The sum over pseudo-header and message (RFC 8200, 8.1), by 16-bit words with the carries folded at once, and not by
// the code under test: 0xFFFF where the checksum in the frame is right.
unsigned sum_of_icmp6(const Bytes& frame) {
  std::uint32_t sum = 58;
  const std::size_t bytes = load_be16(&frame[18]);
  sum += static_cast<std::uint32_t>(bytes);
  const auto add = [&](std::size_t from, std::size_t to) {
    for (std::size_t at = from; at < to; at += 2) {
      sum += std::to_integer<std::uint32_t>(frame[at]) << 8;
      if (at + 1 < to) sum += std::to_integer<std::uint32_t>(frame[at + 1]);
      if (sum > 0xFFFF) sum -= 0xFFFF;
    }
  };
  add(22, 54);
  add(54, 54 + bytes);
  return sum;
}

// The frame with its ICMPv6 checksum made right again.
Bytes repaired(Bytes frame) {
  store_be16(&frame[56], 0);
  store_be16(&frame[56], static_cast<std::uint16_t>(~sum_of_icmp6(frame)));
  return frame;
}

}  // namespace

TEST_CASE("a neighbour solicitation says who asks for whom") {
  const auto asked = parse_neighbour_solicitation(from_hex(linux_solicitation));
  REQUIRE(asked);
  CHECK(asked->from_mac == guest);
  CHECK(asked->from == address("fd000000000000000000000000000015"));
  CHECK(asked->target == address("fd000000000000000000000000000002"));
}

TEST_CASE("the answer to a neighbour solicitation is the one that Linux gives") {
  const auto asked = parse_neighbour_solicitation(from_hex(linux_solicitation));
  REQUIRE(asked);
  CHECK(write_neighbour_advertisement(*asked, router) == from_hex(linux_advertisement));
}

TEST_CASE("the checksum of an advertisement is right whoever asks") {
  NeighbourSolicitation asked{guest, address("fd000000000000000000000000000015"), {}};
  for (unsigned last = 0; last < 512; ++last) {
    store_be16(&asked.target[14], static_cast<std::uint16_t>(last * 129));
    const Bytes frame = write_neighbour_advertisement(asked, MacAddress(last * 0x1234567));
    CAPTURE(last);
    CHECK(sum_of_icmp6(frame) == 0xFFFF);
  }
}

TEST_CASE("who asks whether an address is in use is answered by telling all nodes") {
  // There is no address to answer to (RFC 4861, 7.2.4).
  const auto asked = parse_neighbour_solicitation(from_hex(linux_duplicate_detection));
  REQUIRE(asked);
  const Bytes frame = write_neighbour_advertisement(*asked, router);
  CHECK(MacAddress::read(frame.data()) == parse_mac("33:33:00:00:00:01"));
  const auto addresses = parse_ipv6_addresses(frame);
  REQUIRE(addresses);
  CHECK(addresses->to == address("ff020000000000000000000000000001"));
  CHECK((load_be32(&frame[58]) & 0x4000'0000) == 0);  // nobody in particular solicited it
  CHECK(sum_of_icmp6(frame) == 0xFFFF);
}

TEST_CASE("a solicitation that is cut anywhere is none, and padding does not matter") {
  Bytes frame = from_hex(linux_solicitation);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_neighbour_solicitation(std::span(frame).first(size)));
  }
  frame.resize(frame.size() + 7, std::byte{0xA5});
  CHECK(parse_neighbour_solicitation(frame));
}

TEST_CASE("a solicitation needs no option, and says so by its length") {
  Bytes frame = from_hex(linux_solicitation);
  store_be16(&frame[18], 24);
  frame.resize(14 + 40 + 24);
  CHECK(parse_neighbour_solicitation(repaired(frame)));
  store_be16(&frame[18], 23);
  CHECK_FALSE(parse_neighbour_solicitation(repaired(frame)));
}

TEST_CASE("a solicitation with any bit changed behind the Ethernet header is refused or says the same checksum") {
  const Bytes frame = from_hex(linux_solicitation);
  for (std::size_t bit = 14 * 8; bit < frame.size() * 8; ++bit) {
    Bytes changed = frame;
    changed[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    const std::size_t byte = bit / 8 - 14;
    const bool traffic_class_or_flow = bit >= 14 * 8 + 4 && byte < 4;  // which no checksum covers
    CAPTURE(bit);
    CHECK(parse_neighbour_solicitation(changed).has_value() == traffic_class_or_flow);
  }
}

TEST_CASE("what RFC 4861, 7.1.1 forbids is no solicitation, however right its checksum") {
  struct Row {
    std::size_t at;
    unsigned value;
    const char* what;
  };
  const Row rows[] = {
      {14, 0x40, "another version of IP"},
      {20, 6, "TCP"},
      {20, 0, "hop-by-hop options first"},
      {21, 254, "came through a router"},
      {54, 136, "an advertisement"},
      {54, 133, "a router solicitation"},
      {55, 1, "a code"},
      {62, 0xFF, "a target that is a group"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Bytes frame = from_hex(linux_solicitation);
    REQUIRE(parse_neighbour_solicitation(repaired(frame)));
    frame[row.at] = static_cast<std::byte>(row.value);
    CHECK_FALSE(parse_neighbour_solicitation(repaired(frame)));
  }
}

TEST_CASE("an IPv6 frame shows its addresses") {
  const auto addresses = parse_ipv6_addresses(from_hex(linux_ping));
  REQUIRE(addresses);
  CHECK(addresses->from == address("fd000000000000000000000000000015"));
  CHECK(addresses->to == address("fd000000000000000000000000000002"));
  CHECK_FALSE(parse_neighbour_solicitation(from_hex(linux_ping)));
}

TEST_CASE("a frame that is cut, tagged or no IPv6 shows no IPv6 addresses") {
  const Bytes frame = from_hex(linux_ping);
  for (std::size_t size = 0; size < ipv6_headers_bytes; ++size)
    CHECK_FALSE(parse_ipv6_addresses(std::span(frame).first(size)));
  CHECK(parse_ipv6_addresses(std::span(frame).first(ipv6_headers_bytes)));
  for (const unsigned type : {0x0800U, 0x0806U, 0x8100U, 0xDD86U}) {
    Bytes other = frame;
    store_be16(&other[12], static_cast<std::uint16_t>(type));
    CHECK_FALSE(parse_ipv6_addresses(other));
  }
  for (const unsigned version : {0x00U, 0x40U, 0x50U, 0x70U, 0xE0U}) {
    Bytes other = frame;
    other[14] = static_cast<std::byte>(version);
    CHECK_FALSE(parse_ipv6_addresses(other));
  }
}

TEST_CASE("an ICMPv6 message gets another sender in both headers, and its checksum stays as right or wrong as it was") {
  const Ipv6Bytes from = address("fe80000000000000000000000a000204");
  const MacAddress mac = *parse_mac("52:56:0a:00:02:04");
  for (const char* text : {linux_solicitation, linux_advertisement, linux_duplicate_detection, linux_ping})
    for (const bool is_right : {true, false}) {
      Bytes frame = from_hex(text);
      if (frame[54] == std::byte{0x80}) store_be16(&frame[56], static_cast<std::uint16_t>(~sum_of_icmp6(frame)));
      if (!is_right) frame.back() ^= std::byte{1};
      const Bytes before = frame;
      replace_icmp6_sender(frame, from, mac);
      CHECK(parse_ipv6_addresses(frame)->from == from);
      CHECK(MacAddress::read(&frame[6]) == mac);
      CHECK((sum_of_icmp6(frame) == 0xFFFF) == is_right);
      CHECK(std::equal(before.begin() + 58, before.end(), frame.begin() + 58));
    }
}

TEST_CASE("what is no ICMPv6, or cut before its checksum, keeps its sender") {
  Bytes udp = from_hex(linux_ping);
  udp[20] = std::byte{17};
  Bytes cut = from_hex(linux_ping);
  cut.resize(54 + 3);
  for (Bytes frame : {udp, cut}) {
    const Bytes before = frame;
    replace_icmp6_sender(frame, address("fe800000000000000000000000000004"), guest);
    CHECK(frame == before);
  }
}

}  // namespace ndp_test
