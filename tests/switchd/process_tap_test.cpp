// The real switchd with a TAP, and the host's own stack at its other end.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <sstream>

#include "frames/udp4_packet.h"
#include "frames/internet_checksum.h"
#include "tests/support/contains.h"
#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"
#include "tests/support/switchd_process.h"

namespace process_tap_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

const std::string vm_mac = mac(1);

[[nodiscard]] std::string be16(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}

[[nodiscard]] std::string checksum_of(const std::string& bytes) {
  return be16(checksum_finish(checksum_add(0, std::as_bytes(std::span(bytes)))));
}

[[nodiscard]] std::string ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c), static_cast<char>(d)};
}

// The host is 10.9.0.1 on its TAP, the VM 10.9.0.2.
const std::string host_address = ipv4(10, 9, 0, 1);
const std::string vm_address = ipv4(10, 9, 0, 2);

// RFC 826: who has the host's address?
[[nodiscard]] std::string arp_request() {
  return broadcast + vm_mac + std::string("\x08\x06\0\x01\x08\0\x06\x04\0\x01", 10) + vm_mac + vm_address +
         std::string(6, '\0') + host_address;
}

// RFC 792.
[[nodiscard]] std::string echo_request(const std::string& host_mac, std::size_t bytes) {
  std::string icmp = std::string("\x08\0\0\0\0\x07\0\x01", 8) + std::string(bytes, 'p');
  icmp.replace(2, 2, checksum_of(icmp));
  std::string header = std::string("\x45\0", 2) + be16(20 + icmp.size()) + std::string("\0\0\0\0\x40\x01\0\0", 8) +
                       vm_address + host_address;
  header.replace(10, 2, checksum_of(header));
  return host_mac + vm_mac + std::string("\x08\0", 2) + header + icmp;
}

// The next frame that begins so after the two addresses.
[[nodiscard]] std::string receive_of_type(Peer& vm, const std::string& type) {
  for (;;)
    if (std::string frame = vm.receive(); frame.substr(12, type.size()) == type) return frame;
}

// The VM asks for the host's MAC address.
[[nodiscard]] std::string find_host(Peer& vm) {
  vm.send(arp_request());
  const std::string reply = receive_of_type(vm, std::string("\x08\x06", 2));
  CHECK(reply.substr(0, 6) == vm_mac);
  CHECK(reply.substr(20, 2) == std::string("\0\x02", 2));
  CHECK(reply.substr(28, 4) == host_address);
  return reply.substr(6, 6);
}

void check_ping(Peer& vm, const std::string& host_mac, std::size_t bytes) {
  vm.send(echo_request(host_mac, bytes));
  const std::string reply = receive_of_type(vm, std::string("\x08\0\x45", 3));
  CHECK(reply.substr(14 + 12, 8) == host_address + vm_address);
  CHECK(reply.substr(14 + 20, 1) == std::string(1, '\0'));  // echo reply
  CHECK(reply.substr(14 + 28) == std::string(bytes, 'p'));
}

class Script {
 public:
  Script(const TempFolder& folder, const std::string& name, const std::string& body) : path_(folder.path(name)) {
    std::ofstream(path_) << "#!/bin/sh\nPATH=$PATH:/usr/sbin:/sbin\n" << body << "\n";
    REQUIRE(::chmod(path_.c_str(), 0755) == 0);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

[[nodiscard]] std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// What the kernel says of frames that were to leave by an interface, in the network of the test.
[[nodiscard]] std::uint64_t dropped_towards(const std::string& interface) {
  std::ifstream devices("/proc/thread-self/net/dev");
  for (std::string line; std::getline(devices, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name != interface + ":") continue;
    constexpr int tx_dropped = 12;  // the numbers before: eight of received ones; bytes, packets, errs of sent ones
    std::uint64_t number = 0;
    for (int i = 0; i < tx_dropped; ++i) words >> number;
    return number;
  }
  throw std::runtime_error("no interface " + interface);
}

const std::string bring_up = "ip addr add 10.9.0.1/24 dev $1 && ip link set $1 up";

}  // namespace

TEST_CASE("a TAP joins the host to the VMs: it answers ARP and ping, and what it sends arrives") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const Script up(folder, "up", bring_up);
  SwitchdProcess daemon(engine, {"t=tap:lan0,up=" + up.path(), "vms=unix-listen:" + folder.path("s")});
  CHECK(daemon.lines_before_ready().front() == "port t tap:lan0");
  Peer vm = Peer::unix_stream(folder.path("s"));
  daemon.await_up("vms.1");
  const std::string host_mac = find_host(vm);
  for (const std::size_t bytes : {0UL, 56UL, 1472UL})
    for (int i = 0; i < 20; ++i) check_ping(vm, host_mac, bytes);

  Peer host = Peer::udp("10.9.0.1:0");
  host.towards("10.9.0.2:9");
  for (unsigned i = 0; i < 200; ++i) host.send("number " + std::to_string(i));  // more than one turn reads
  for (unsigned i = 0; i < 200; ++i) {
    const std::string frame = receive_of_type(vm, std::string("\x08\0\x45", 3));
    const auto packet = parse_udp4(std::as_bytes(std::span(frame)));
    REQUIRE(packet);
    CHECK(std::string(reinterpret_cast<const char*>(packet->payload.data()), packet->payload.size()) ==
          "number " + std::to_string(i));
  }
  const auto stats = daemon.stats();
  CHECK(ledger_mistakes(stats).empty());
  CHECK(stats["ports"]["t"]["type"] == "tap");
  CHECK(stats["ports"]["t"]["sent_frames"] == 61);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("what a TAP's own queue has no room for is in its port's kernel_drops, frame for frame, from its opening on") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  NetworkOfTest::ip("tuntap add lan0 mode tap");  // which outlives the daemon, with what it has counted
  NetworkOfTest::ip("link set lan0 txqueuelen 10");
  NetworkOfTest::ip("addr add 10.9.0.1/24 dev lan0");
  NetworkOfTest::ip("link set lan0 up");
  NetworkOfTest::ip("neigh add 10.9.0.2 lladdr 52:54:00:00:00:01 dev lan0");
  Peer host = Peer::udp("10.9.0.1:0");
  host.towards("10.9.0.2:9");
  for (int opened = 0; opened < 2; ++opened) {
    const std::uint64_t before = dropped_towards("lan0");
    SwitchdProcess daemon(engine, {"t=tap:lan0"});
    for (const Deadline deadline; daemon.stats()["ports"]["t"]["received_frames"] == 0 && !deadline.passed();)
      host.send("until the interface knows that it is open");
    daemon.suspend();
    for (unsigned i = 0; i < 200; ++i) host.send("number " + std::to_string(i));
    daemon.resume();
    const std::uint64_t dropped = dropped_towards("lan0") - before;
    CHECK(dropped >= 190 - 64);  // it had begun to read
    daemon.await_stats("what was dropped", [&](const auto& seen) {
      return seen["ports"]["t"]["kernel_drops"] == dropped && seen["ports"]["t"]["received_frames"] >= 10 &&
             ledger_mistakes(seen).empty();  // they stand beside it
    });
    CHECK(daemon.stop() == 0);
  }
}

TEST_CASE("what was dropped towards a TAP stays counted when the TAP was made again") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const auto make = [] {
    NetworkOfTest::ip("tuntap add lan0 mode tap");
    NetworkOfTest::ip("link set lan0 txqueuelen 10");
    NetworkOfTest::ip("addr add 10.9.0.1/24 dev lan0");
    NetworkOfTest::ip("link set lan0 up");
    NetworkOfTest::ip("neigh add 10.9.0.2 lladdr 52:54:00:00:00:01 dev lan0");
  };
  make();
  SwitchdProcess daemon(engine, {"t=tap:lan0"});
  std::uint64_t before = 0;
  for (int round = 0; round < 3; ++round) {
    Peer host = Peer::udp("10.9.0.1:0");
    host.towards("10.9.0.2:9");
    const std::uint64_t received = daemon.stats()["ports"]["t"]["received_frames"];
    for (const Deadline deadline;
         daemon.stats()["ports"]["t"]["received_frames"] == received && !deadline.passed();)
      host.send("until the interface knows that it is open");
    daemon.suspend();
    for (unsigned i = 0; i < 200; ++i) host.send("number " + std::to_string(i));
    daemon.resume();
    const auto seen = daemon.await_stats("further drops", [&](const auto& stats) {
      return stats["ports"]["t"]["kernel_drops"] >= before + 100;
    });
    before = seen["ports"]["t"]["kernel_drops"];
    NetworkOfTest::ip("link del lan0");
    (void)daemon.await_down("t");
    CHECK(daemon.stats()["ports"]["t"]["kernel_drops"] >= before);
    make();
    (void)daemon.await_up("t");
    CHECK(daemon.stats()["ports"]["t"]["kernel_drops"] >= before);
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the scripts of a TAP get its name, up before ready and down while it is still there") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const std::string told = folder.path("told");
  const Script up(folder, "up", "echo \"up $# $1\" >> " + told + "; echo printed; ip link set $1 up");
  const Script down(folder, "down", "echo \"down $# $1\" >> " + told + "; ip link show $1 >/dev/null || exit 1");
  SwitchdProcess daemon(engine, {"t=tap:lan0,up=" + up.path() + ",down=" + down.path()});
  CHECK(contents(told) == "up 1 lan0\n");
  CHECK(daemon.lines_before_ready() == std::vector<std::string>{"port t tap:lan0"});
  CHECK(contains(daemon.log(), "printed"));
  CHECK(daemon.stop() == 0);
  CHECK(contents(told) == "up 1 lan0\ndown 1 lan0\n");
  CHECK(daemon.log().find("down script") == std::string::npos);
}

TEST_CASE("an up script that fails ends the start with 1, and the message names port, script and status") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const std::string told = folder.path("told");
  const Script down(folder, "down", "touch " + told);
  const auto start_with = [&](const std::string& up) {
    return run_switchd({"--control", "none", "t=tap:lan0,up=" + up + ",down=" + down.path()});
  };
  const Script fails(folder, "fails", "exit 3");
  const Script killed(folder, "killed", "kill -9 $$");
  const std::string missing = folder.path("missing");
  for (const auto& [script, expected] :
       {std::pair{fails.path(), "exit status 3"}, std::pair{killed.path(), "ended by signal 9"},
        std::pair{missing, "cannot be run: No such file or directory"}}) {
    const Ended ended = start_with(script);
    CHECK(ended.exit_code == 1);
    CHECK(ended.output.find("ready") == std::string::npos);
    CHECK(contains(ended.log, "port t: up script " + script + ": " + expected));
  }
  CHECK(contents(told).empty());  // what did not come up does not go down
}

TEST_CASE("a down script that fails is a warning, and the stop is clean all the same") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const Script down(folder, "down", "exit 4");
  SwitchdProcess daemon("auto", {"t=tap:lan0,down=" + down.path()});
  CHECK(daemon.stop() == 0);
  CHECK(contains(daemon.log(), "warning: port t: down script " + down.path() + ": exit status 4"));
}

TEST_CASE("a port that came up goes down again when another one cannot be opened") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const std::string told = folder.path("told");
  const Script down(folder, "down", "echo $1 > " + told);
  const std::string other = "unix-listen:/nonexistent/s";
  const Ended ended = run_switchd({"--control", "none", "t=tap:lan0,down=" + down.path(), other});
  CHECK(ended.exit_code == 1);
  CHECK(contents(told) == "lan0\n");
}

TEST_CASE("a TAP that another process uses is an error that says so") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  SwitchdProcess first("auto", {"tap:lan0"});
  const Ended second = run_switchd({"--control", "none", "t=tap:lan0"});
  CHECK(second.exit_code == 1);
  CHECK(contains(second.log, "port t: cannot open TAP lan0: Device or resource busy; another process uses this TAP"));
  CHECK(first.stop() == 0);
}

TEST_CASE("an ordinary user needs a TAP of his own, and is told how to get one") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const auto as_user = [] { NetworkOfTest::drop_rights(); };
  const Ended refused = run_switchd({"--control", "none", "--strict", "t=tap:lan0"}, as_user);
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.log, "port t: cannot open TAP lan0: Operation not permitted"));
  CHECK(contains(refused.log, "ip tuntap add lan0 mode tap user $USER"));
  NetworkOfTest::ip("tuntap add lan0 mode tap user 0");
  SwitchdProcess daemon("auto", {"t=tap:lan0"}, {.in_child = as_user});
  CHECK(daemon.stop() == 0);
}

TEST_CASE("an interface that is no TAP is an error") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  NetworkOfTest::add_cable("v0", "v1");
  const Ended ended = run_switchd({"--control", "none", "t=tap:v0"});
  CHECK(ended.exit_code == 1);
  CHECK(contains(ended.log, "port t: cannot open TAP v0: Invalid argument; the interface exists and is no TAP"));
}

TEST_CASE("frames to a TAP that is down are send errors, and it goes on when it is up again") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const Script up(folder, "up", bring_up);
  SwitchdProcess daemon(engine, {"t=tap:lan0,up=" + up.path(), "vms=unix-listen:" + folder.path("s")});
  Peer vm = Peer::unix_stream(folder.path("s"));
  daemon.await_up("vms.1");
  const std::string host_mac = find_host(vm);
  NetworkOfTest::ip("link set lan0 down");
  for (unsigned i = 0; i < 100; ++i) vm.send(frame(host_mac, vm_mac, 60, i));
  CHECK(ledger_mistakes(daemon.await_drops("t", "send_error", 100)).empty());
  NetworkOfTest::ip("link set lan0 up");
  CHECK(find_host(vm) == host_mac);  // it has forgotten where the VM is
  check_ping(vm, host_mac, 56);
  CHECK_FALSE(daemon.has_printed("port t down"));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a TAP that is deleted goes down with a cause, runs its script, and the others go on") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const std::string told = folder.path("told");
  const Script up(folder, "up", bring_up);
  const Script down(folder, "down", "echo $1 >> " + told);
  SwitchdProcess daemon(engine, {"t=tap:lan0,up=" + up.path() + ",down=" + down.path(),
                                 "vms=unix-listen:" + folder.path("s")});
  Peer vm = Peer::unix_stream(folder.path("s"));
  daemon.await_up("vms.1");
  Peer other = Peer::unix_stream(folder.path("s"));
  daemon.await_up("vms.2");
  const bool with_traffic = GENERATE(false, true);
  if (with_traffic) (void)find_host(vm);
  NetworkOfTest::ip("link del lan0");
  CHECK(daemon.await_down("t").starts_with("port t down the interface is gone: "));
  const std::string sent = frame(broadcast, vm_mac, 100, 5);
  vm.send(sent);
  CHECK(other.receive_until(sent) <= 1);  // the VM's question before
  const auto stats = daemon.stats();
  CHECK(stats["ports"]["t"]["state"] == "down");
  CHECK(ledger_mistakes(stats).empty());
  CHECK(daemon.stop() == 0);
  CHECK(contents(told) == "lan0\n");  // once
}

TEST_CASE("nobody waits for the down script of a TAP that was deleted, but the stop does") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  TempFolder folder;
  const std::string gate = folder.path("gate"), told = folder.path("told");
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  const Script down(folder, "down", "read line < " + gate + "; echo $1 $line >> " + told);
  SwitchdProcess daemon("auto", {"t=tap:lan0,down=" + down.path(), "vms=unix-listen:" + folder.path("s")});
  NetworkOfTest::ip("link del lan0");
  (void)daemon.await_down("t");
  CHECK(daemon.stats()["ports"]["t"]["state"] == "down");
  Peer vm = Peer::unix_stream(folder.path("s"));
  daemon.await_up("vms.1");
  CHECK(contents(told).empty());
  daemon.signal(SIGTERM);
  daemon.await_log("stopping");
  std::ofstream(gate) << "released\n";  // waits for the reader
  CHECK(daemon.await_exit() == 0);
  CHECK(contents(told) == "lan0 released\n");
}

}  // namespace process_tap_test
