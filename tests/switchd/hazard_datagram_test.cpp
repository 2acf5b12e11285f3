// The hazards of QEMU's datagram wires, each met by the real switchd: empty datagrams, senders without a check,
// multicast groups that echo, UNIX sockets with short queues, peers that are not there.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <vector>

#include "tests/support/deadline.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"

namespace hazard_datagram_test {

using namespace lanyard::test;

namespace {

const std::string loopback = "127.0.0.1";

[[nodiscard]] std::string udp_port(const std::string& name, const Peer& vm) {
  return name + "=udp:127.0.0.1:0,remote=" + vm.local();
}

[[nodiscard]] std::uint64_t drops(const nlohmann::json& stats, const std::string& port, const std::string& reason) {
  return stats.at("ports").at(port).at("drops").at(reason).get<std::uint64_t>();
}

[[nodiscard]] nlohmann::json await_echoes(SwitchdProcess& daemon, unsigned count) {
  return daemon.await_stats("echoes of the group", [&](const auto& stats) {
    return stats.at("ports").at("group").at("echoed_frames") == count;
  });
}

// Of the group, for whatever reason.
[[nodiscard]] std::uint64_t drops_of(const nlohmann::json& stats) {
  std::uint64_t sum = 0;
  for (const auto& count : stats.at("ports").at("group").at("drops")) sum += count.template get<std::uint64_t>();
  return sum;
}

// A group of 239.255.0.0/16 that no other test of this machine is likely to use now, with a port of its own.
[[nodiscard]] std::string new_group() {
  const auto pid = static_cast<unsigned>(::getpid());
  return "239.255." + std::to_string(pid / 251 % 251) + "." + std::to_string(pid % 251 + 1) + ":" +
         std::to_string(free_udp_port());
}

}  // namespace

TEST_CASE("an empty UDP datagram is relayed to nobody, and nothing shorter than a frame is") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  Peer bad = Peer::udp();
  Peer udp = Peer::udp();
  Peer many = Peer::udp();
  Peer local = Peer::unix_datagram(folder.path("vm"), folder.path("switch"));
  SwitchdProcess daemon(engine, {udp_port("bad", bad), udp_port("udp", udp), "many=udp:127.0.0.1:0,allow=127.0.0.0/8",
                                 "local=unix-dgram:" + folder.path("switch") + ",remote=" + folder.path("vm"),
                                 "web=tcp-listen:0"});
  Peer stream = join(daemon, "web.1");
  bad.towards(daemon.address("bad"));
  many.towards(daemon.address("many"));
  many.send_raw("");  // does not even make a port
  many.send(frame(broadcast, mac(5)));
  daemon.await_up("many.1");
  std::vector<Peer*> others{&udp, &local, &stream};
  for (Peer* other : others) CHECK(other->receive() == frame(broadcast, mac(5)));
  others.push_back(&many);
  for (std::size_t bytes = 0; bytes <= 13; ++bytes) bad.send_raw(std::string(bytes, '\xff'));
  const std::string good = frame(broadcast, mac(1), 14);
  bad.send(good);
  for (Peer* other : others) CHECK(other->receive() == good);  // the first thing that came
  CHECK(drops(daemon.await_drops("bad", "runt", 14), "bad", "runt") == 14);
  CHECK(drops(daemon.await_drops("many", "runt"), "many", "runt") == 1);
  CHECK(daemon.stop() == 0);
  for (Peer* other : others)
    if (other != &stream) CHECK_FALSE(other->receive_now());  // nothing at the end either
}

TEST_CASE("a UNIX datagram port is drained under a burst: its sender is never left waiting") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  Peer vm = Peer::unix_datagram(folder.path("vm"), folder.path("switch"));
  SwitchdProcess daemon(engine, {"local=unix-dgram:" + folder.path("switch") + ",remote=" + folder.path("vm"),
                                 "web=tcp-listen:0"});
  Peer stream = join(daemon, "web.1");
  for (unsigned i = 0; i < 5000; ++i) {
    vm.send(frame(broadcast, mac(1), 1514, i));  // throws when there is no room for long
    if (i % 500 == 499) stream.receive_until(frame(broadcast, mac(1), 1514, i));
  }
  CHECK(daemon.stats()["ports"]["local"]["received_frames"] == 5000);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a UNIX datagram peer that restarts at the same path is reached again and can send again") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  SwitchdProcess daemon(engine, {"local=unix-dgram:" + folder.path("switch") + ",remote=" + folder.path("vm"),
                                 "web=tcp-listen:0"});
  Peer stream = join(daemon, "web.1");
  stream.send(frame(broadcast, mac(2)));  // to a path where nobody is yet
  daemon.await_drops("local", "send_error");
  for (unsigned life = 0; life < 3; ++life) {
    Peer vm = Peer::unix_datagram(folder.path("vm"), folder.path("switch"));
    const std::string to_vm = frame(mac(1), mac(2), 100, life);
    const std::string from_vm = frame(broadcast, mac(1), 100, life);
    if (life % 2 == 0) {
      stream.send(to_vm);
      vm.receive_until(to_vm);
    }
    // Until the switch has connected again the kernel refuses its sends; QEMU drops such frames and goes on.
    const Deadline deadline;
    while (!vm.can_send(from_vm)) {
      REQUIRE_FALSE(deadline.passed());
      (void)daemon.stats();  // a moment
    }
    stream.receive_until(from_vm);
    vm.close();
  }
  CHECK_FALSE(daemon.has_printed("port local down"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a stopped UNIX datagram reader does not hold up the others, and works when it goes on") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  Peer stopped = Peer::unix_datagram(folder.path("vm"), folder.path("switch"));
  SwitchdProcess daemon(engine, {"local=unix-dgram:" + folder.path("switch") + ",remote=" + folder.path("vm"),
                                 "web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  for (unsigned i = 0; i < 4000; ++i) {
    a.send(frame(broadcast, mac(1), 1514, i));
    if (i % 100 == 99) b.receive_until(frame(broadcast, mac(1), 1514, i));
  }
  const auto stats = daemon.await_drops("local", "egress_full");
  CHECK(drops(stats, "web.2", "egress_full") == 0);
  CHECK(stats["ports"]["local"]["queued_frames"] > 0);
  CHECK(stopped.receive() == frame(broadcast, mac(1), 1514, 0));  // what was kept is in order, from the first
  daemon.await_stats("everything read", [&](const auto& now) {
    while (stopped.receive_now()) {
    }
    return now["ports"]["local"]["queued_frames"] == 0;
  });
  const std::string fresh = frame(broadcast, mac(1), 60, 4242);
  a.send(fresh);
  stopped.receive_until(fresh);
  CHECK(ledger_mistakes(daemon.stats()).empty());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a datagram from a stranger is counted and goes nowhere") {
  ON_EVERY_REAL_ENGINE;
  Peer known = Peer::udp();
  SwitchdProcess daemon(
      engine, {udp_port("one", known), "many=udp:127.0.0.1:0,allow=127.0.0.2/32", "web=tcp-listen:0"});
  Peer other = join(daemon, "web.1");
  Peer stranger = Peer::udp();
  for (unsigned i = 0; i < 5; ++i) stranger.towards(daemon.address("one")).send(frame(broadcast, mac(66), 60, i));
  for (unsigned i = 0; i < 7; ++i) stranger.towards(daemon.address("many")).send(frame(broadcast, mac(66), 60, i));
  CHECK(drops(daemon.await_drops("one", "unknown_source", 5), "one", "unknown_source") == 5);
  CHECK(drops(daemon.await_drops("many", "unknown_source", 7), "many", "unknown_source") == 7);
  known.towards(daemon.address("one")).send(frame(broadcast, mac(1)));
  CHECK(other.receive() == frame(broadcast, mac(1)));
  Peer allowed = Peer::udp("127.0.0.2:0");
  allowed.towards(daemon.address("many")).send(frame(broadcast, mac(2)));
  CHECK(daemon.await_up("many.1") == "port many.1 up udp:" + allowed.local());
  CHECK(other.receive() == frame(broadcast, mac(2)));
  const auto stats = daemon.stats();
  for (const auto& station : stats["networks"]["lan"]["macs"]) CHECK(station["mac"] != "52:54:00:00:00:42");
  CHECK_FALSE(stranger.receive_now());
  CHECK(ledger_mistakes(stats).empty());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("in a multicast group our own echo ends here and is no drop, and nothing of the group is sent back into it") {
  ON_EVERY_REAL_ENGINE;
  const std::string group = new_group();
  Peer one = Peer::group_member(group, loopback);
  Peer two = Peer::group_member(group, loopback);
  SwitchdProcess daemon(engine, {"group=mcast:" + group + ",interface=127.0.0.1", "web=tcp-listen:0"});
  Peer stream = join(daemon, "web.1");

  const std::string out = frame(broadcast, mac(1), 60, 1);
  stream.send(out);
  CHECK(one.receive() == out);
  CHECK(socket_address(group).port() != one.source().port());  // else its sender could not tell it from others'
  CHECK(two.receive() == out);
  CHECK(drops_of(await_echoes(daemon, 1)) == 0);

  const std::string in = frame(broadcast, mac(2), 60, 2);
  one.send(in);
  CHECK(one.receive() == in);  // members hear themselves
  CHECK(two.receive() == in);
  CHECK(stream.receive() == in);

  const std::string last = frame(broadcast, mac(1), 60, 3);
  stream.send(last);
  CHECK(one.receive() == last);  // nothing in between
  CHECK(two.receive() == last);
  const auto stats = await_echoes(daemon, 2);
  CHECK(stats["ports"]["group"]["sent_frames"] == 2);
  CHECK(drops_of(stats) == 0);
  CHECK(ledger_mistakes(stats).empty());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("two switches in one group exchange frames without a loop") {
  ON_EVERY_REAL_ENGINE;
  const std::string group = new_group();
  const std::vector<std::string> ports{"group=mcast:" + group + ",interface=127.0.0.1", "web=tcp-listen:0"};
  SwitchdProcess left(engine, ports);
  SwitchdProcess right(engine, ports);
  Peer a = Peer::tcp(left.address("web"));
  left.await_up("web.1");
  Peer b = Peer::tcp(right.address("web"));
  right.await_up("web.1");
  for (unsigned i = 0; i < 20; ++i) {
    a.send(frame(i == 0 ? broadcast : mac(2), mac(1), 60, i));
    CHECK(b.receive() == frame(i == 0 ? broadcast : mac(2), mac(1), 60, i));
    b.send(frame(mac(1), mac(2), 60, i));
    CHECK(a.receive() == frame(mac(1), mac(2), 60, i));
  }
  const auto at_left = await_echoes(left, 20)["ports"]["group"];
  const auto at_right = await_echoes(right, 20)["ports"]["group"];
  for (const auto& side : {at_left, at_right}) {
    CHECK(side["sent_frames"] == 20);
    CHECK(side["received_frames"] == 40);  // 20 of the other's, 20 echoes
    CHECK(side["echoed_frames"] == 20);
    CHECK(side["drops"]["echo"] == 0);
  }
  CHECK(left.stop() == 0);
  CHECK(right.stop() == 0);
}

TEST_CASE("a UDP peer that is not there yet is no error: its port works when it comes") {
  ON_EVERY_REAL_ENGINE;
  const std::string absent = "127.0.0.1:" + std::to_string(free_udp_port());
  SwitchdProcess daemon(engine, {"late=udp:127.0.0.1:0,remote=" + absent, "web=tcp-listen:0"});
  Peer stream = join(daemon, "web.1");
  for (unsigned i = 0; i < 50; ++i) stream.send(frame(broadcast, mac(1), 60, i));
  daemon.await_stats("50 copies on late", [](const auto& stats) {
    const auto& late = stats["ports"]["late"];
    return late["copies"] == 50 && late["queued_frames"] == 0;
  });
  CHECK_FALSE(daemon.has_printed("port late down"));
  Peer vm = Peer::udp(absent);
  vm.towards(daemon.address("late")).send(frame(broadcast, mac(2)));
  CHECK(stream.receive() == frame(broadcast, mac(2)));
  stream.send(frame(mac(2), mac(1), 60, 99));
  CHECK(vm.receive() == frame(mac(2), mac(1), 60, 99));
  CHECK(ledger_mistakes(daemon.stats()).empty());
  CHECK(daemon.stop() == 0);
}

}  // namespace hazard_datagram_test
