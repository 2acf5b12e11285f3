// What a port needs is not there yet when the switch starts, or goes while it runs: the port is down, and comes up when
// it is there.
#include <fstream>

#include "tests/support/controlled.h"
#include "tests/support/network_of_test.h"

namespace process_missing_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Missing {
  std::string port;
  std::string reason;     // a part of it
  const char* bring;      // ip(8), what makes it possible
  const char* state = "up";
};

const char* const d0 = "link add d0 type veth peer name d1 && ip addr add 10.9.0.1/24 dev d0 && ip link set d1 up && "
                       "ip link set d0 up";

std::vector<Missing> missing() {
  return {
      {"tcp-listen:10.9.0.1:0", "Cannot assign requested address", d0, "listening"},
      {"udp:10.9.0.1:0,remote=10.9.0.7:9", "Cannot assign requested address", d0},
      {"udp:7001,remote=10.9.0.7:9", "no route to 10.9.0.7", d0},
      {"udp:10.9.0.1:0,allow=10.0.0.0/8", "Cannot assign requested address", d0, "listening"},
      {"mcast:239.1.2.3:7002,interface=d0", "'d0'", d0},
      {"mcast:239.1.2.3:7002,interface=10.9.0.1", "239.1.2.3:7002", d0},
      {"mcast:239.1.2.3:7002", "no route to the group", "route add 239.0.0.0/8 dev lo"},
      {"nic:d0", "No such device", d0},
      {"nic:v0", "the interface is down", "link set v0 up"},
      {"nat,forward=tcp:10.9.0.1:7003:10.0.2.15:80", "10.9.0.1:7003", d0},
  };
}

}  // namespace

TEST_CASE("a port whose address or interface is not there yet is down at the start, and comes up when it is") {
  ON_EVERY_REAL_ENGINE;
  for (const Missing& one : missing()) {
    IN_A_NETWORK_OF_ITS_OWN;
    INFO(one.port);
    NetworkOfTest::ip("link add v0 type veth peer name v1");
    TempFolder folder;
    Controlled lan({"p=" + one.port, "vms=unix-listen:" + folder.path("s")}, engine);
    REQUIRE(lan.daemon.lines_before_ready().front().starts_with("port p " + one.port.substr(0, one.port.find(':'))
                                                                                .substr(0, one.port.find(','))));
    const v1::Port down = lan.port("p");
    CHECK(down.state() == "down");
    CHECK_THAT(down.reason(), Catch::Contains(one.reason));
    CHECK(lan.daemon.stats()["ports"]["p"]["reason"] == down.reason());
    lan.daemon.await_log("port p down: ");
    NetworkOfTest::ip(one.bring);
    CHECK(lan.daemon.await_up("p").starts_with("port p up "));
    const v1::Port up = lan.port("p");
    CHECK(up.state() == one.state);
    CHECK(up.reason().empty());
    CHECK(lan.daemon.stop() == 0);
  }
}

TEST_CASE("with --strict what is not there ends the start, as an address in use always does") {
  for (const Missing& one : missing()) {
    IN_A_NETWORK_OF_ITS_OWN;
    NetworkOfTest::ip("link add v0 type veth peer name v1");
    const Ended ended = run_switchd({"--control", "none", "--strict", "p=" + one.port});
    INFO(one.port << '\n' << ended.log);
    CHECK(ended.exit_code == 1);
    CHECK_THAT(ended.log, Catch::Contains("port p: ") && Catch::Contains(one.reason));
  }
}

TEST_CASE("HTTP waits for its address as a port does, and with --strict ends the start") {
  IN_A_NETWORK_OF_ITS_OWN;
  TempFolder folder;
  const std::string token = folder.path("token");
  std::ofstream(token) << "a-token-of-some-length\n";
  const Ended ended =
      run_switchd({"--control", "none", "--strict", "--http", "10.9.0.1:0", "--http-token", token});
  CHECK(ended.exit_code == 1);
  CHECK_THAT(ended.log, Catch::Contains("http: cannot listen on 10.9.0.1:0: "));
  Controlled lan({"--http", "10.9.0.1:0", "--http-token", token, "web=tcp-listen:127.0.0.1:0"});
  CHECK_FALSE(lan.daemon.has_printed("http "));
  lan.daemon.await_log("http: cannot listen on 10.9.0.1:0: ");
  NetworkOfTest::ip(d0);
  const std::string line = lan.daemon.await_line("http 10.9.0.1:");
  (void)Peer::tcp(line.substr(line.find(' ') + 1));  // somebody listens there
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("an ordinary user's TAP that root makes later comes up") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Controlled lan({"t=tap:lan0"}, "auto", {.in_child = [] { NetworkOfTest::drop_rights(); }});
  CHECK_THAT(lan.port("t").reason(), Catch::Contains("ip tuntap add lan0 mode tap user $USER"));
  NetworkOfTest::ip("tuntap add lan0 mode tap user 0");
  CHECK(lan.daemon.await_up("t") == "port t up tap:lan0");
  CHECK(lan.port("t").state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a port whose interface goes is down, and up again when that is there again") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  NetworkOfTest::add_cable("v0", "v1");
  NetworkOfTest::ip("tuntap add lan0 mode tap");
  Controlled lan({"t=tap:lan0", "n=nic:v0"}, engine);
  for (int i = 0; i < 2; ++i) {
    NetworkOfTest::ip("link del lan0");
    (void)lan.daemon.await_down("t");
    CHECK(lan.port("t").state() == "down");
    CHECK_FALSE(lan.port("t").reason().empty());
    NetworkOfTest::ip("link del v0");
    (void)lan.daemon.await_down("n");
    CHECK(lan.port("n").state() == "down");
    NetworkOfTest::ip("tuntap add lan0 mode tap");
    NetworkOfTest::add_cable("v0", "v1");
    CHECK(lan.daemon.await_up("t") == "port t up tap:lan0");
    CHECK(lan.daemon.await_up("n") == "port n up nic:v0");
  }
  CHECK(lan.port("t").state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a TAP that was made for the switch and deleted is not made again by it") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Controlled lan({"t=tap:lan0"});
  NetworkOfTest::ip("link del lan0");
  (void)lan.daemon.await_down("t");
  for (const Deadline deadline;
       lan.port("t").reason() != "cannot open TAP lan0: there is no such interface" && !deadline.passed();)
    continue;
  CHECK(lan.port("t").reason() == "cannot open TAP lan0: there is no such interface");  // it has been tried
  CHECK(lan.port("t").state() == "down");
  CHECK(lan.ask(R"({"disable_port":{"name":"t"}})").has_ports());
  CHECK(lan.ask(R"({"enable_port":{"name":"t"}})").ports().ports(0).state() == "up");  // but by whoever asks for it
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a TAP that is renamed goes on under its present name, and is opened again by the configured one") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Controlled lan({"t=tap:lan0", "web=tcp-listen:127.0.0.1:0"}, engine);
  Peer vm = join(lan.daemon, "web.1");
  NetworkOfTest::ip("link set lan0 name lan1");  // it is down: older kernels rename no other
  NetworkOfTest::ip("link set lan1 up");
  lan.daemon.await_log("port t: its TAP lan0 is called lan1 by now");
  CHECK(lan.port("t").state() == "up");
  CHECK(lan.port("t").address() == "lan1");
  const std::uint64_t sent = lan.port("t").counters().sent_frames();
  vm.send(frame(broadcast, mac(1)));
  for (const Deadline deadline; lan.port("t").counters().sent_frames() == sent && !deadline.passed();) continue;
  CHECK(lan.port("t").counters().sent_frames() > sent);
  CHECK_FALSE(lan.daemon.has_printed("port t down"));
  CHECK(lan.ask(R"({"disable_port":{"name":"t"}})").has_ports());
  CHECK(lan.ask(R"({"enable_port":{"name":"t"}})").ports().ports(0).address() == "lan0");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a nic port whose interface is renamed is down until there is one of its name") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("v0", "v1");
  Controlled lan({"n=nic:v0"}, engine);
  const auto rename = [](const std::string& from, const std::string& to) {
    try {
      NetworkOfTest::ip("link set " + from + " name " + to);  // while it is up: Linux 6.2
    } catch (const std::exception&) {
      NetworkOfTest::ip("link set " + from + " down");
      NetworkOfTest::ip("link set " + from + " name " + to);
      NetworkOfTest::ip("link set " + to + " up");
    }
  };
  rename("v0", "v9");
  (void)lan.daemon.await_down("n");
  CHECK(lan.port("n").state() == "down");
  rename("v1", "v0");  // another interface has the name by now
  CHECK(lan.daemon.await_up("n") == "port n up nic:v0");
  CHECK(lan.port("n").state() == "up");
  CHECK(lan.port("n").address() == "v0");
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_missing_test
