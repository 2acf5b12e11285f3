// Ports whose hosts are names: which of a name's addresses is taken, and what becomes of the port when the
// name stands for another one. The names are in a file that the tests write.
#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/own_network.h"
#include "tests/support/skip.h"
#include "tests/support/switchd_process.h"

namespace process_name_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A file of names for switchd, and how it is started to use that.
class Names {
 public:
  explicit Names(const std::string& hosts) : path_(folder_.path("hosts")) { are(hosts); }
  void are(const std::string& hosts) const { std::ofstream(path_) << hosts; }
  [[nodiscard]] SpawnOptions options() const {
    return {.in_child = [this] { OwnNetwork::have_hosts(path_.c_str()); }};
  }
  // Empty, or why they cannot be had.
  [[nodiscard]] std::string why_not() const {
    SwitchdProcess trial("auto", {"--check", "web=tcp-listen:7000"},
                         {.in_child = options().in_child, .await_ready = false});
    return trial.await_exit() == OwnNetwork::refused ? "this user may not have a file of names of its own"
                                                     : "";
  }

 private:
  TempFolder folder_;
  std::string path_;
};

#define WITH_NAMES(names) \
  if (const std::string why = (names).why_not(); !why.empty()) SKIP_TEST(why)

[[nodiscard]] std::string with_port(const std::string& host, std::uint16_t port) {
  return host + ":" + std::to_string(port);
}

// A frame each way between a VM and a station behind the UDP port at `address`.
void check_exchange(Peer& vm, Peer& station, const std::string& address) {
  station.towards(address).send(frame(broadcast, mac(1)));
  CHECK(vm.receive() == frame(broadcast, mac(1)));
  vm.send(frame(mac(1), mac(9)));
  CHECK(station.receive() == frame(mac(1), mac(9)));
}

}  // namespace

TEST_CASE("of a name's addresses a udp port takes the first of a family that fits") {
  if (!has_ipv6_loopback()) SKIP_TEST("this machine has no ::1");
  const Names names("::1 localhost both.test\n127.0.0.1 localhost both.test\n");
  WITH_NAMES(names);
  const std::string name = GENERATE("localhost", "both.test");
  struct Row {
    std::string local;
    std::string remote;
    std::string station;
  };
  const Row row = GENERATE_REF(values<Row>({{"127.0.0.1", name, "127.0.0.1"},
                                            {"[::1]", name, "[::1]"},
                                            {name, "127.0.0.1", "127.0.0.1"},
                                            {name, "[::1]", "[::1]"},
                                            {name, name, "[::1]"},
                                            {"0.0.0.0", name, "127.0.0.1"},
                                            {"", name, "[::1]"}}));
  INFO("local " << row.local << ", remote " << row.remote);
  Peer station = Peer::udp(row.station + ":0");
  const std::uint16_t port = socket_address(station.local()).port();
  const std::string local = row.local.empty() ? "0" : row.local + ":0";
  SwitchdProcess daemon(
      "auto", {"web=tcp-listen:127.0.0.1:0", "u=udp:" + local + ",remote=" + with_port(row.remote, port)},
      names.options());
  Peer vm = join(daemon, "web.1");
  daemon.await_stats("the port is up",
                     [](const auto& stats) { return stats["ports"]["u"]["state"] == "up"; });
  const std::string address = daemon.stats()["ports"]["u"]["address"];
  check_exchange(vm, station,
                 row.local == "0.0.0.0" ? with_port("127.0.0.1", socket_address(address).port()) : address);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a udp port for many binds the address of its name that those whom it allows can reach") {
  if (!has_ipv6_loopback()) SKIP_TEST("this machine has no ::1");
  const Names names("::1 localhost\n127.0.0.1 localhost\n");
  WITH_NAMES(names);
  const bool v6 = GENERATE(false, true);
  SwitchdProcess daemon(
      "auto",
      {"web=tcp-listen:127.0.0.1:0", std::string("u=udp:localhost:0,allow=") + (v6 ? "::1" : "127.0.0.1")},
      names.options());
  Peer vm = join(daemon, "web.1");
  Peer station = Peer::udp(v6 ? "[::1]:0" : "127.0.0.1:0");
  check_exchange(vm, station, daemon.address("u"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a listener whose name has an address that this host has not binds the others") {
  const Names names("2001:db8::7 some.test\n192.0.2.7 some.test\n127.0.0.1 some.test\n");
  WITH_NAMES(names);
  SwitchdProcess daemon("auto", {"web=tcp-listen:some.test:0"}, names.options());
  CHECK(daemon.address("web").starts_with("127.0.0.1:"));
  (void)join(daemon, "web.1");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a remote's name is looked up again when nobody is there any more, and the port stays up") {
  ON_EVERY_REAL_ENGINE;
  const Names names("127.0.0.5 vm.test\n");
  WITH_NAMES(names);
  Peer before = Peer::udp("127.0.0.5:0");
  const std::uint16_t port = socket_address(before.local()).port();
  Peer after = Peer::udp(with_port("127.0.0.6", port));
  SwitchdProcess daemon(
      engine, {"web=tcp-listen:127.0.0.1:0", "u=udp:127.0.0.1:0,remote=" + with_port("vm.test", port)},
      names.options());
  Peer vm = join(daemon, "web.1");
  (void)daemon.await_up("u");
  const std::string address = daemon.stats()["ports"]["u"]["address"];
  check_exchange(vm, before, address);
  before.close();
  names.are("127.0.0.6 vm.test\n");
  vm.send(frame(broadcast, mac(9), 60, 7));  // is answered by an ICMP error
  daemon.await_log("peer_moved: port u: " + with_port("vm.test", port) + " is " +
                   with_port("127.0.0.6", port) + " now, and was " + with_port("127.0.0.5", port));
  check_exchange(vm, after, address);
  CHECK(daemon.stats()["ports"]["u"]["address"] == address);
  CHECK_FALSE(daemon.has_printed("port u down"));
  CHECK(ledger_mistakes(daemon.stats()) == "");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a remote's name is looked up again when it is silent, and what still stands is kept") {
  const Names names("127.0.0.5 vm.test\n");
  WITH_NAMES(names);
  Peer before = Peer::udp("127.0.0.5:0");  // stays, and says nothing
  const std::uint16_t port = socket_address(before.local()).port();
  SwitchdProcess daemon(
      "auto", {"web=tcp-listen:127.0.0.1:0", "u=udp:127.0.0.1:0,remote=" + with_port("vm.test", port)},
      names.options());
  Peer vm = join(daemon, "web.1");
  (void)daemon.await_up("u");
  const std::string address = daemon.stats()["ports"]["u"]["address"];
  Peer after = Peer::udp(with_port("127.0.0.6", port));
  names.are("127.0.0.7 vm.test\n127.0.0.6 vm.test\n127.0.0.5 vm.test\n");
  check_exchange(vm, before, address);
  names.are("");  // what cannot be looked up now was right before
  check_exchange(vm, before, address);
  names.are("127.0.0.6 vm.test\n");
  daemon.await_log("peer_moved: ");
  check_exchange(vm, after, address);
  CHECK_FALSE(daemon.has_printed("port u down"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a remote's name that gets an address of the other family takes the port there") {
  if (!has_ipv6_loopback()) SKIP_TEST("this machine has no ::1");
  ON_EVERY_REAL_ENGINE;
  const Names names("127.0.0.1 vm.test\n");
  WITH_NAMES(names);
  Peer before = Peer::udp("127.0.0.1:0");
  const std::uint16_t port = socket_address(before.local()).port();
  SwitchdProcess daemon(engine,
                        {"web=tcp-listen:127.0.0.1:0", "u=udp:0,remote=" + with_port("vm.test", port)},
                        names.options());
  Peer vm = join(daemon, "web.1");
  CHECK(daemon.await_up("u").starts_with("port u up udp:127.0.0.1:"));
  before.close();
  Peer after = Peer::udp(with_port("[::1]", port));
  names.are("::1 vm.test\n");
  vm.send(frame(broadcast, mac(9)));
  CHECK(daemon.await_down("u") == "port u down it moves to another address");
  CHECK(daemon.await_up("u").starts_with("port u up udp:[::1]:"));
  check_exchange(vm, after, daemon.stats()["ports"]["u"]["address"]);
  CHECK(daemon.stop() == 0);
}

}  // namespace process_name_test
