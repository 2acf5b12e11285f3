// Hosts with more than one address: which of them a UDP port answers from, which of a name's it takes, and
// the zones of link-local ones.
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "tests/support/network_of_test.h"
#include "tests/support/switchd_process.h"

namespace process_address_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// Three addresses of this host, and those that a wildcard port is told to allow.
struct Family {
  const char* any;
  const char* prefix;
  std::string station;
  std::string first;
  std::string second;
};

[[nodiscard]] Family family(bool v6) {
  if (!v6) return {"0.0.0.0", "127.0.0.0/8", "127.0.0.1", "127.0.0.2", "127.0.0.3"};
  for (const char* address : {"fd00::1", "fd00::2", "fd00::3"})
    NetworkOfTest::ip(std::string("-6 addr add ") + address + "/128 dev lo nodad");
  return {"[::]", "fd00::/64", "[fd00::1]", "[fd00::2]", "[fd00::3]"};
}

[[nodiscard]] std::string with_port(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

// `count` frames at once, which leave as few large sends where they can.
void send_many(Peer& vm, const std::string& to, unsigned count) {
  std::string burst;
  for (unsigned i = 0; i < count; ++i) burst += on_stream(frame(to, mac(9), 300, i));
  vm.send_raw(burst);
}

// The addresses that `count` frames came from: there should be one.
[[nodiscard]] std::set<std::string> sources_of(Peer& station, unsigned count) {
  std::set<std::string> sources;
  for (unsigned i = 0; i < count; ++i) {
    CHECK(station.receive() == frame(mac(1), mac(9), 300, i));
    sources.insert(to_string(station.source()));
  }
  return sources;
}

}  // namespace

TEST_CASE("a udp port bound to every address answers each peer from the one that it spoke to last") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  const bool v6 = GENERATE(false, true);
  if (v6 && !NetworkOfTest::enable_ipv6("lo")) {
    WARN("IPv6 is not tested here: this kernel has none");
    return;
  }
  const Family here = family(v6);
  Peer station = Peer::udp(here.station + ":0");
  const std::string whom = GENERATE("allow", "remote");
  INFO(whom << " IPv" << (v6 ? 6 : 4));
  const std::string who = whom == "allow" ? std::string("allow=") + here.prefix : "remote=" + station.local();
  SwitchdProcess daemon(engine,
                        {"web=tcp-listen:127.0.0.1:0", "u=udp:" + std::string(here.any) + ":0," + who});
  const std::uint16_t port = socket_address(daemon.address("u")).port();
  Peer vm = join(daemon, "web.1");
  for (const std::string& spoken_to : {here.first, here.second, here.first}) {
    const std::string address = with_port(spoken_to, port);
    station.towards(address).send(frame(mac(9), mac(1)));
    CHECK(vm.receive() == frame(mac(9), mac(1)));
    for (const unsigned count : {1u, 100u}) {
      send_many(vm, mac(1), count);
      CHECK(sources_of(station, count) == std::set<std::string>{address});
    }
  }
  CHECK(daemon.stop() == 0);
  if (v6)
    for (const char* address : {"fd00::1", "fd00::2", "fd00::3"})
      NetworkOfTest::ip(std::string("-6 addr del ") + address + "/128 dev lo");
}

TEST_CASE("two peers of one wildcard port are answered from different addresses at the same time") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:127.0.0.1:0", "u=udp:0.0.0.0:0,allow=127.0.0.0/8"});
  const std::uint16_t port = socket_address(daemon.address("u")).port();
  Peer vm = join(daemon, "web.1");
  Peer one = Peer::udp("127.0.0.1:0");
  Peer two = Peer::udp("127.0.0.1:0");
  one.towards(with_port("127.0.0.2", port)).send(frame(mac(9), mac(1)));
  two.towards(with_port("127.0.0.3", port)).send(frame(mac(9), mac(2)));
  for (int i = 0; i < 2; ++i) (void)vm.receive();
  vm.send(frame(broadcast, mac(9)));
  (void)one.receive_until(frame(broadcast, mac(9)));  // before it, what the other one has sent
  (void)two.receive_until(frame(broadcast, mac(9)));
  CHECK(to_string(one.source()) == with_port("127.0.0.2", port));
  CHECK(to_string(two.source()) == with_port("127.0.0.3", port));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a peer is still answered when the address that it spoke to is this host's no more") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  NetworkOfTest::ip("addr add 10.9.9.1/32 dev lo");
  SwitchdProcess daemon(engine, {"web=tcp-listen:127.0.0.1:0", "u=udp:0.0.0.0:0,allow=127.0.0.0/8"});
  const std::uint16_t port = socket_address(daemon.address("u")).port();
  Peer vm = join(daemon, "web.1");
  Peer station = Peer::udp("127.0.0.1:0");
  station.towards(with_port("10.9.9.1", port)).send(frame(mac(9), mac(1)));
  CHECK(vm.receive() == frame(mac(9), mac(1)));
  send_many(vm, mac(1), 100);
  CHECK(sources_of(station, 100) == std::set<std::string>{with_port("10.9.9.1", port)});
  NetworkOfTest::ip("addr del 10.9.9.1/32 dev lo");
  for (const unsigned count : {100u, 1u}) {
    send_many(vm, mac(1), count);
    CHECK(sources_of(station, count) == std::set<std::string>{with_port("127.0.0.1", port)});
  }
  CHECK(daemon.await_drops("u.1", "send_error", 0)["ports"]["u.1"]["drops"]["send_error"] == 0);
  CHECK(daemon.stop() == 0);
}

// Two links with the same addresses on each, as link-local ones may be.
TEST_CASE("peers with one link-local address on two links are two, named and answered by their zones") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  for (const std::string link : {"a", "b"}) {
    NetworkOfTest::add_cable(link + "here", link + "far");
    for (const std::string end : {"here", "far"})
      if (!NetworkOfTest::enable_ipv6(link + end)) SKIP_TEST("this kernel has no IPv6");
    NetworkOfTest::ip("-6 addr add fe80::1/64 dev " + link + "here nodad");
    NetworkOfTest::ip("-6 addr add fe80::2/64 dev " + link + "far nodad");
  }
  const std::string allow = GENERATE("fe80::/10", "fe80::%bhere/64", "fe80::2%bhere");
  INFO("allow=" << allow);
  SwitchdProcess daemon(engine, {"web=tcp-listen:127.0.0.1:0", "u=udp:[::]:0,allow=" + allow});
  const std::uint16_t port = socket_address(daemon.address("u")).port();
  Peer vm = join(daemon, "web.1");
  const std::uint16_t far_port = free_udp_port();
  Peer a = Peer::udp(with_port("[fe80::2%afar]", far_port));
  Peer b = Peer::udp(with_port("[fe80::2%bfar]", far_port));
  const bool both = allow == "fe80::/10";
  a.towards(with_port("[fe80::1%afar]", port)).send(frame(broadcast, mac(1)));
  if (both) {
    CHECK(daemon.await_up("u.1") == "port u.1 up udp:" + with_port("[fe80::2%ahere]", far_port));
    CHECK(vm.receive() == frame(broadcast, mac(1)));
  } else {
    (void)daemon.await_drops("u", "unknown_source", 1);
  }
  const std::string second = both ? "u.2" : "u.1";
  b.towards(with_port("[fe80::1%bfar]", port)).send(frame(broadcast, mac(2)));
  CHECK(daemon.await_up(second) == "port " + second + " up udp:" + with_port("[fe80::2%bhere]", far_port));
  CHECK(vm.receive() == frame(broadcast, mac(2)));
  CHECK(daemon.stats()["ports"][second]["address"] == with_port("[fe80::2%bhere]", far_port));
  if (both) CHECK(a.receive() == frame(broadcast, mac(2)));
  vm.send(frame(mac(2), mac(9)));
  CHECK(b.receive() == frame(mac(2), mac(9)));
  CHECK(to_string(b.source()) == with_port("[fe80::1%bfar]", port));
  CHECK(daemon.stop() == 0);
  for (const std::string link : {"a", "b"}) NetworkOfTest::ip("link del " + link + "here");
}

TEST_CASE(
    "link-local addresses serve with their zones: a listener's, a connector's, and a UDP port's and its "
    "remote's") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("here", "far");
  for (const std::string end : {"here", "far"})
    if (!NetworkOfTest::enable_ipv6(end)) SKIP_TEST("this kernel has no IPv6");
  NetworkOfTest::ip("-6 addr add fe80::1/64 dev here nodad");
  NetworkOfTest::ip("-6 addr add fe80::2/64 dev far nodad");
  Peer station = Peer::udp("[fe80::2%far]:0");
  const std::uint16_t far_port = socket_address(station.local()).port();
  SwitchdProcess daemon("auto", {"web=tcp-listen:[fe80::1%here]:0",
                                 "u=udp:[fe80::1%here]:0,remote=" + with_port("[fe80::2%here]", far_port)});
  CHECK(daemon.address("web").starts_with("[fe80::1%here]:"));
  CHECK(daemon.address("u").starts_with("[fe80::1%here]:"));
  SwitchdProcess other("auto", {"c=tcp-connect:[fe80::1%far]:" +
                                std::to_string(socket_address(daemon.address("web")).port())});
  CHECK(other.await_up("c").ends_with(
      " tcp-connect:" + with_port("[fe80::1%far]", socket_address(daemon.address("web")).port())));
  CHECK(daemon.await_up("web.1").find("%here]:") != std::string::npos);
  station.towards(with_port("[fe80::1%far]", socket_address(daemon.address("u")).port()))
      .send(frame(broadcast, mac(1)));
  daemon.await_stats("a frame of the station", [](const auto& stats) {
    return stats["ports"]["u"]["received_frames"] == 1 && stats["ports"]["web.1"]["sent_frames"] == 1;
  });
  CHECK(other.stop() == 0);
  CHECK(daemon.stop() == 0);
}

}  // namespace process_address_test
