// ARP packets: read as Linux writes them, written as it reads them, and left alone where they are something else.
#include "frames/arp.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace arp_test {

using namespace lanyard;

namespace {

// Captured between two hosts that run Linux 6.
const char* const linux_request =
    "ffffffffffff 525400000001 0806  0001 0800 06 04 0001  525400000001 0a00020f  000000000000 0a000202";
const char* const linux_reply =
    "525400000001 525400000002 0806  0001 0800 06 04 0002  525400000002 0a000202  525400000001 0a00020f";

const MacAddress guest = *parse_mac("52:54:00:00:00:01");
const MacAddress router = *parse_mac("52:54:00:00:00:02");

}  // namespace

TEST_CASE("an ARP request says who asks for whom") {
  const auto packet = parse_arp(from_hex(linux_request));
  REQUIRE(packet);
  CHECK(packet->is_request);
  CHECK(packet->sender_mac == guest);
  CHECK(packet->sender == parse_ipv4("10.0.2.15"));
  CHECK(packet->target == parse_ipv4("10.0.2.2"));
}

TEST_CASE("an ARP reply says who has the address") {
  const auto packet = parse_arp(from_hex(linux_reply));
  REQUIRE(packet);
  CHECK_FALSE(packet->is_request);
  CHECK(packet->sender_mac == router);
  CHECK(packet->sender == parse_ipv4("10.0.2.2"));
  CHECK(packet->target_mac == guest);
  CHECK(packet->target == parse_ipv4("10.0.2.15"));
}

TEST_CASE("ARP packets are written as Linux writes them") {
  const Ipv4Address of_guest = *parse_ipv4("10.0.2.15");
  const Ipv4Address of_router = *parse_ipv4("10.0.2.2");
  CHECK(write_arp({true, guest, of_guest, MacAddress(), of_router}, MacAddress(0xFFFFFFFFFFFF)) ==
        from_hex(linux_request));
  CHECK(write_arp({false, router, of_router, guest, of_guest}, guest) == from_hex(linux_reply));
}

TEST_CASE("an ARP packet that is cut anywhere is none, and padding does not matter") {
  auto frame = from_hex(linux_request);
  for (std::size_t size = 0; size < frame.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_arp(std::span(frame).first(size)));
  }
  frame.resize(60, std::byte{0xA5});  // as an Ethernet pads it
  CHECK(parse_arp(frame));
}

TEST_CASE("what is no question or answer about IPv4 over Ethernet is no ARP of ours") {
  struct Row {
    std::size_t at;
    std::uint16_t value;
    const char* what;
  };
  const Row rows[] = {
      {12, 0x0800, "IPv4"},
      {12, 0x8035, "RARP"},
      {12, 0x8100, "tagged"},
      {14, 6, "IEEE 802 hardware"},
      {14, 0x0100, "hardware in the wrong order of bytes"},
      {16, 0x86DD, "IPv6"},
      {18, 0x0804, "hardware addresses of 8"},
      {18, 0x0610, "protocol addresses of 16"},
      {18, 0x0600, "probe without addresses"},
      {20, 0, "operation 0"},
      {20, 3, "RARP request"},
      {20, 8, "InARP request"},
      {20, 0x0100, "operation in the wrong order of bytes"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    auto frame = from_hex(linux_request);
    store_be16(&frame[row.at], row.value);
    CHECK_FALSE(parse_arp(frame));
  }
}

}  // namespace arp_test
