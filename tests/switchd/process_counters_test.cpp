// What is counted on a port that is configured never goes back: it is a counter for Prometheus, whatever opens the port
// again.
#include "tests/support/controlled.h"
#include "tests/support/network_of_test.h"

namespace process_counters_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Kind {
  std::string text;                // after "p="
  std::string beside{};            // a port that it needs
  std::string flap{}, back{};      // ip(8): what takes it down, and brings it back
};

std::vector<Kind> kinds(const TempFolder& folder) {
  return {
      {"tcp-connect:127.0.0.1:7101", "l=tcp-listen:127.0.0.1:7101,network=other"},
      {"unix-connect:" + folder.path("l"), "l=unix-listen:" + folder.path("l") + ",network=other"},
      {"udp:127.0.0.1:7201,remote=127.0.0.1:7202"},
      {"udp:7201,remote=10.9.0.7:7202", "", "addr flush dev d0", "addr add 10.9.0.1/24 dev d0"},
      {"udp:127.0.0.1:7201,remote=localhost:7202"},
      {"unix-dgram:" + folder.path("a") + ",remote=" + folder.path("b"),
       "l=unix-dgram:" + folder.path("b") + ",remote=" + folder.path("a") + ",network=other"},
      {"mcast:239.1.2.3:7401,interface=d0", "", "link set d0 down", "link set d0 up"},
      {"nic:v0", "", "link set v0 down", "link set v0 up"},
      {"tap:tap0", "", "link del tap0", "tuntap add tap0 mode tap"},
      {"nat:10.0.2.0/24"},
  };
}

// A daemon with the port, and a VM whose broadcasts are copied to it.
struct Place {
  Place(const std::string& engine, const TempFolder& folder, const Kind& kind)
      : lan(arguments(folder, kind), engine), vm(Peer::unix_stream(folder.path("vms"))) {
    (void)lan.daemon.await_up("vms.1");
  }
  static std::vector<std::string> arguments(const TempFolder& folder, const Kind& kind) {
    std::vector<std::string> all = {"vms=unix-listen:" + folder.path("vms"), "p=" + kind.text};
    if (!kind.beside.empty()) all.push_back(kind.beside);
    return all;
  }
  void await_state(const std::string& state) {
    std::string seen = lan.port("p").state();
    for (const Deadline deadline; seen != state && !deadline.passed();) seen = lan.port("p").state();
    CHECK(seen == state);  // it may be another by now: a listener that closes still takes a connection, and drops it
  }
  [[nodiscard]] std::uint64_t copies() { return lan.port("p").counters().copies(); }
  // One copy more than there ever were, when the port carries frames (it may be in its network a moment later).
  void await_copy() {
    await_state("up");
    const std::uint64_t before = copies();
    for (const Deadline deadline; copies() == before && !deadline.passed();) vm.send(frame(broadcast, mac(1)));
    CHECK(copies() > before);
  }
  void check_kept(const std::string& when, std::uint64_t before) {
    INFO(when);
    CHECK(copies() >= before);
  }

  Controlled lan;
  Peer vm;
};

}  // namespace

TEST_CASE("no counter of a port goes back when it is opened again, and the totals have each frame once") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("v0", "v1");
  NetworkOfTest::add_cable("d0", "d1");
  NetworkOfTest::ip("addr add 10.9.0.1/24 dev d0");
  TempFolder folder;
  for (const Kind& kind : kinds(folder)) {
    if (kind.text.starts_with("tap") && !network.why_no_tap().empty()) continue;
    INFO(kind.text);
    if (kind.text.starts_with("tap")) NetworkOfTest::ip("tuntap add tap0 mode tap");
    Place place(engine, folder, kind);
    place.await_copy();
    const std::uint64_t first = place.copies();
    CHECK(place.lan.ask(R"({"disable_port":{"name":"p"}})").has_ports());
    place.check_kept("disabled", first);
    CHECK(place.lan.ask(R"({"enable_port":{"name":"p"}})").has_ports());
    place.check_kept("enabled", first);
    place.await_copy();
    const std::uint64_t second = place.copies();
    CHECK(second > first);
    if (!kind.flap.empty()) {
      NetworkOfTest::ip(kind.flap);
      (void)place.lan.daemon.await_down("p");
      place.check_kept("down", second);
      NetworkOfTest::ip(kind.back);
      (void)place.lan.daemon.await_up("p");
      place.check_kept("up again", second);
      place.await_copy();
    }
    if (kind.text.find("connect") != std::string::npos) {
      CHECK(place.lan.ask(R"({"disable_port":{"name":"l"}})").has_ports());  // it loses its connection
      (void)place.lan.daemon.await_down("p");
      place.check_kept("lost", second);
      CHECK(place.lan.ask(R"({"enable_port":{"name":"l"}})").has_ports());
      place.await_copy();
      place.check_kept("connected again", second + 1);
    }
    CHECK(ledger_mistakes(place.lan.daemon.stats()) == "");
    CHECK(place.lan.daemon.stop() == 0);
  }
}

}  // namespace process_counters_test
