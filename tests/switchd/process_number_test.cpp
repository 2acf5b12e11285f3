// Ports that are configured with number 0: the number that they got is theirs, however often they are opened again.
#include "tests/support/controlled.h"
#include "tests/support/network_of_test.h"

namespace process_number_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Kind {
  std::string text;    // after "p="
  std::string change;  // a key and its value that reopen it
};

// In a network of the test's own, in which d0 has 10.9.0.1.
std::vector<Kind> kinds() {
  return {{"tcp-listen:0", R"("key":"allow","values":["127.0.0.0/8"])"},
          {"tcp-listen:10.9.0.1:0", R"("key":"allow","values":["10.0.0.0/8"])"},
          {"udp:10.9.0.1:0,allow=10.0.0.0/8", R"("key":"allow","values":["10.9.0.0/16"])"},
          {"udp:127.0.0.1:0,remote=127.0.0.1:9", R"("key":"remote","values":["127.0.0.1:10"])"},
          {"udp:127.0.0.1:0,remote=localhost:9", R"("key":"remote","values":["127.0.0.1:10"])"},
          {"udp:0,remote=10.9.0.7:9", R"("key":"remote","values":["10.9.0.7:10"])"}};
}

void add_d0() {
  NetworkOfTest::add_cable("d0", "d1");
  NetworkOfTest::ip("addr add 10.9.0.1/24 dev d0");
}

std::uint16_t number_of(const std::string& address) { return socket_address(address).port(); }

struct Place {
  Place(const std::string& engine, const Kind& kind) : lan({"p=" + kind.text}, engine) {
    if (lan.port("p").state() == "down") (void)lan.daemon.await_up("p");
    number = number_of(lan.port("p").address());
    REQUIRE(number != 0);
  }
  void check(const std::string& what) {
    INFO(what);
    for (const Deadline deadline; lan.port("p").state() == "down" && !deadline.passed();) continue;
    const v1::Port port = lan.port("p");
    CHECK(port.state() != "down");
    CHECK(number_of(port.address()) == number);
  }
  v1::Response set(const std::string& key) { return lan.ask(R"({"set_port":{"name":"p","keys":[{)" + key + "}]}}"); }

  Controlled lan;
  std::uint16_t number = 0;
};

// A place of its own for each kind of port, on each engine.
template <class Check>
void for_every_kind(Check check) {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  add_d0();
  for (const Kind& kind : kinds()) {
    INFO(kind.text);
    Place place(engine, kind);
    check(place, kind);
    CHECK(place.lan.daemon.stop() == 0);
  }
}

}  // namespace

TEST_CASE("a port of number 0 keeps the number that it got, whatever opens it again") {
  for_every_kind([](Place& place, const Kind& kind) {
    if (kind.text.find("localhost") == std::string::npos) {  // such a port is bound when its remote is known, and waits
      const v1::Error refused = place.lan.refused(R"({"set_port":{"name":"p","address":"10.99.0.1:7000"}})");
      CHECK_THAT(refused.message(), Catch::Contains("10.99.0.1:7000"));
      place.check("a change that was refused");
    }
    CHECK(place.lan.ask(R"({"disable_port":{"name":"p"}})").has_ports());
    CHECK(place.lan.ask(R"({"enable_port":{"name":"p"}})").has_ports());
    place.check("disabled and enabled");
    CHECK(place.set(kind.change).has_ports());
    place.check("a change that reopens it");
    CHECK(place.set(R"("key":"queue","values":["100"])").has_ports());
    place.check("a change that does not");
  });
}

TEST_CASE("a port of number 0 whose number is another's by now gets a new one, and the log says so") {
  for_every_kind([](Place& place, const Kind& kind) {
    const SocketAddress address = socket_address(place.lan.port("p").address());
    CHECK(place.lan.ask(R"({"disable_port":{"name":"p"}})").has_ports());
    const bool tcp = kind.text.starts_with("tcp");
    const Fd other(::socket(AF_INET, tcp ? SOCK_STREAM : SOCK_DGRAM, 0));
    REQUIRE(::bind(other.get(), &address.any, address.length) == 0);
    if (tcp) REQUIRE(::listen(other.get(), 1) == 0);
    CHECK(place.lan.ask(R"({"enable_port":{"name":"p"}})").has_ports());
    for (const Deadline deadline; place.lan.port("p").state() == "down" && !deadline.passed();) continue;
    const std::uint16_t number = number_of(place.lan.port("p").address());
    CHECK(number != 0);
    CHECK(number != place.number);
    place.lan.daemon.await_log("port p: its number " + std::to_string(place.number) +
                               " is taken by another by now; it has " + std::to_string(number));
  });
}

TEST_CASE("a port of number 0 keeps its number when this host's addresses and interfaces change") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  add_d0();
  {
    Place place(engine, {"udp:0,remote=10.9.0.7:9", ""});
    for (const char* address : {"10.9.0.2", "10.9.0.3"}) {
      NetworkOfTest::ip("addr flush dev d0");
      NetworkOfTest::ip(std::string("addr add ") + address + "/24 dev d0");
      (void)place.lan.daemon.await_down("p");
      CHECK(place.lan.daemon.await_up("p") ==
            std::string("port p up udp:") + address + ":" + std::to_string(place.number));
    }
    CHECK(place.lan.daemon.stop() == 0);
  }
  for (const std::string type : {"tcp-listen:[fe80::1%d0]:0", "udp:[fe80::1%d0]:0,allow=fe80::/10",
                                 "udp:[fe80::1%d0]:0,remote=[fe80::2%d0]:9"}) {
    INFO(type);
    const auto with_address = [] {
      if (!NetworkOfTest::enable_ipv6("d0")) return false;
      NetworkOfTest::ip("-6 addr add fe80::1/64 dev d0 nodad");
      return true;
    };
    if (!with_address()) return;  // this kernel has no IPv6
    Place place(engine, {type, ""});
    const std::size_t descriptors = place.lan.daemon.open_descriptors();
    for (int i = 0; i < 3; ++i) {
      NetworkOfTest::ip("link del d0");
      (void)place.lan.daemon.await_down("p");
      add_d0();
      REQUIRE(with_address());
      CHECK(place.lan.daemon.await_up("p").ends_with("[fe80::1%d0]:" + std::to_string(place.number)));
    }
    CHECK(place.lan.daemon.open_descriptors() == descriptors);
    CHECK(place.lan.daemon.stop() == 0);
    NetworkOfTest::ip("link del d0");
    add_d0();
  }
}

}  // namespace process_number_test
