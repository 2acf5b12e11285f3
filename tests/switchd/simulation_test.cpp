// Whole runs on the simulated engine: many seeds, every fault, the same ledger. A failure prints its seed.
#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "tests/support/rig.h"

namespace simulation_test {

using namespace lanyard;
using namespace lanyard::test;

TEST_CASE("under every fault the ledger balances, no frame is made up, and every buffer comes back") {
  const auto seed = GENERATE(range(1U, 61U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  Rig rig({.engine = "sim",
           .seed = seed,
           .faults = {.short_read = 0.5,
                      .short_write = 0.4,
                      .no_buffers = seed % 3 == 0 ? 0.1 : 0,
                      .loss = seed % 4 == 0 ? 0.1 : 0,
                      .delay_ns_max = seed % 2 == 0 ? 5'000'000U : 0U,
                      .mtu_bytes = seed % 5 == 0 ? 1472U : 65507U}});
  std::vector<Vm*> vms;
  for (int i = 0; i < 6; ++i) vms.push_back(&rig.add({.wire = i % 2 == 0 ? Wire::stream : Wire::datagram}));
  std::map<std::string, int> sent;
  for (unsigned i = 0; i < 600; ++i) {
    const std::size_t from = random() % vms.size();
    const std::string to = random() % 5 == 0 ? broadcast : mac(static_cast<unsigned>(1 + random() % vms.size()));
    const std::string one = frame(to, mac(static_cast<unsigned>(from + 1)), 18 + random() % 3000, i);
    ++sent[one];
    vms[from]->send(one);
    if (random() % 8 == 0) rig.turns(1);
    Vm& some = *vms[random() % vms.size()];
    if (random() % 50 == 0) some.stop_reading();
    if (random() % 20 == 0) some.resume_reading();
    if (i == 300) vms[0]->close();
  }
  for (Vm* vm : vms) vm->resume_reading();
  rig.turns(400);
  for (Vm* vm : vms)
    for (const std::string& got : vm->received()) REQUIRE(sent.contains(got));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
  CHECK(rig.ledger_balances());
}

TEST_CASE("what is delivered does not depend on how a trace is cut into batches") {
  const auto seed = GENERATE(range(1U, 16U));
  INFO("trace seed " << seed);
  // One sender, so that the order of learning is the trace's own; the cuts differ by the simulation's seed.
  std::mt19937 random(seed);
  std::vector<std::string> trace;
  for (unsigned i = 0; i < 300; ++i)
    trace.push_back(frame(random() % 4 == 0 ? broadcast : mac(1 + static_cast<unsigned>(random() % 4)),
                          mac(10 + static_cast<unsigned>(random() % 3)), 18 + random() % 1500, i));
  const auto deliver = [&](std::uint64_t cut_seed, double short_read) {
    Rig rig({.engine = "sim", .seed = cut_seed, .faults = {.short_read = short_read, .short_write = short_read}});
    Vm& sender = rig.add_stream();
    std::vector<Vm*> others{&rig.add_stream(), &rig.add_datagram(), &rig.add_stream()};
    for (unsigned i = 0; i < others.size(); ++i) {
      others[i]->send(frame(broadcast, mac(i + 1)));
      REQUIRE(rig.run_until([&] { return others[i]->counters().flooded.get() == 1; }));
    }
    for (const std::string& one : trace) sender.send(one);
    REQUIRE(rig.run_until([&] { return sender.counters().received_frames.get() == trace.size(); }));
    rig.turns(200);
    CHECK(rig.ledger_balances());
    std::vector<std::vector<std::string>> outcome;
    for (Vm* vm : others) {
      outcome.push_back(vm->received());
      CHECK(vm->counters().queued_frames.get() == 0);
    }
    return outcome;
  };
  const auto whole = deliver(1, 0);
  CHECK(deliver(2, 1.0) == whole);
  CHECK(deliver(3, 0.5) == whole);
}

TEST_CASE("a run that the route refuses as one UDP_SEGMENT message goes frame by frame, and the size is remembered") {
  Rig rig({.engine = "sim", .faults = {.short_read = 0, .mtu_bytes = 1472}});
  Vm& a = rig.add_stream();
  auto port = std::make_unique<Port>(Wire::datagram, 0, limits::udp_payload_bytes_max, 1000, rig.plane().chunks());
  port->gso_bytes_max = limits::udp_payload_bytes_max;
  port->peer = SocketAddress::unix_path("/far");
  Port& udp = *port;
  Fd name = rig.world()->make_endpoint(Wire::datagram);
  const int endpoint = name.get();
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(name));
  transport->sources = Sources::one_peer;
  port->transport = transport.get();
  transport->ports.push_back(std::move(port));
  rig.attach(std::move(transport));
  std::string burst;
  for (unsigned i = 0; i < 20; ++i) burst += on_stream(frame(broadcast, mac(1), 1514, i));
  a.send_raw(burst);
  REQUIRE(rig.run_until([&] { return rig.world()->at(endpoint).datagrams_to_vm.size() == 20; }));
  CHECK(udp.gso_bytes_max == 1513);
  CHECK(udp.counters->dropped(DropSide::egress) == 0);
  CHECK(rig.stop());
}

}  // namespace simulation_test
