// A port on an interface, and ports of the same network whose packets go by that interface: what one carries the other
// does not take up.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include "tests/support/controlled.h"
#include "tests/support/network_of_test.h"

namespace process_storm_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Tunnel {
  std::string text;                 // after "u="
  std::string change{}, instead{};  // its address, and another one
};

std::vector<Tunnel> tunnels() {
  return {{"udp:10.9.0.1:7001,remote=10.9.0.7:7002", "10.9.0.1:7003"},
          {"udp:0.0.0.0:7001,remote=10.9.0.7:7002", "0.0.0.0:7003"},
          {"udp:7001,remote=10.9.0.7:7002", "7003"},
          {"mcast:239.1.2.3:7001,interface=v0", "239.1.2.4:7001"}};
}

// The switch is at v0; 10.9.0.7 is behind v1, where all that passes is counted.
class Cable {
 public:
  Cable() : tap_((make(), ::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex("v1"));
    REQUIRE(::bind(tap_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  // How many frames pass until `last` has, which is the bare frame.
  [[nodiscard]] unsigned frames_with(const std::string& last) const {
    for (unsigned frames = 1;; ++frames) {
      await_fd(tap_.get(), POLLIN, Deadline(), "frame on the cable");
      std::string got(70'000, '\0');
      const ssize_t bytes = ::recv(tap_.get(), got.data(), got.size(), 0);
      REQUIRE(bytes >= 0);
      got.resize(static_cast<std::size_t>(bytes));
      if (got == last) return frames;
    }
  }

 private:
  static void make() {
    NetworkOfTest::add_cable("v0", "v1");
    NetworkOfTest::ip("addr add 10.9.0.1/24 dev v0");
    NetworkOfTest::ip("neigh add 10.9.0.7 lladdr 02:00:00:00:00:07 dev v0");
  }
  Fd tap_;
};

// What the host itself sends there: that it has joined a group, or left it (IGMP), for some seconds.
constexpr std::uint64_t host_frames_max = 16;

// A frame of the VM's leaves once in a packet, and does not come back by the interface's port: in the time of one of
// these questions it would a hundred times. What the host sends while the port is closed for a change is heard and not
// sent.
void check_calm(Controlled& lan, std::uint64_t frames) {
  std::uint64_t heard = 0;
  std::uint64_t sent = 0;
  for (const Deadline deadline; sent < frames;) {
    heard = lan.port("n").counters().received_frames();
    sent = lan.port("u").counters().sent_frames();
    if (deadline.passed()) break;
  }
  CHECK(heard <= host_frames_max);
  CHECK(sent >= frames);
  CHECK(sent <= frames + host_frames_max);
}

}  // namespace

TEST_CASE("what a port sends to another host by an interface is not taken up by the port on that") {
  ON_EVERY_REAL_ENGINE;
  for (const bool nic_first : {true, false}) {
    for (const Tunnel& tunnel : tunnels()) {
      IN_A_NETWORK_OF_ITS_OWN;
      INFO(tunnel.text << (nic_first ? " after" : " before") << " the nic port");
      const Cable cable;
      TempFolder folder;
      std::vector<std::string> ports = {"n=nic:v0", "u=" + tunnel.text};
      if (!nic_first) std::swap(ports.front(), ports.back());
      ports.push_back("vms=unix-listen:" + folder.path("s"));
      Controlled lan(ports, engine);
      Peer vm = Peer::unix_stream(folder.path("s"));
      (void)lan.daemon.await_up("vms.1");
      std::uint64_t sent = 0;
      for (unsigned i = 1; i <= 20; ++i) {
        const std::string one = frame(broadcast, mac(1), 60, i);
        vm.send(one);
        (void)cable.frames_with(one);
        check_calm(lan, ++sent);
      }
      CHECK(lan.ask(R"({"set_port":{"name":"u","address":")" + tunnel.change + "\"}}").has_ports());
      for (unsigned i = 1; i <= 20; ++i) {
        vm.send(frame(broadcast, mac(1), 60, 100 + i));
        check_calm(lan, ++sent);
      }
      CHECK(ledger_mistakes(lan.daemon.stats()) == "");
      CHECK(lan.daemon.stop() == 0);
    }
  }
}

TEST_CASE("what the host sends otherwise still comes to the VMs, and so does what ports of other networks send") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  const Cable cable;
  TempFolder folder;
  Controlled lan({"n=nic:v0", "u=udp:10.9.0.1:7001,remote=10.9.0.7:7002",
                  "o=udp:10.9.0.1:7005,remote=10.9.0.7:7002,network=other", "vms=unix-listen:" + folder.path("s"),
                  "x=unix-listen:" + folder.path("x") + ",network=other"},
                 engine);
  Peer vm = Peer::unix_stream(folder.path("s"));
  Peer elsewhere = Peer::unix_stream(folder.path("x"));
  (void)lan.daemon.await_up("vms.1");
  (void)lan.daemon.await_up("x.1");
  Peer host = Peer::udp("10.9.0.1:0");
  host.towards("10.9.0.7:9").send("hello");
  CHECK_THAT(vm.receive(), Catch::Contains("hello"));
  const std::string one = frame(broadcast, mac(5), 60, 77);
  elsewhere.send(one);
  CHECK_THAT(vm.receive(), Catch::Contains(one.substr(14)));
  // In its network it would go round, and is kept away from then on.
  CHECK(lan.ask(R"({"set_port":{"name":"o","keys":[{"key":"network","values":["lan"]}]}})").has_ports());
  const std::uint64_t heard = lan.port("n").counters().received_frames();
  vm.send(frame(broadcast, mac(1), 60, 78));
  for (const Deadline deadline; lan.port("o").counters().sent_frames() < 2 && !deadline.passed();) continue;
  CHECK(lan.port("o").counters().sent_frames() == 2);
  host.send("again");
  CHECK_THAT(vm.receive(), Catch::Contains("again"));
  CHECK(lan.port("n").counters().received_frames() == heard + 1);
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_storm_test
