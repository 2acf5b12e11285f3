// The hazards of QEMU's stream wires, each met by the real switchd: lengths that mean the end, listeners that block
// and serve one peer, closes that wedge a guest, VMs that are paused.
#include <signal.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

#include "tests/support/deadline.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"

namespace hazard_stream_test {

using namespace lanyard::test;

namespace {

// Has a VM known to the switch: it speaks to everybody once, and `others` hear it.
void introduce(Peer& vm, unsigned station, std::vector<Peer*> others) {
  const std::string hello = frame(broadcast, mac(station), 60, 1000 + station);
  vm.send(hello);
  for (Peer* other : others) other->receive_until(hello);
}

// From `a` (station 1) to `b` (station 2) and back.
void round_trip(Peer& a, Peer& b, unsigned tag) {
  const std::string there = frame(mac(2), mac(1), 98, tag);
  const std::string back = frame(mac(1), mac(2), 98, tag);
  a.send(there);
  b.receive_until(there);
  b.send(back);
  a.receive_until(back);
}

[[nodiscard]] long median_us(std::vector<long> times) {
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

// `count` round trips; `between` is done before each.
template <class Between>
[[nodiscard]] long round_trips_us(Peer& a, Peer& b, unsigned count, const Between& between) {
  std::vector<long> times;
  for (unsigned i = 0; i < count; ++i) {
    between();
    const auto start = std::chrono::steady_clock::now();
    round_trip(a, b, i);
    times.push_back(static_cast<long>(
        std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start).count()));
  }
  return median_us(std::move(times));
}

// Frames of station 9 to `station`, as a stream carries them.
[[nodiscard]] std::string burst_to(unsigned station, unsigned frames) {
  std::string bytes;
  for (unsigned i = 0; i < frames; ++i) bytes += on_stream(frame(mac(station), mac(9), 1514, i));
  return bytes;
}

}  // namespace

TEST_CASE("on a stream length 0 closes the connection, 1 to 13 are skipped, and nothing short is ever sent") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  std::string runts;
  for (std::size_t bytes = 1; bytes <= 13; ++bytes) runts += on_stream(std::string(bytes, '\xff'));
  const std::string shortest = frame(broadcast, mac(1), 14);
  a.send_raw(runts + on_stream(shortest));
  CHECK(b.receive() == shortest);  // a Peer throws when a runt comes
  CHECK(daemon.await_drops("web.1", "runt", 13)["ports"]["web.1"]["drops"]["runt"] == 13);
  a.send_raw(on_stream(""));
  a.await_closed();
  CHECK(daemon.await_down("web.1").find("bad length") != std::string::npos);
  CHECK_FALSE(b.receive_now());
  CHECK(b.is_open());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the longest frame passes, and one byte more closes only the connection that announced it") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  const std::string longest = frame(broadcast, mac(1), 69632, 3);
  a.send(longest);
  CHECK(b.receive() == longest);
  a.send(frame(broadcast, mac(1), 69633, 4));
  a.await_closed();
  daemon.await_down("web.1");
  CHECK_FALSE(b.receive_now());
  CHECK(b.is_open());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a VM that listens is drained without fail while another port is stopped") {
  ON_EVERY_REAL_ENGINE;
  Listener qemu;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0", "vm=tcp-connect:" + qemu.address()});
  Peer vm = qemu.accept();
  daemon.await_up("vm");
  Peer stopped = Peer::small_tcp(daemon.address("web"));
  daemon.await_up("web.1");
  introduce(stopped, 3, {&vm});
  const std::string burst = burst_to(3, 256);
  for (int i = 0; i < 60; ++i) vm.send_raw(burst);  // 23 MB; throws when the switch stops reading
  const auto stats = daemon.await_drops("web.1", "egress_full");
  CHECK(stats["ports"]["vm"]["drops"]["egress_full"] == 0);
  CHECK_FALSE(qemu.someone_waits());  // a second connection would not be served
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a VM that listens is connected to again when it went away, with back-off") {
  ON_EVERY_REAL_ENGINE;
  Listener qemu;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0", "vm=tcp-connect:" + qemu.address()});
  Peer other = join(daemon, "web.1");
  for (unsigned life = 0; life < 3; ++life) {
    Peer vm = qemu.accept();
    daemon.await_up("vm");
    introduce(vm, life + 1, {&other});
    introduce(other, 9, {&vm});
    vm.close();
    CHECK(daemon.await_down("vm").find("closed by peer") != std::string::npos);
  }
  CHECK(other.is_open());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("one tcp-listen serves many VMs") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  std::vector<Peer> vms;
  for (unsigned i = 0; i < 40; ++i) {
    vms.push_back(Peer::tcp(daemon.address("web")));
    daemon.await_up("web." + std::to_string(i + 1));
  }
  for (unsigned i = 0; i < vms.size(); ++i) {
    const std::string hello = frame(broadcast, mac(i + 1), 60, i);
    vms[i].send(hello);
    for (Peer& other : vms)
      if (&other != &vms[i]) CHECK(other.receive() == hello);
  }
  CHECK(ledger_mistakes(daemon.stats()).empty());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("before it closes at SIGTERM everything that VMs had sent is read and forwarded") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0", "loc=unix-listen:" + folder.path("s")});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  Peer c = Peer::unix_stream(folder.path("s"));
  daemon.await_up("loc.1");
  introduce(b, 2, {&a, &c});
  introduce(a, 1, {&b, &c});
  introduce(c, 3, {&a, &b});
  // While the daemon stands still the kernel takes what is sent; the signal is there before it goes on.
  daemon.suspend();
  const std::string last_of_a = frame(mac(2), mac(1), 1514, 7777);
  const std::string last_of_c = frame(mac(2), mac(3), 1514, 7778);
  for (unsigned i = 0; i < 300; ++i) a.send(frame(mac(2), mac(1), 1514, i));
  a.send(last_of_a);
  for (unsigned i = 0; i < 50; ++i) c.send(frame(mac(2), mac(3), 1514, i));
  c.send(last_of_c);
  daemon.signal(SIGTERM);
  daemon.resume();
  unsigned received = 0;
  for (bool end_a = false, end_c = false; !end_a || !end_c; ++received) {
    const std::string got = b.receive();
    end_a |= got == last_of_a;
    end_c |= got == last_of_c;
  }
  CHECK(received == 300 + 50 + 2);
  CHECK(daemon.await_exit() == 0);
}

TEST_CASE("a new connection that begins with the tail of an old frame is closed, and only it") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer b = join(daemon, "web.1");
  Peer a = join(daemon, "web.2");
  const std::string cut = on_stream(frame(mac(2), mac(1), 1514));
  a.send_raw(cut.substr(0, 700));
  a.close();
  daemon.await_down("web.2");
  Peer again = join(daemon, "web.2");
  again.send_raw(cut.substr(700));
  again.await_closed();
  CHECK(daemon.await_down("web.2").find("bad length") != std::string::npos);
  CHECK_FALSE(b.receive_now());
  Peer fresh = join(daemon, "web.2");
  introduce(fresh, 1, {&b});
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a VM keeps its connection, and with it its carrier, when another goes; the line says which") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  introduce(b, 2, {&a});
  b.close();
  CHECK(daemon.await_down("web.2") == "port web.2 down closed by peer");
  a.send(frame(mac(2), mac(1)));  // to somebody who has gone: not an error
  daemon.await_drops("web.1", "no_destination");
  CHECK(a.is_open());
  Peer c = join(daemon, "web.2");
  introduce(a, 1, {&c});
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a paused VM under full load loses its own frames only, and works when it goes on") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0", "slow=tcp-listen:0", "loud=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  Peer paused = Peer::small_tcp(daemon.address("slow"));
  daemon.await_up("slow.1");
  Peer loud = join(daemon, "loud.1");
  introduce(a, 1, {&b, &paused, &loud});
  introduce(b, 2, {&a, &paused, &loud});
  introduce(paused, 3, {&a, &b, &loud});
  introduce(loud, 9, {&a, &b, &paused});
  const long before_us = round_trips_us(a, b, 200, [] {});
  const std::string burst = burst_to(3, 64);
  std::size_t cut = 0;  // where the burst being sent was interrupted
  const auto load = [&] {
    for (int i = 0; i < 4; ++i) cut = (cut + loud.send_some(burst.substr(cut))) % burst.size();
  };
  const long during_us = round_trips_us(a, b, 200, load);
  for (int i = 0; i < 40; ++i) loud.send_raw(burst.substr(std::exchange(cut, 0)));
  WARN("median round trip on " << engine << ": " << before_us << " us before, " << during_us << " us during");

  const auto stats = daemon.await_drops("slow.1", "egress_full")["ports"];
  for (const auto& [name, port] : stats.items()) {
    if (!port.contains("drops") || name == "slow.1") continue;
    for (const auto& [reason, count] : port["drops"].items()) {
      INFO(name << " " << reason);
      CHECK(count == 0);
    }
  }
  CHECK_FALSE(daemon.has_printed("port slow.1 down"));
  const std::string fresh = frame(mac(3), mac(1), 60, 4242);
  daemon.await_stats("everything read", [&](const auto& now) {
    while (paused.receive_now()) {
    }
    return now["ports"]["slow.1"]["queued_frames"] == 0;
  });
  a.send(fresh);
  paused.receive_until(fresh);
  CHECK(ledger_mistakes(daemon.stats()).empty());
  CHECK(daemon.stop() == 0);
}

}  // namespace hazard_stream_test
