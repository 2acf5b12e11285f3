// The pcapng encoder: its bytes, and what Wireshark's programs read in them.
#include "frames/pcapng.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "tests/support/frames.h"
#include "tests/support/tshark.h"

namespace pcapng_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::uint32_t number(const std::string& text, std::size_t at) {
  std::uint32_t value;
  REQUIRE(at + sizeof value <= text.size());
  std::memcpy(&value, text.data() + at, sizeof value);
  return value;
}

// The types of the blocks, each of which bears its length at both ends and is aligned.
std::vector<std::uint32_t> types_of_blocks(const std::string& file) {
  std::vector<std::uint32_t> types;
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t bytes = number(file, at + 4);
    REQUIRE((bytes >= 12 && bytes % 4 == 0));
    REQUIRE(number(file, at + bytes - 4) == bytes);
    types.push_back(number(file, at));
    at += bytes;
  }
  return types;
}

}  // namespace

TEST_CASE("blocks are aligned and bear their lengths at both ends, whatever the lengths in them") {
  for (std::size_t bytes = 0; bytes < 9; ++bytes) {
    const std::string text(bytes, 'x');
    std::string file;
    pcapng::write_section(file, text);
    pcapng::write_interface(file, text, 0);
    pcapng::write_packet(file, {.bytes = bytes_of(text), .original_bytes = 1514, .comment = text});
    CHECK(types_of_blocks(file) == std::vector<std::uint32_t>{0x0A0D0D0A, 1, 6});
  }
}

TEST_CASE("a packet without direction and comment has no options") {
  std::string file;
  pcapng::write_packet(file, {.bytes = bytes_of("abcd"), .original_bytes = 4});
  CHECK(file.size() == 12 + 20 + 4);
}

TEST_CASE("tshark reads back names, stamps, lengths, directions, comments and the frames themselves") {
  const std::string whole = frame(mac(2), mac(1), 61, 7);
  std::string file;
  pcapng::write_section(file, "lanyard 9.8.7");
  pcapng::write_interface(file, "web.1", 0);
  pcapng::write_interface(file, "r\xC3\xA9seau", 64);
  pcapng::write_packet(file, {.interface = 0,
                              .unix_ns = 1'700'000'000'123'456'789,
                              .bytes = bytes_of(whole),
                              .original_bytes = 61,
                              .direction = pcapng::Direction::inbound});
  pcapng::write_packet(file, {.interface = 1,
                              .unix_ns = 1'700'000'001'000'000'001,
                              .bytes = bytes_of(whole).first(20),
                              .original_bytes = 69632,
                              .direction = pcapng::Direction::outbound,
                              .comment = "drop: egress_full"});
  const CaptureFile capture(file);
  const auto frames = capture.frames({"frame.time_epoch", "frame.interface_name", "frame.len", "frame.cap_len",
                                      "frame.packet_flags_direction", "frame.comment", "eth.src"});
  REQUIRE(frames.size() == 2);
  CHECK(frames[0] == "1700000000.123456789|web.1|61|61|0x00000001||52:54:00:00:00:01");
  CHECK(frames[1] == "1700000001.000000001|r\xC3\xA9seau|69632|20|0x00000002|drop: egress_full|52:54:00:00:00:01");
  const std::string report = capture.report();
  INFO(report);
  CHECK(report.find("lanyard 9.8.7") != std::string::npos);
  CHECK(report.find("Ethernet") != std::string::npos);
  CHECK(report.find("Number of packets:   2") != std::string::npos);
  CHECK(report.find("Time precision = nanoseconds (9)") != std::string::npos);
}

}  // namespace pcapng_test
