// The real switchd with a packet socket on one end of a cable: what comes from the other end, and what the host itself
// sends there.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "frames/udp4_packet.h"
#include "tests/support/contains.h"
#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"
#include "tests/support/switchd_process.h"

namespace process_nic_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A machine on the LAN: hears what comes to its interface, and not what leaves there.
class Station {
 public:
  explicit Station(const std::string& interface)
      : fd_(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    const int yes = 1;
    REQUIRE(::setsockopt(fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) == 0);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  void send(const std::string& frame) const {
    REQUIRE(::send(fd_.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
  }
  [[nodiscard]] std::string receive() const {
    await_fd(fd_.get(), POLLIN, Deadline(), "frame on the LAN");
    std::string frame(70'000, '\0');
    const ssize_t got = ::recv(fd_.get(), frame.data(), frame.size(), 0);
    REQUIRE(got >= 0);
    frame.resize(static_cast<std::size_t>(got));
    return frame;
  }

 private:
  Fd fd_;
};

// The switch on v0, a station on v1, and a VM.
class Lab {
 public:
  explicit Lab(const std::string& engine, const std::string& keys = "") : lan(made_cable()) {
    daemon = std::make_unique<SwitchdProcess>(
        engine, std::vector<std::string>{"n=nic:v0" + keys, "vms=unix-listen:" + folder.path("s")});
    vm = std::make_unique<Peer>(Peer::unix_stream(folder.path("s")));
    daemon->await_up("vms.1");
  }
  // What the nic port has received, when `marker` has come through it.
  [[nodiscard]] std::uint64_t received() const { return daemon->stats()["ports"]["n"]["received_frames"]; }

  TempFolder folder;
  Station lan;
  std::unique_ptr<SwitchdProcess> daemon;
  std::unique_ptr<Peer> vm;

 private:
  [[nodiscard]] static std::string made_cable() {
    NetworkOfTest::add_cable("v0", "v1");
    return "v1";
  }
};

[[nodiscard]] std::string with_tag(const std::string& frame, const std::string& tag) {
  return frame.substr(0, 12) + tag + frame.substr(12);
}

}  // namespace

TEST_CASE("a nic port joins the LAN at its interface to the VMs, and does not hear itself") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  CHECK(lab.daemon->lines_before_ready().front() == "port n nic:v0");
  for (unsigned i = 0; i < 200; ++i) {
    const std::string out = frame(i % 2 == 0 ? broadcast : mac(2), mac(1), 60 + i * 7, i);
    lab.vm->send(out);
    CHECK(lab.lan.receive() == out);
  }
  for (unsigned i = 0; i < 200; ++i) {
    const std::string in = frame(i % 2 == 0 ? broadcast : mac(1), mac(2), 60 + i * 7, i);
    lab.lan.send(in);
    CHECK(lab.vm->receive() == in);
  }
  const auto stats = lab.daemon->stats();
  CHECK(ledger_mistakes(stats).empty());
  CHECK(stats["ports"]["n"]["received_frames"] == 200);  // none of the 200 that it sent itself
  CHECK(stats["ports"]["n"]["sent_frames"] == 200);
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("frames for machines that are not the host arrive too") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab("auto");
  const std::string foreign = frame(mac(77), mac(2));  // the interface would filter it, were it not promiscuous
  lab.lan.send(foreign);
  CHECK(lab.vm->receive() == foreign);
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("what a nic port's socket has no room for is in its kernel_drops") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  lab.daemon->suspend();
  constexpr unsigned count = 30'000;
  for (unsigned i = 0; i < count; ++i) lab.lan.send(frame(broadcast, mac(2), 1514, i));
  lab.daemon->resume();
  const auto stats = lab.daemon->await_stats("frames, come and dropped", [](const auto& seen) {
    return seen["ports"]["n"]["received_frames"] > 0 && seen["ports"]["n"]["kernel_drops"] > 0 &&
           ledger_mistakes(seen).empty();  // counted as they come, and forwarded a moment later
  });
  const auto& nic = stats["ports"]["n"];
  CHECK(nic["received_frames"].get<unsigned>() + nic["kernel_drops"].get<unsigned>() <= count);
  const auto dropped = nic["kernel_drops"].get<unsigned>();
  NetworkOfTest::ip("link set v0 down");
  (void)lab.daemon->await_down("n");
  NetworkOfTest::ip("link set v0 up");
  (void)lab.daemon->await_up("n");
  // By another socket, which has dropped nothing.
  const auto received = nic["received_frames"].get<unsigned>();
  const auto later = lab.daemon->await_stats("further frames", [&](const auto& seen) {
    lab.lan.send(frame(broadcast, mac(2)));
    return seen["ports"]["n"]["received_frames"] > received;
  });
  CHECK(later["ports"]["n"]["kernel_drops"].get<unsigned>() >= dropped);
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("a VLAN tag that the kernel takes off is put back in front of the VM") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  const std::string vlan_100("\x81\0\0\x64", 4), priority("\x81\0\xa0\0", 4), service("\x88\xa8\x0f\xff", 4);
  for (const std::string& tagged :
       {with_tag(frame(mac(1), mac(2), 60), vlan_100), with_tag(frame(mac(1), mac(2), 1514), vlan_100),
        with_tag(frame(mac(1), mac(2), 60), priority), with_tag(frame(mac(1), mac(2), 60), service),
        with_tag(frame(mac(1), mac(2), 60), service + vlan_100)}) {
    lab.lan.send(tagged);
    CHECK(lab.vm->receive() == tagged);
  }
  CHECK(ledger_mistakes(lab.daemon->stats()).empty());
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("what the host sends itself arrives with its checksums finished, by either end of the cable") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  // From v0 the host sends beside the switch; from v1 as another machine on the LAN.
  const std::string end = GENERATE("v0", "v1");
  CAPTURE(end);
  NetworkOfTest::ip("addr add 10.9.0.1/24 dev " + end);
  NetworkOfTest::ip("neigh add 10.9.0.2 lladdr 52:54:00:00:00:01 dev " + end);
  Peer host = Peer::udp("10.9.0.1:0");
  host.towards("10.9.0.2:9");
  for (const std::size_t bytes : {1UL, 2UL, 777UL, 1472UL}) {
    const std::string text(bytes, 'u');
    host.send(text);
    const std::string frame = lab.vm->receive();
    const auto packet = parse_udp4(std::as_bytes(std::span(frame)));
    REQUIRE(packet);  // it looks at the checksum
    CHECK(frame.substr(40, 2) != std::string(2, '\0'));
    CHECK(std::string(reinterpret_cast<const char*>(packet->payload.data()), packet->payload.size()) == text);
  }
  CHECK(lab.received() == 4);
  CHECK(ledger_mistakes(lab.daemon->stats()).empty());
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("a frame longer than the interface carries is dropped as mtu on the way out") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  for (const std::size_t bytes : {1515UL, 1518UL, 1519UL, 9000UL}) lab.vm->send(frame(broadcast, mac(1), bytes));
  const std::string fits = frame(broadcast, mac(1), 1514);
  lab.vm->send(fits);
  CHECK(lab.lan.receive() == fits);
  CHECK(ledger_mistakes(lab.daemon->await_drops("n", "mtu", 4)).empty());
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("frames that were merged on the way in are dropped as oversize, and the log says what to do") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine, ",max-frame=1000");
  for (unsigned i = 0; i < 50; ++i) lab.lan.send(frame(broadcast, mac(2), 1001 + i));
  const std::string fits = frame(broadcast, mac(2), 1000);
  lab.lan.send(fits);
  CHECK(lab.vm->receive() == fits);
  lab.daemon->await_log("warning: port n: frames longer than 1000 bytes come in by v0");
  CHECK(contains(lab.daemon->log(), "ethtool -K v0 gro off gso off tso off"));
  const auto stats = lab.daemon->stats();
  CHECK(stats["ports"]["n"]["drops"]["oversize"] == 50);
  CHECK(ledger_mistakes(stats).empty());
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("a nic port whose interface goes down or away goes down with a cause, and the others go on") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  Lab lab(engine);
  Peer other = Peer::unix_stream(lab.folder.path("s"));
  lab.daemon->await_up("vms.2");
  NetworkOfTest::ip(GENERATE("link set v0 down", "link del v0"));
  CHECK(lab.daemon->await_down("n").starts_with("port n down the interface went down: "));
  const std::string sent = frame(broadcast, mac(1), 100, 5);
  lab.vm->send(sent);
  CHECK(other.receive() == sent);
  const auto stats = lab.daemon->stats();
  CHECK(stats["ports"]["n"]["state"] == "down");
  CHECK(ledger_mistakes(stats).empty());
  CHECK(lab.daemon->stop() == 0);
}

TEST_CASE("a nic port that cannot be opened says what is missing") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::ip("link add v0 type veth peer name v1");
  const auto log_of = [](const std::string& interface, const std::function<void()>& in_child = nullptr) {
    const Ended ended = run_switchd({"--control", "none", "--strict", "n=nic:" + interface}, in_child);
    CHECK(ended.exit_code == 1);
    return ended.log;
  };
  CHECK(contains(log_of("v2"), "port n: cannot open a packet socket on v2: No such device"));
  CHECK(contains(log_of("lo"), "port n: cannot open a packet socket on lo: it is no Ethernet interface"));
  CHECK(contains(log_of("v0"), "v0: the interface is down; have root say: ip link set v0 up"));
  NetworkOfTest::ip("link set v0 up");
  const std::string refused = log_of("v0", [] { NetworkOfTest::drop_rights(); });
  CHECK(contains(refused, "port n: cannot open a packet socket on v0: Operation not permitted; the capability "
                          "CAP_NET_RAW is missing: have root say: setcap cap_net_raw+ep "));
  CHECK(contains(refused, "network namespace"));
}

}  // namespace process_nic_test
