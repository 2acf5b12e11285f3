// Connections by IPv6 that go on by IPv4: what arrives is what was sent, and each connection is its own.
#include "switchd/gateway/dns6_streams.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "frames/bytes.h"

namespace dns6_streams_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }

Udp6Endpoint guest(unsigned number, std::uint16_t port) {
  Udp6Endpoint endpoint{mac(number), {std::byte{0xFD}}, port};
  endpoint.address[15] = static_cast<std::byte>(number);
  return endpoint;
}

const Udp6Endpoint server6{MacAddress(0x5256'0000'0003), {std::byte{0xFD}, std::byte{3}}, 53};
const Udp4Endpoint server4{MacAddress(0x5255'0A00'0203), Ipv4Address(0x0A00'0203), 53};

Bytes segment(std::byte flags, std::string_view text = "") {
  Bytes bytes(20 + text.size());
  store_be32(&bytes[4], 0x1234'5678);
  bytes[12] = std::byte{0x50};
  bytes[13] = flags;
  std::transform(text.begin(), text.end(), bytes.begin() + 20,
                 [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

struct Way {
  // The port that it has on its way; nothing: it does not go on.
  std::optional<std::uint16_t> to_slirp(const Udp6Endpoint& from, std::byte flags, std::uint64_t now_s = 0) {
    const auto frame = streams.to_slirp(write_tcp6({from, server6, segment(flags, "question")}), now_s);
    if (!frame) return std::nullopt;
    const auto packet = parse_tcp4(*frame);
    REQUIRE(packet);
    CHECK(packet->to == server4);
    CHECK(packet->from.address == Dns6Streams::stand_in);
    CHECK(std::equal(packet->segment.begin() + 20, packet->segment.end(),
                     segment(flags, "question").begin() + 20));
    CHECK(load_be32(&packet->segment[4]) == 0x1234'5678);
    CHECK(packet->segment[13] == flags);
    return packet->from.port;
  }
  // Who gets it.
  std::optional<Udp6Endpoint> to_guest(std::uint16_t port) {
    const Udp4Endpoint to{Dns6Streams::stand_in_mac, Dns6Streams::stand_in, port};
    const auto frame = streams.to_guest(write_tcp4({server4, to, segment(tcp_ack, "an answer")}), 0);
    if (!frame) return std::nullopt;
    const auto packet = parse_tcp6(*frame);
    REQUIRE(packet);
    CHECK(packet->from == server6);
    CHECK(packet->segment.size() == 20 + 9);
    return packet->to;
  }
  Dns6Streams streams{server4};
};

}  // namespace

TEST_CASE("what a guest sends by IPv6 arrives by IPv4, and what is answered at that guest") {
  Way way;
  const auto first = way.to_slirp(guest(1, 4000), tcp_syn);
  const auto second = way.to_slirp(guest(2, 4000), tcp_syn);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first != second);
  CHECK(way.to_slirp(guest(1, 4000), tcp_ack) == first);
  CHECK(way.to_guest(*first) == guest(1, 4000));
  CHECK(way.to_guest(*second) == guest(2, 4000));
  CHECK_FALSE(way.to_guest(static_cast<std::uint16_t>(*second + 1)));
  Udp6Endpoint again = guest(1, 4000);  // the VM has another MAC now
  again.mac = mac(9);
  CHECK(way.to_slirp(again, tcp_syn) == first);
  CHECK(way.to_guest(*first) == again);
}

TEST_CASE("what opens no connection and belongs to none does not go on, nor what is damaged") {
  Way way;
  CHECK_FALSE(way.to_slirp(guest(1, 4000), tcp_ack));
  CHECK_FALSE(way.to_slirp(guest(1, 4000), tcp_syn | tcp_ack));
  Bytes frame = write_tcp6({guest(1, 4000), server6, segment(tcp_syn)});
  for (std::size_t bytes = 0; bytes < frame.size(); ++bytes)
    CHECK_FALSE(way.streams.to_slirp(std::span(frame).first(bytes), 0));
  frame[60] ^= std::byte{1};
  CHECK_FALSE(way.streams.to_slirp(frame, 0));
  CHECK(way.streams.flows() == 0);
}

TEST_CASE("a guest that opens thousands of connections to DNS takes none from another") {
  Way way;
  const auto of_other = way.to_slirp(guest(2, 53), tcp_syn, 1);
  std::uint16_t last = 0;
  for (std::uint16_t port = 1; port < 5000; ++port) last = way.to_slirp(guest(1, port), tcp_syn, 2).value();
  CHECK(way.streams.flows() == 1 + Dns6Streams::flows_of_guest_max);
  CHECK(way.to_guest(of_other.value()) == guest(2, 53));
  CHECK(way.to_guest(last) == guest(1, 4999));
}

TEST_CASE("of too many connections the one that was silent longest makes room") {
  Way way;
  std::vector<std::uint16_t> ports;
  for (unsigned n = 0; n < Dns6Streams::flows_max; ++n)
    ports.push_back(way.to_slirp(guest(n, 53), tcp_syn, n).value());
  CHECK(way.to_slirp(guest(0, 53), tcp_ack, 1000) == ports[0]);
  REQUIRE(way.to_slirp(guest(200, 53), tcp_syn, 1001));
  CHECK(way.streams.flows() == Dns6Streams::flows_max);
  CHECK(way.to_guest(ports[0]) == guest(0, 53));
  CHECK_FALSE(way.to_guest(ports[1]));
  CHECK(way.to_guest(ports[2]) == guest(2, 53));
}

TEST_CASE("a port that stands in for a connection is not used again at once, and is never 0") {
  Way way;
  std::set<std::uint16_t> used;
  for (std::uint16_t port = 1; port < 2000; ++port)
    CHECK(used.insert(*way.to_slirp(guest(1, port), tcp_syn)).second);
  for (unsigned n = 0; n < 140'000; ++n)  // twice around
    REQUIRE(way.to_slirp(guest(n % 7, static_cast<std::uint16_t>(1 + n % 60'000)), tcp_syn).value() != 0);
}

}  // namespace dns6_streams_test
