// How many connections to the DNS server guests may begin.
#include "switchd/gateway/dns_handshakes.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "frames/tcp_packet.h"

namespace dns_handshakes_test {

using namespace lanyard;

namespace {

constexpr std::uint32_t address = 0x0A00'020F;
constexpr std::byte reset{0x04};
const MacAddress guest(0x5254'0000'0001), other(0x5254'0000'0002);

std::vector<std::byte> segment(std::uint16_t from, std::uint16_t to, std::byte flags, std::uint32_t sequence = 0,
                               std::uint32_t acknowledged = 0) {
  std::vector<std::byte> made(20);
  store_be16(&made[0], from);
  store_be16(&made[2], to);
  store_be32(&made[4], sequence);
  store_be32(&made[8], acknowledged);
  made[13] = flags;
  return made;
}

struct Server {
  DnsHandshakes handshakes{};
  std::uint64_t now_s = 1000;
  bool begin(std::uint32_t from, std::uint16_t port, MacAddress mac = guest) {
    return handshakes.may_pass(from, segment(port, 53, tcp_syn, 7), mac, now_s);
  }
  bool say(std::uint16_t port, std::byte flags, std::uint32_t acknowledged) {
    return handshakes.may_pass(address, segment(port, 53, flags, 8, acknowledged), guest, now_s);
  }
  void fill(MacAddress mac, std::uint32_t from) {
    for (std::uint16_t port = 1; port <= DnsHandshakes::handshakes_of_guest_max; ++port) REQUIRE(begin(from, port, mac));
  }
};

}  // namespace

TEST_CASE("a guest begins no more than its share of connections, and takes nothing from another") {
  Server server;
  server.fill(guest, address);
  CHECK_FALSE(server.begin(address, 1000));
  CHECK_FALSE(server.begin(address + 1, 1000));  // nor from another address
  CHECK(server.begin(address, 1));               // sent again
  CHECK(server.begin(address + 2, 1000, other));
}

TEST_CASE("guests that give out many addresses of theirs begin no more than there is room for") {
  Server server;
  for (std::uint64_t i = 0; i < DnsHandshakes::handshakes_max / DnsHandshakes::handshakes_of_guest_max; ++i)
    server.fill(MacAddress(0x5254'0000'1000 + i), address + static_cast<std::uint32_t>(i));
  CHECK_FALSE(server.begin(address, 1000, other));
  CHECK(server.handshakes.size() == DnsHandshakes::handshakes_max);
}

TEST_CASE("a connection that is established makes room, and only that does") {
  Server server;
  server.fill(guest, address);
  CHECK(server.say(1, tcp_ack, 501));  // before it has heard anything
  CHECK_FALSE(server.begin(address, 1000));
  server.handshakes.answered(address, segment(53, 1, tcp_syn | tcp_ack, 500, 8));
  CHECK(server.say(1, tcp_ack, 502));  // libslirp answers that with a reset, and keeps what it has
  CHECK(server.say(1, reset, 501));
  CHECK_FALSE(server.begin(address, 1000));
  CHECK(server.say(1, tcp_ack, 501));
  CHECK(server.begin(address, 1000));
}

TEST_CASE("a connection that is not established is forgotten when libslirp has given it up") {
  Server server;
  server.fill(guest, address);
  server.now_s += DnsHandshakes::seconds_max;
  CHECK_FALSE(server.begin(address, 1000));
  server.now_s += 1;
  CHECK(server.begin(address, 1000));
  CHECK(server.handshakes.size() == 1);
}

TEST_CASE("what is too short for a segment begins nothing") {
  DnsHandshakes handshakes;
  const auto whole = segment(1, 53, tcp_syn);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    CHECK(handshakes.may_pass(address, std::span(whole).first(bytes), guest, 0));
    handshakes.answered(address, std::span(whole).first(bytes));
  }
  CHECK(handshakes.size() == 0);
}

}  // namespace dns_handshakes_test
