// Ports whose interfaces, addresses or routes go and come back while switchd runs: in a network of the test's
// own.
#include <catch2/catch.hpp>

#include "tests/support/network_of_test.h"
#include "tests/support/switchd_process.h"

namespace process_link_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

void make_link(const std::string& name, const std::string& address, const std::string& index = "") {
  NetworkOfTest::ip("link add " + name + index + " type veth peer name " + name + "far");
  NetworkOfTest::ip("addr add " + address + "/24 dev " + name);
  for (const std::string& end : {name, name + "far"}) NetworkOfTest::ip("link set " + end + " up");
}

// What is sent to the group by the switch, by a member at `address`, and by the switch again: each hears the
// other, and none itself.
void check_group(Peer& vm, const std::string& group, const std::string& address) {
  static unsigned number = 0;
  Peer member = Peer::group_member(group, address);
  const std::string from_vm = frame(broadcast, mac(9), 60, ++number);
  const std::string from_member = frame(broadcast, mac(1), 60, ++number);
  vm.send(from_vm);
  (void)member.receive_until(from_vm);
  CHECK(to_string(member.source()).starts_with(address + ":"));
  member.send(from_member);
  CHECK(vm.receive() == from_member);  // and not its own before it
}

struct Lab {
  explicit Lab(const std::string& engine, const std::string& interface)
      : group("239.1.1.1:" + std::to_string(free_udp_port())),
        daemon(engine, {"web=tcp-listen:127.0.0.1:0", "lab=mcast:" + group + interface}),
        vm(join(daemon, "web.1")) {}
  [[nodiscard]] std::string state() { return daemon.stats()["ports"]["lab"]["state"]; }
  std::string group;
  SwitchdProcess daemon;
  Peer vm;
};

}  // namespace

TEST_CASE("a multicast port is down while its interface is gone, and joins again when it is back") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  const std::string interface = GENERATE(",interface=here", ",interface=10.7.0.1", "");
  INFO("mcast" << interface);
  const auto make = [&](const std::string& index) {
    make_link("here", "10.7.0.1", index);
    if (interface.empty()) NetworkOfTest::ip("route add 224.0.0.0/4 dev here");
  };
  make("");
  Lab lab(engine, interface);
  check_group(lab.vm, lab.group, "10.7.0.1");
  NetworkOfTest::ip("link del here");
  (void)lab.daemon.await_down("lab");
  CHECK(lab.state() == "down");
  make("");
  (void)lab.daemon.await_up("lab");
  CHECK(lab.state() == "up");
  check_group(lab.vm, lab.group, "10.7.0.1");
  NetworkOfTest::ip("link set here down");
  (void)lab.daemon.await_down("lab");
  NetworkOfTest::ip("link set here up");
  if (interface.empty()) NetworkOfTest::ip("route add 224.0.0.0/4 dev here");
  (void)lab.daemon.await_up("lab");
  check_group(lab.vm, lab.group, "10.7.0.1");
  CHECK(ledger_mistakes(lab.daemon.stats()) == "");
  CHECK(lab.daemon.stop() == 0);
  NetworkOfTest::ip("link del here");
}

TEST_CASE("an interface that is made again at once, even with its old number, is joined again") {
  IN_A_NETWORK_OF_ITS_OWN;
  const std::string index = GENERATE("", " index 4242");
  make_link("here", "10.7.0.1", index);
  Lab lab("auto", ",interface=here");
  check_group(lab.vm, lab.group, "10.7.0.1");
  NetworkOfTest::ip("link del here");
  make_link("here", "10.7.0.1", index);
  (void)lab.daemon.await_down("lab");
  (void)lab.daemon.await_up("lab");
  check_group(lab.vm, lab.group, "10.7.0.1");
  CHECK(lab.daemon.stop() == 0);
  NetworkOfTest::ip("link del here");
}

TEST_CASE("a multicast port follows the address of its interface, and still knows its own echo") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  make_link("here", "10.7.0.1");
  Lab lab(engine, ",interface=here");
  check_group(lab.vm, lab.group, "10.7.0.1");
  NetworkOfTest::ip("addr del 10.7.0.1/24 dev here");
  NetworkOfTest::ip("addr add 10.8.0.2/24 dev here");
  (void)lab.daemon.await_up("lab");
  check_group(lab.vm, lab.group, "10.8.0.2");
  CHECK(lab.daemon.stop() == 0);
  NetworkOfTest::ip("link del here");
}

TEST_CASE("a group without interface= follows the route to it; what does not concern it is not felt") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  make_link("one", "10.7.0.1");
  make_link("two", "10.8.0.1");
  NetworkOfTest::ip("route add default via 10.7.0.9 dev one");
  Lab lab(engine, "");
  check_group(lab.vm, lab.group, "10.7.0.1");
  make_link("other", "10.9.0.1");
  NetworkOfTest::ip("link del other");
  check_group(lab.vm, lab.group, "10.7.0.1");
  CHECK_FALSE(lab.daemon.has_printed("port lab down"));
  NetworkOfTest::ip("route replace default via 10.8.0.9 dev two");
  (void)lab.daemon.await_down("lab");
  (void)lab.daemon.await_up("lab");
  check_group(lab.vm, lab.group, "10.8.0.1");
  CHECK(lab.daemon.stop() == 0);
  for (const char* link : {"one", "two"}) NetworkOfTest::ip(std::string("link del ") + link);
}

TEST_CASE("a udp port without a host of its own follows the route to its remote") {
  IN_A_NETWORK_OF_ITS_OWN;
  ON_EVERY_REAL_ENGINE;
  make_link("here", "10.7.0.1");
  SwitchdProcess daemon(engine, {"web=tcp-listen:127.0.0.1:0", "u=udp:0,remote=10.7.0.9:7000"});
  CHECK(daemon.address("u").starts_with("10.7.0.1:"));
  NetworkOfTest::ip("addr del 10.7.0.1/24 dev here");
  NetworkOfTest::ip("addr add 10.7.0.2/24 dev here");
  (void)daemon.await_down("u");
  CHECK(daemon.await_up("u").starts_with("port u up udp:10.7.0.2:"));
  CHECK(daemon.stop() == 0);
  NetworkOfTest::ip("link del here");
}

TEST_CASE("ports on a link-local address are open again when its interface was made again") {
  IN_A_NETWORK_OF_ITS_OWN;
  const auto make = [] {
    make_link("here", "10.7.0.1");
    if (!NetworkOfTest::enable_ipv6("here")) return false;
    NetworkOfTest::ip("-6 addr add fe80::1/64 dev here nodad");
    return true;
  };
  if (!make()) SKIP_TEST("this kernel has no IPv6");
  const std::string port =
      GENERATE("p=tcp-listen:[fe80::1%here]:7000", "p=udp:[fe80::1%here]:7000,allow=fe80::/10",
               "p=udp:[fe80::1%here]:7000,remote=[fe80::2%here]:7000");
  SwitchdProcess daemon("auto", {port});
  NetworkOfTest::ip("link del here");
  (void)daemon.await_down("p");
  CHECK(daemon.stats()["ports"]["p"]["state"] == "down");
  REQUIRE(make());
  CHECK(daemon.await_up("p").ends_with(":[fe80::1%here]:7000"));
  CHECK(daemon.stop() == 0);
  NetworkOfTest::ip("link del here");
}

}  // namespace process_link_test
