// Two bridges of the Linux kernel that run spanning tree (IEEE 802.1D), joined by two networks of the real switchd: a
// loop, which they find by what they hear of each other.
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sys/stat.h>

#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"
#include "tests/support/switchd_process.h"

namespace process_stp_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// ip(8)'s answer.
[[nodiscard]] std::string asked(const std::string& arguments) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
      ::popen(("PATH=$PATH:/usr/sbin:/sbin; ip " + arguments).c_str(), "r"), ::pclose);
  REQUIRE(pipe);
  std::string answer;
  std::array<char, 4096> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe.get())) answer.append(part.data(), got);
  return answer;
}

// "blocking", "listening", "learning", "forwarding" and so on.
[[nodiscard]] std::string state_of(const std::string& bridge_port) {
  const std::string details = asked("-d link show " + bridge_port);
  const std::size_t at = details.find("bridge_slave state ");
  REQUIRE(at != std::string::npos);
  const std::size_t begin = at + std::string_view("bridge_slave state ").size();
  return details.substr(begin, details.find(' ', begin) - begin);
}

// Bridges br_a and br_b, as quick as the standard lets them be; networks `one` and `two` with a TAP in either bridge,
// and a VM each.
struct BridgedLab {
  explicit BridgedLab(const std::string& engine, const std::string& keys = "") {
    for (const char* bridge : {"br_a", "br_b"}) {
      NetworkOfTest::ip("link add " + std::string(bridge) + " type bridge forward_delay 200 hello_time 100 stp_state 1");
      NetworkOfTest::ip("link set " + std::string(bridge) + " up");
    }
    const std::string up = folder.path("up");
    std::ofstream(up) << "#!/bin/sh\nPATH=$PATH:/usr/sbin:/sbin\n"
                         "case $1 in a*) bridge=br_a ;; *) bridge=br_b ;; esac\n"
                         "ip link set $1 master $bridge && ip link set $1 up\n";
    REQUIRE(::chmod(up.c_str(), 0755) == 0);
    std::vector<std::string> arguments = {"--network", "one" + keys, "--network", "two" + keys};
    for (const std::string network : {"one", "two"}) {
      for (const std::string bridge : {"a_", "b_"})
        arguments.push_back("tap:" + bridge + network + ",network=" + network + ",up=" + up);
      arguments.push_back(network + "=unix-listen:" + folder.path(network) + ",network=" + network);
    }
    daemon = std::make_unique<SwitchdProcess>(engine, arguments);
  }
  // How many of the four bridge ports are in which state.
  [[nodiscard]] static std::map<std::string, int> states() {
    std::map<std::string, int> count;
    for (const char* port : {"a_one", "a_two", "b_one", "b_two"}) ++count[state_of(port)];
    return count;
  }
  [[nodiscard]] static bool await(const std::map<std::string, int>& wanted) {
    for (const Deadline deadline; !deadline.passed();)
      if (states() == wanted) return true;
    return false;
  }

  TempFolder folder;
  std::unique_ptr<SwitchdProcess> daemon;
};

}  // namespace

TEST_CASE("two bridges with spanning tree that two networks join block one port, and no frame goes round") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  BridgedLab lab(engine);
  REQUIRE(BridgedLab::await({{"forwarding", 3}, {"blocking", 1}}));
  Peer one = Peer::unix_stream(lab.folder.path("one"));
  lab.daemon->await_up("one.1");
  Peer two = Peer::unix_stream(lab.folder.path("two"));
  lab.daemon->await_up("two.1");
  const auto next = [](Peer& vm) {  // but for the bridges' own
    for (;;)
      if (std::string frame = vm.receive(); frame[0] != '\x01') return frame;
  };
  for (unsigned i = 0; i < 20; ++i) {
    const std::string out = frame(broadcast, mac(1), 60, i);
    one.send(out);
    CHECK(next(two) == out);
    const std::string back = frame(broadcast, mac(2), 60, i);
    two.send(back);
    CHECK(next(one) == back);  // nothing of its own in between
  }
  const auto stats = lab.daemon->stats();
  CHECK(ledger_mistakes(stats).empty());
  for (const auto& [name, port] : stats["ports"].items()) CHECK(port["drops"]["reserved_mac"] == 0);
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("networks that consume spanning tree let no bridge hear of another, and all their ports forward") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  BridgedLab lab("auto", ",stp=consume");
  CHECK(BridgedLab::await({{"forwarding", 4}}));
  CHECK(lab.daemon->await_drops("tap1", "reserved_mac")["ports"]["tap1"]["unicast"] == 0);
  CHECK(lab.daemon->stop() == 0);
}

}  // namespace process_stp_test
