// Events that the real switchd sees by looking at its counters: ports that drop frames, MAC tables that are full.
#include <catch2/catch.hpp>
#include <atomic>
#include <map>

#include "frames/limits.h"
#include "tests/support/background.h"
#include "tests/support/controlled.h"
#include "tests/support/frames.h"
#include "tests/support/peer.h"

namespace process_events_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// Events as they come, to somebody who has nothing else to do.
class Followed {
 public:
  explicit Followed(const Controlled& lan) : client_(lan.path()) {
    (void)client_.send(Controlled::request(R"({"watch_events":{"follow":true}})"));
  }
  // The next of that kind; not the ones before it.
  [[nodiscard]] v1::Event await(const std::string& kind) {
    while (true) {
      while (taken_ < events_.events_size()) {
        const v1::Event& event = events_.events(taken_++);
        ++counts_[event.kind()];
        if (event.kind() == kind) return event;
      }
      events_ = client_.next().events();
      taken_ = 0;
    }
  }
  // Of that kind, up to the last that was awaited.
  [[nodiscard]] unsigned count(const std::string& kind) { return counts_[kind]; }

 private:
  ControlClient client_;
  v1::Events events_;
  std::map<std::string, unsigned> counts_;
  int taken_ = 0;
};

}  // namespace

TEST_CASE("a network whose MAC table is full is an event") {
  TempFolder paths;
  Controlled lan({"web=unix-listen:" + paths.path("web") + ",network=lan",
                  "db=unix-listen:" + paths.path("db") + ",network=back"});
  Followed events(lan);
  Peer other = Peer::unix_stream(paths.path("db"));
  other.send(frame(broadcast, mac(1)));
  Peer vm = Peer::unix_stream(paths.path("web"));
  lan.daemon.await_up("web.1");
  constexpr unsigned more = 1000;
  for (unsigned station = 0; station < limits::macs_default + more;) {
    std::string batch;
    for (unsigned end = station + 4096; station < end; ++station) batch += on_stream(frame(broadcast, mac(station)));
    vm.send_raw(batch);
  }
  const v1::Event full = events.await("table_full");
  CHECK(full.network() == "lan");
  CHECK(full.count() >= 1);
  CHECK(full.text().find(std::to_string(limits::macs_default)) != std::string::npos);
  const v1::Response listed = lan.ask(R"({"list_networks":{"name":"lan"}})");
  CHECK(listed.networks().networks(0).macs() == limits::macs_default);
  CHECK(listed.networks().networks(0).macs_max() == limits::macs_default);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a port that drops frames is an event when that begins and when it has ended") {
  Controlled lan({"web=tcp-listen:0", "db=tcp-listen:0,max-frame=100"});
  Followed events(lan);
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "db.1");
  a.send(frame(broadcast, mac(1), 101));
  a.send(frame(broadcast, mac(1), 102));
  const v1::Event began = events.await("drops_began");
  CHECK(began.port() == "db.1");
  CHECK(began.network() == "lan");
  CHECK(began.reason() == "mtu");
  const v1::Event ended = events.await("drops_ended");
  CHECK(ended.port() == "db.1");
  CHECK(ended.reason() == "mtu");
  CHECK(ended.count() == 2);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("frames that a multicast group gives back are no drops that begin, and every view counts them beside these") {
  const std::string group = "239.255.77.1:" + std::to_string(free_udp_port());
  Controlled lan({"group=mcast:" + group + ",interface=127.0.0.1", "web=tcp-listen:0,max-frame=100"});
  Followed events(lan);
  Peer vm = join(lan.daemon, "web.1");
  for (unsigned i = 0; i < 10; ++i) vm.send(frame(broadcast, mac(1), 60, i));
  const auto stats = lan.daemon.await_stats(
      "ten echoes", [](const auto& seen) { return seen.at("ports").at("group").at("echoed_frames") == 10; });
  CHECK(ledger_mistakes(stats).empty());
  const v1::Port port = lan.ask(R"({"list_ports":{"name":"group"}})").ports().ports(0);
  CHECK(port.counters().echoed_frames() == 10);
  CHECK(port.counters().received_frames() == 10);
  for (const auto& [reason, count] : port.counters().drops()) CHECK(count == 0);
  vm.send(frame(broadcast, mac(1), 101));
  CHECK(events.await("drops_began").reason() == "oversize");  // looked at after the group's
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a loop is named as one, once, instead of each move that it makes") {
  const std::string left = "127.0.0.1:" + std::to_string(free_udp_port());
  std::string right = left;
  while (right == left) right = "127.0.0.1:" + std::to_string(free_udp_port());
  Controlled lan({"web=tcp-listen:0", "left=udp:" + left + ",remote=" + right, "right=udp:" + right + ",remote=" + left});
  Followed events(lan);
  Peer vm = join(lan.daemon, "web.1");
  vm.send(frame(broadcast, mac(1)));  // and round it goes, both ways
  const v1::Event loop = events.await("loop_suspected");
  CHECK(loop.network() == "lan");
  CHECK(loop.text().find("52:54:00:00:00:01") != std::string::npos);
  CHECK(loop.text().find("likely a loop") != std::string::npos);
  const auto moves = [&] { return lan.ask(R"({"list_networks":{}})").networks().networks(0).moves(); };
  for (const Deadline deadline; moves() < 5000 && !deadline.passed();) vm.send(frame(broadcast, mac(2)));
  CHECK(lan.ask(R"({"remove_port":{"name":"left"}})").has_done());
  CHECK(events.await("port_removed").port() == "left");
  CHECK(events.count("loop_suspected") == 1);
  CHECK(events.count("mac_moved") < 20);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("drops of a peer that is tried again and again begin and end by turns, and are told as its connections are") {
  Listener listener;
  Controlled lan({"vm=tcp-connect:" + listener.address()});
  Followed events(lan);
  std::atomic<unsigned> greeted = 0;
  const Background greets([&] {
    ++greeted;
    Peer other = listener.accept();
    other.send_raw("SSH-2.0-OpenSSH_9.2\r\n");
    other.await_closed();
  });
  CHECK(events.await("drops_began").reason() == "bad_length");
  const v1::Event ended = events.await("drops_ended");
  CHECK(ended.reason() == "bad_length");
  CHECK(ended.count() == 1);
  CHECK(greeted > 3);  // meanwhile
  CHECK(events.count("drops_began") == 1);
  CHECK(events.count("port_up") == 1);
  CHECK(events.count("port_down") == 1);
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_events_test
