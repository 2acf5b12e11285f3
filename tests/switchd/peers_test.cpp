// A UDP port with allow=: sources become ports, strangers do not, silent ones expire; in simulated time.
#include <catch2/catch.hpp>

#include "tests/support/rig.h"

namespace peers_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Peers {
  Peers() : rig({.engine = "sim", .faults = {.short_read = 0, .short_write = 0}}) {
    Fd name = rig.world()->make_endpoint(Wire::datagram);
    endpoint = name.get();
    auto transport = std::make_unique<Transport>(Wire::datagram, std::move(name));
    transport->sources = Sources::allowed;
    transport->allows = [](const SocketAddress& source) { return to_string(source).starts_with("/friend"); };
    transport->copies = &rig.plane().chunks();
    strangers = transport->stranger_counters = std::make_shared<PortCounters>();
    rig.attach(std::move(transport));
  }
  [[nodiscard]] int notices(Notice::Kind kind) const {
    int count = 0;
    for (const Notice& notice : rig.notices()) count += notice.kind == kind ? 1 : 0;
    return count;
  }
  [[nodiscard]] std::uint64_t stranger_drops(DropReason reason) const {
    return strangers->drops[static_cast<std::size_t>(reason)].get();
  }
  Rig rig;
  int endpoint = -1;
  std::shared_ptr<PortCounters> strangers;
};

}  // namespace

TEST_CASE("an allowed source becomes a port with its first frame, which is delivered") {
  Peers peers;
  Vm& vm = peers.rig.add_stream();
  peers.rig.world()->vm_send(peers.endpoint, frame(broadcast, mac(1)), "/friend1");
  peers.rig.world()->vm_send(peers.endpoint, frame(broadcast, mac(2)), "/friend2");
  REQUIRE(peers.rig.run_until([&] { return vm.received().size() == 2; }));
  CHECK(peers.notices(Notice::Kind::peer_up) == 2);
  // The second one's frame went to the first, too.
  CHECK(peers.rig.world()->at(peers.endpoint).datagrams_to_vm.size() >= 1);
  CHECK(peers.rig.ledger_balances());
  CHECK(peers.rig.stop());
}

TEST_CASE("strangers are unknown_source and make no port; empty datagrams of friends are runts and make none either") {
  Peers peers;
  Vm& vm = peers.rig.add_stream();
  peers.rig.world()->vm_send(peers.endpoint, frame(broadcast, mac(1)), "/stranger");
  peers.rig.world()->vm_send(peers.endpoint, "", "/friend1");
  peers.rig.world()->vm_send(peers.endpoint, "short", "/friend1");
  REQUIRE(peers.rig.run_until([&] { return peers.strangers->received_frames.get() == 3; }));
  CHECK(peers.stranger_drops(DropReason::unknown_source) == 1);
  CHECK(peers.stranger_drops(DropReason::runt) == 2);
  CHECK(peers.notices(Notice::Kind::peer_up) == 0);
  CHECK(vm.received().empty());
  CHECK(balances(*peers.strangers));
}

TEST_CASE("a silent peer expires, loses its stations, and is welcome again") {
  Peers peers;
  Vm& vm = peers.rig.add_stream();
  SimWorld& world = *peers.rig.world();
  world.vm_send(peers.endpoint, frame(broadcast, mac(1)), "/friend1");
  REQUIRE(peers.rig.run_until([&] { return peers.notices(Notice::Kind::peer_up) == 1; }));
  world.advance_to(world.now_ns() + limits::peer_idle_ns_max + 1'000'000'000);
  REQUIRE(peers.rig.run_until([&] { return peers.notices(Notice::Kind::peer_down) == 1; }));
  vm.send(frame(mac(1), mac(9)));
  REQUIRE(peers.rig.run_until([&] { return vm.counters().received_frames.get() == 1; }));
  CHECK(vm.counters().drops[static_cast<std::size_t>(DropReason::no_destination)].get() == 1);
  world.vm_send(peers.endpoint, frame(broadcast, mac(1)), "/friend1");
  REQUIRE(peers.rig.run_until([&] { return peers.notices(Notice::Kind::peer_up) == 2; }));
  CHECK(peers.rig.stop());
}

TEST_CASE("where somebody was turned away, a few peers silent for a while make room, and those that speak stay") {
  Peers peers;
  SimWorld& world = *peers.rig.world();
  const auto say = [&](const std::string& who) { world.vm_send(peers.endpoint, frame(broadcast, mac(1)), who); };
  for (std::size_t i = 0; i < limits::peers_per_transport_max; ++i) say("/friend" + std::to_string(i));
  REQUIRE(peers.rig.run_until(
      [&] { return peers.notices(Notice::Kind::peer_up) == static_cast<int>(limits::peers_per_transport_max); }));
  world.advance_to(world.now_ns() + limits::peer_idle_crowded_ns_max + 1'000'000'000);
  say("/friend0");
  peers.rig.turns(5);
  CHECK(peers.notices(Notice::Kind::peer_down) == 0);  // nobody needs their places
  say("/friend-late");
  REQUIRE(peers.rig.run_until([&] { return peers.stranger_drops(DropReason::unknown_source) == 1; }));
  world.advance_to(world.now_ns() + 1'000'000'000);
  REQUIRE(peers.rig.run_until([&] {
    return peers.notices(Notice::Kind::peer_down) == static_cast<int>(limits::peers_evicted_max);
  }));
  CHECK(peers.notices(Notice::Kind::crowded) == 1);
  peers.rig.clear_notices();
  say("/friend-late");
  say("/friend0");
  REQUIRE(peers.rig.run_until([&] { return peers.notices(Notice::Kind::peer_up) == 1; }));
  peers.rig.turns(5);
  CHECK(peers.notices(Notice::Kind::peer_up) == 1);
  CHECK(peers.rig.stop());
}

TEST_CASE("a storm of sources makes a bounded number of ports, and those there are go on") {
  Peers peers;
  Vm& vm = peers.rig.add_stream();
  const std::size_t storm = limits::peers_per_transport_max + 50;
  for (std::size_t i = 0; i < storm; ++i)
    peers.rig.world()->vm_send(peers.endpoint, frame(mac(500'000), mac(static_cast<unsigned>(i))),
                               "/friend" + std::to_string(i));
  REQUIRE(peers.rig.run_until([&] { return peers.stranger_drops(DropReason::unknown_source) == 50; }));
  CHECK(peers.notices(Notice::Kind::peer_up) == static_cast<int>(limits::peers_per_transport_max));
  peers.rig.world()->vm_send(peers.endpoint, frame(broadcast, mac(0), 99), "/friend0");
  REQUIRE(peers.rig.run_until([&] {
    const auto got = vm.received();
    return !got.empty() && got.back().size() == 99;
  }));
  CHECK(peers.rig.stop());
}

}  // namespace peers_test
