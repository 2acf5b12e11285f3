// Which packets a packet socket does not hear once it is told of our own ends: judged by the kernel, which runs the
// program, on a cable with crafted packets from either end.
#include "transports/own_packets.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <vector>

#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"
#include "tests/support/peer.h"

namespace own_packets_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] Fd packet_socket(const std::string& interface) {
  Fd fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
  REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

void send_to(const Fd& fd, const std::string& bytes) {
  REQUIRE(::send(fd.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

// Until the marker comes: what came before it?
[[nodiscard]] bool hears(const Fd& listener, const Fd& sender, const std::string& packet) {
  static std::uint16_t number = 0;
  const std::string marker = frame(broadcast, mac(200), 64, ++number);
  send_to(sender, packet);
  send_to(sender, marker);
  bool heard = false;
  for (;;) {
    await_fd(listener.get(), POLLIN, Deadline(), "marker");
    std::string got(70'000, '\0');
    const ssize_t bytes = ::recv(listener.get(), got.data(), got.size(), 0);
    REQUIRE(bytes >= 0);
    got.resize(static_cast<std::size_t>(bytes));
    if (got == marker) return heard;
    heard = true;
  }
}

[[nodiscard]] std::string be16(unsigned value) {
  return {static_cast<char>(value >> 8 & 0xFF), static_cast<char>(value & 0xFF)};
}

const std::string ours("\x02\x00\x00\x00\x00\x01", 6);
const std::string theirs("\x02\x00\x00\x00\x00\x02", 6);
const std::string group_station("\x01\x00\x5E\x01\x02\x03", 6);

struct Packet {
  int protocol = IPPROTO_UDP;
  std::string source = "10.9.0.1";
  unsigned source_number = 7001;
  std::string destination = "10.9.0.7";
  unsigned destination_number = 7002;
  std::string to = theirs;   // station
  unsigned fragment = 0;     // flags and offset, in the units of the header
  bool has_options = false;  // IPv4; of IPv6: a fragment header
  bool has_tag = false;
};

[[nodiscard]] std::string address_bytes(const std::string& text) {
  const int family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  std::string bytes(family == AF_INET ? 4 : 16, '\0');
  REQUIRE(inet_pton(family, text.c_str(), bytes.data()) == 1);
  return bytes;
}

[[nodiscard]] std::string bytes_of(const Packet& packet) {
  const bool v6 = packet.source.find(':') != std::string::npos;
  std::string bytes = packet.to + (packet.to == theirs ? ours : theirs);
  if (packet.has_tag) bytes += be16(ETH_P_8021Q) + be16(5);
  const std::string numbers = be16(packet.source_number) + be16(packet.destination_number) + std::string(40, 'x');
  const std::string addresses = address_bytes(packet.source) + address_bytes(packet.destination);
  const auto protocol = static_cast<char>(packet.protocol);
  if (v6) {
    const bool has_header = packet.has_options || packet.fragment != 0;
    bytes += be16(ETH_P_IPV6) + std::string("\x60\0\0\0", 4) + be16(52);
    bytes += has_header ? std::string(1, 44) + '\x40' : std::string(1, protocol) + '\x40';
    bytes += addresses;
    if (has_header) bytes += std::string(1, protocol) + '\0' + be16(packet.fragment) + std::string(4, 'i');
    return bytes + numbers;
  }
  bytes += be16(ETH_P_IP) + (packet.has_options ? '\x47' : '\x45') + std::string(1, '\0') + be16(64) + be16(1);
  bytes += be16(packet.fragment) + '\x40' + protocol + be16(0) + addresses;
  if (packet.has_options) bytes += std::string(8, '\1');
  return bytes + numbers;
}

[[nodiscard]] PacketEnd end(int protocol, const std::string& address) {
  return {static_cast<std::uint8_t>(protocol), socket_address(address)};
}

// The same flow, from its other end to ours.
[[nodiscard]] Packet to_us(Packet packet) {
  std::swap(packet.source, packet.destination);
  std::swap(packet.source_number, packet.destination_number);
  packet.to = ours;
  return packet;
}

// It only passes this host.
[[nodiscard]] Packet between_others(const Packet& packet) {
  Packet passing = to_us(packet);
  passing.to = theirs;
  return passing;
}

struct End {
  int protocol;
  std::string address;
};

const End udp{IPPROTO_UDP, "10.9.0.1:7001"}, udp_any{IPPROTO_UDP, "0.0.0.0:7001"};
const End udp6{IPPROTO_UDP, "[fd00::1]:7001"}, udp6_any{IPPROTO_UDP, "[::]:7001"};
const End tcp{IPPROTO_TCP, "10.9.0.1:7001"}, tcp6{IPPROTO_TCP, "[fd00::1]:7001"};
const End group{IPPROTO_UDP, "239.1.2.3:7001"};

const Packet v4{};
const Packet v4_tcp{.protocol = IPPROTO_TCP};
const Packet v6{.source = "fd00::1", .destination = "fd00::7"};
const Packet v6_tcp{.protocol = IPPROTO_TCP, .source = "fd00::1", .destination = "fd00::7"};
const Packet later{.fragment = 0x2000 | 100};
const Packet first6{.source = "fd00::1", .destination = "fd00::7", .fragment = 1};
const Packet later6{.source = "fd00::1", .destination = "fd00::7", .fragment = 100 << 3};
const Packet later_tcp{.protocol = IPPROTO_TCP, .fragment = 100};
const Packet other_number{.source_number = 7003};
const Packet to_group{
    .source = "10.9.0.7", .destination = "239.1.2.3", .destination_number = 7001, .to = group_station};
const Packet later_to_group{.source = "10.9.0.7",
                            .destination = "239.1.2.3",
                            .destination_number = 7001,
                            .to = group_station,
                            .fragment = 100};
const Packet to_other_group{
    .source = "10.9.0.7", .destination = "239.1.2.4", .destination_number = 7001, .to = group_station};

struct Row {
  std::string what;
  End end;
  Packet packet;
  bool out;    // this host sends it, else it comes in
  bool heard;
};

// Of our own ends, and not heard, neither as it is nor as its answer is.
const Row both_ways[] = {
    {"UDP", udp, v4, true, false},
    {"UDP bound to all", udp_any, v4, true, false},
    {"TCP", tcp, v4_tcp, true, false},
    {"UDP by IPv6", udp6, v6, true, false},
    {"UDP by IPv6 bound to all", udp6_any, v6, true, false},
    {"TCP by IPv6", tcp6, v6_tcp, true, false},
    {"IP options", udp, {.has_options = true}, true, false},
    {"a VLAN tag", udp, {.has_tag = true}, true, false},
    {"a first fragment", udp, {.fragment = 0x2000}, true, false},
    {"a later fragment", udp, later, true, false},
    {"a first fragment by IPv6", udp6, first6, true, false},
    {"a later fragment by IPv6", udp6, later6, true, false},
};
const Row one_way[] = {
    {"another protocol", udp, v4_tcp, true, true},
    {"ICMP", udp, {.protocol = IPPROTO_ICMP}, true, true},
    {"another number", udp, other_number, true, true},
    {"another number to us", udp, to_us(other_number), false, true},
    {"another host", udp, {.source = "10.9.0.3"}, true, true},
    {"another host by IPv6", udp6, {.source = "fd00::1:0:1", .destination = "fd00::7"}, true, true},
    {"others' packets by the number of ours", udp_any, between_others(v4), false, true},
    {"of another family", udp6_any, v4, true, true},
    {"a later fragment of TCP's", tcp, later_tcp, true, true},
    {"a later fragment of TCP's, where there is UDP", udp, later_tcp, true, true},
    {"others' later fragment", udp, between_others(later), false, true},
    {"a group", group, to_group, false, false},
    {"a group, by us", group, to_group, true, false},
    {"a group, later fragment", group, later_to_group, false, false},
    {"another group", group, to_other_group, false, true},
};

std::vector<Row> rows() {
  std::vector<Row> all(std::begin(one_way), std::end(one_way));
  for (const Row& row : both_ways) {
    all.push_back(row);
    all.push_back({row.what + ", to us", row.end, to_us(row.packet), !row.out, row.heard});
  }
  return all;
}

}  // namespace

TEST_CASE("a packet socket does not hear the packets of our own ends, and all others") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("v0", "v1");
  NetworkOfTest::ip("link set v0 address 02:00:00:00:00:01");
  const Fd near_end = packet_socket("v0");
  const Fd far_end = packet_socket("v1");
  for (const Row& row : rows()) {
    INFO(row.what << (row.out ? ", out" : ", in"));
    const Fd listener = packet_socket("v0");
    const Fd& sender = row.out ? near_end : far_end;
    CHECK(hears(listener, sender, bytes_of(row.packet)));
    const PacketEnd others[] = {end(IPPROTO_UDP, "10.9.0.99:1"), end(IPPROTO_TCP, "[fd00::99]:1"),
                                end(row.end.protocol, row.end.address)};
    REQUIRE(keep_away(listener.get(), others) == 0);
    CHECK(hears(listener, sender, bytes_of(row.packet)) == row.heard);
    REQUIRE(keep_away(listener.get(), {}) == 0);
    CHECK(hears(listener, sender, bytes_of(row.packet)));
    REQUIRE(keep_away(listener.get(), {}) == 0);  // none is none
  }
}

TEST_CASE("frames that are cut short are heard, whatever they begin as") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("v0", "v1");
  const Fd far_end = packet_socket("v1");
  const Fd listener = packet_socket("v0");
  const PacketEnd ends[] = {end(IPPROTO_UDP, "10.9.0.1:7001"), end(IPPROTO_UDP, "[fd00::1]:7001")};
  REQUIRE(keep_away(listener.get(), ends) == 0);
  for (const char* source : {"10.9.0.1", "fd00::1"}) {
    Packet packet;
    packet.source = source;
    packet.destination = source;
    packet.source_number = 0x0101;
    packet.destination_number = 0x0101;
    const std::string whole = bytes_of(packet);
    for (std::size_t bytes = 16; bytes < whole.size(); ++bytes) {
      INFO(source << ", " << bytes << " bytes");
      CHECK(hears(listener, far_end, whole.substr(0, bytes)));
    }
  }
}

TEST_CASE("as many ends as there may be are taken by the kernel") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("v0", "v1");
  const Fd listener = packet_socket("v0");
  std::vector<PacketEnd> ends;
  for (std::size_t i = 0; i < packet_ends_max; ++i)
    ends.push_back(end(IPPROTO_UDP, "10.9.0.1:" + std::to_string(7000 + i)));
  CHECK(keep_away(listener.get(), ends) == 0);
}

}  // namespace own_packets_test
