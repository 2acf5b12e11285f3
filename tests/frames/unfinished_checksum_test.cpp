// Checksums that the host left to its card: finished as the receiver checks them, and left alone where there is none.
#include "frames/unfinished_checksum.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/udp4_packet.h"

namespace unfinished_checksum_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

Bytes from_hex(std::string_view text) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16)));
  return bytes;
}

void append(Bytes& bytes, const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); }

// How the payload is carried: what stands in front of it.
struct Carriage {
  std::string name;
  Bytes before;             // of the IP header
  bool v6 = false;
  Bytes between;            // IPv4 options, IPv6 extension headers
  std::uint8_t first = 0;   // IPv6: what the first extension header is; 0xFF: there is none
};

const Bytes addresses = from_hex("525400000001525400000002");

Carriage carriage(const std::string& name, const std::string& tags, bool v6, const std::string& between = "",
                  std::uint8_t first = 0xFF) {
  Bytes before = addresses;
  append(before, from_hex(tags + (v6 ? "86dd" : "0800")));
  return {name, before, v6, from_hex(between), first};
}

struct Packet {
  Bytes frame;
  std::size_t payload_at;
};

Packet packet(const Carriage& how, std::uint8_t protocol, const Bytes& payload) {
  Bytes ip(how.v6 ? 40 : 20);
  const std::size_t behind = how.between.size() + payload.size();
  if (how.v6) {
    ip[0] = std::byte{0x60};
    store_be16(&ip[4], static_cast<std::uint16_t>(behind));
    ip[6] = static_cast<std::byte>(how.first == 0xFF ? protocol : how.first);
    for (std::size_t i = 8; i < 40; ++i) ip[i] = static_cast<std::byte>(i * 37);
  } else {
    ip[0] = static_cast<std::byte>(0x45 + how.between.size() / 4);
    store_be16(&ip[2], static_cast<std::uint16_t>(20 + behind));
    ip[9] = static_cast<std::byte>(protocol);
    for (std::size_t i = 12; i < 20; ++i) ip[i] = static_cast<std::byte>(i * 37);
  }
  Packet made{how.before, 0};
  append(made.frame, ip);
  append(made.frame, how.between);
  if (how.v6 && !how.between.empty())
    made.frame[made.frame.size() - how.between.size()] = static_cast<std::byte>(protocol);
  made.payload_at = made.frame.size();
  append(made.frame, payload);
  return made;
}

Bytes payload(std::uint8_t protocol, std::size_t bytes) {
  std::mt19937 random(static_cast<unsigned>(bytes));
  Bytes made(bytes);
  for (std::byte& byte : made) byte = static_cast<std::byte>(random());
  if (protocol == 17) store_be16(&made[4], static_cast<std::uint16_t>(bytes));
  return made;
}

// As a receiver checks it: pseudo header, all of the payload with its checksum, written independently of the codec.
bool is_good(const Packet& packet, const Carriage& how, std::uint8_t protocol, std::size_t bytes) {
  const std::size_t ip = how.before.size();
  std::uint64_t sum = protocol + bytes;
  const auto add = [&](std::size_t at, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
      sum += std::to_integer<std::uint64_t>(packet.frame[at + i]) << (i % 2 == 0 ? 8 : 0);
  };
  add(ip + (how.v6 ? 8 : 12), how.v6 ? 32 : 8);
  add(packet.payload_at, bytes);
  while (sum > 0xFFFF) sum = (sum >> 16) + (sum & 0xFFFF);
  return sum == 0xFFFF;
}

const Carriage plain4 = carriage("IPv4", "", false);

}  // namespace

TEST_CASE("an unfinished checksum is finished, whatever stands before it") {
  const Carriage carriages[] = {
      plain4,
      carriage("IPv6", "", true),
      carriage("IPv4 in a VLAN", "81000064", false),
      carriage("IPv6 in two VLANs", "88a8000181000064", true),
      carriage("IPv4 with options", "", false, "0101010194040000"),
      carriage("IPv6 with hop-by-hop options", "", true, "ff00010400000000", 0),
      carriage("IPv6 with destination options", "", true, "ff0101040000000000000000000000ff", 60),
  };
  for (const Carriage& how : carriages) {
    for (const std::uint8_t protocol : {std::uint8_t{6}, std::uint8_t{17}}) {
      for (const std::size_t bytes : {20UL, 21UL, 1000UL, 1471UL}) {
        CAPTURE(how.name, protocol, bytes);
        Packet made = packet(how, protocol, payload(protocol, bytes));
        REQUIRE_FALSE(is_good(made, how, protocol, bytes));
        made.frame.resize(made.frame.size() + 6);  // padding is not part of it
        const Bytes before = made.frame;
        REQUIRE(finish_checksum(made.frame));
        CHECK(is_good(made, how, protocol, bytes));
        const std::size_t field = made.payload_at + (protocol == 6 ? 16 : 6);
        Bytes same = made.frame;
        same[field] = before[field];
        same[field + 1] = before[field + 1];
        CHECK(same == before);  // nothing else was touched
      }
    }
  }
}

TEST_CASE("a UDP datagram that is finished is read as sound") {
  const Bytes text = payload(0, 30);
  Bytes frame = write_udp4({{*parse_mac("52:54:00:00:00:01"), *parse_ipv4("10.0.2.15"), 68},
                            {*parse_mac("52:54:00:00:00:02"), *parse_ipv4("10.0.2.2"), 67},
                            text});
  const Bytes good = frame;
  store_be16(&frame[40], 0x1234);
  REQUIRE_FALSE(parse_udp4(frame));
  REQUIRE(finish_checksum(frame));
  CHECK(frame == good);
}

TEST_CASE("a UDP checksum that comes out as 0 is written as ffff") {
  Bytes bytes = payload(17, 20);
  Packet made = packet(plain4, 17, bytes);
  REQUIRE(finish_checksum(made.frame));
  // The last two bytes take up what is left of the sum: then its complement is 0.
  const std::uint16_t checksum = load_be16(&made.frame[made.payload_at + 6]);
  std::byte* const last = &made.frame[made.payload_at + 18];
  std::uint32_t moved = load_be16(last) + std::uint32_t{checksum};
  moved = (moved & 0xFFFF) + (moved >> 16);
  store_be16(last, static_cast<std::uint16_t>(moved));
  REQUIRE(finish_checksum(made.frame));
  CHECK(load_be16(&made.frame[made.payload_at + 6]) == 0xFFFF);
}

TEST_CASE("a UDP datagram without a checksum stays without one") {
  Bytes bytes = payload(17, 40);
  store_be16(&bytes[6], 0);
  Packet made = packet(plain4, 17, bytes);
  const Bytes before = made.frame;
  CHECK_FALSE(finish_checksum(made.frame));
  CHECK(made.frame == before);
}

TEST_CASE("what has no checksum to finish is left as it is") {
  const auto left_alone = [](Bytes frame) {
    const Bytes before = frame;
    return !finish_checksum(frame) && frame == before;
  };
  for (const bool v6 : {false, true}) {
    CAPTURE(v6);
    const Carriage how = carriage("", "", v6);
    const Bytes tcp = packet(how, 6, payload(6, 40)).frame;
    for (std::ptrdiff_t size = 0; size < std::ssize(tcp); ++size)
      CHECK(left_alone(Bytes(tcp.begin(), tcp.begin() + size)));
    CHECK(left_alone(packet(how, 1, payload(1, 40)).frame));
    CHECK(left_alone(packet(how, 6, payload(6, 19)).frame));
    Bytes longer = payload(17, 40);
    store_be16(&longer[4], 41);
    CHECK(left_alone(packet(how, 17, longer).frame));
    Bytes other = tcp;
    store_be16(&other[12], ether_types::arp);
    CHECK(left_alone(other));
  }
  Bytes fragment = packet(plain4, 17, payload(17, 40)).frame;
  store_be16(&fragment[20], 0x2000);
  CHECK(left_alone(fragment));
  store_be16(&fragment[20], 0x0001);
  CHECK(left_alone(fragment));
  CHECK(left_alone(packet(carriage("fragment", "", true, "ff00000100000000", 44), 17, payload(17, 40)).frame));
  CHECK(left_alone(packet(carriage("segments left", "", true, "ff00000100000000", 43), 17, payload(17, 40)).frame));
  CHECK(left_alone(packet(carriage("options too long", "", true, "ffff000000000000", 0), 17, payload(17, 40)).frame));
}

}  // namespace unfinished_checksum_test
