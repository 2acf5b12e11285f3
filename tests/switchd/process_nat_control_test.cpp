// A gateway that is configured otherwise while guests use it: the real switchd, its control socket, and guests that are
// raw streams. In a network of the test's own, where every port of the host is free and 192.0.2.1 is outside.
#include <poll.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <map>

#include "frames/ipv4_packet.h"
#include "tests/support/background.h"
#include "tests/support/controlled.h"
#include "tests/support/deadline.h"
#include "tests/support/frames.h"
#include "tests/support/guest.h"
#include "tests/support/network_of_test.h"

namespace process_nat_control_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

const MacAddress router(0x5255'0A00'0202);

// The host's address outside.
struct Outside {
  Outside() { NetworkOfTest::ip("address add 192.0.2.1/32 dev lo"); }
};

struct Guest {
  Guest(Controlled& switchd, const std::string& path, unsigned number)
      : wire(Peer::unix_stream(path)), mac(guest_mac(number)) {
    switchd.daemon.await_up("vms." + std::to_string(number));
    address = lease(wire, mac);
  }
  [[nodiscard]] Udp4Endpoint at(std::uint16_t port) const { return {mac, address, port}; }
  void send_udp(std::uint16_t from, Ipv4Address to, std::uint16_t port, const std::string& text) {
    wire.send(to_text(write_udp4({at(from), {router, to, port}, to_bytes(text)})));
  }
  // The next datagram to `port`: where it comes from, and what it says.
  [[nodiscard]] std::pair<Udp4Endpoint, std::string> receive_udp(std::uint16_t port) {
    while (true) {
      const std::string frame = wire.receive();
      if (const auto packet = parse_udp4(to_bytes(frame)); packet && packet->to == at(port))
        return {packet->from, to_text(packet->payload)};
    }
  }

  Peer wire;
  MacAddress mac;
  Ipv4Address address;
};

// A switch with a gateway and two guests: 10.0.2.15, which has something to do with the outside all the time, and
// 10.0.2.16.
struct Lan {
  explicit Lan(const std::string& nat = "nat")
      : switchd({"vms=unix-listen:" + path(), "out=" + nat}, "auto",
            {.environment = {"XDG_STATE_HOME=" + folder.path("state")}}),
        one(switchd, path(), 1),
        two(switchd, path(), 2),
        gateway(gateway_of(switchd.daemon)),
        flow([this] { exchange(); }) {}

  [[nodiscard]] std::string path() const { return folder.path("lan"); }

  // A question of guest 10.0.2.15 to the outside, and the answer.
  void exchange() {
    const std::string question = "question " + std::to_string(++exchanged);
    one.send_udp(4000, Ipv4Address(0xC000'0201), 9, question);
    if (outside.receive() != question) throw std::runtime_error(question + " did not come out");
    outside.towards(to_string(outside.source())).send("to " + question);
    if (one.receive_udp(4000).second != "to " + question) throw std::runtime_error("the answer to it did not come in");
  }

  [[nodiscard]] static std::string set(const std::map<std::string, std::vector<std::string>>& keys) {
    v1::Request request;
    request.mutable_set_port()->set_name("out");
    for (const auto& [key, values] : keys) {
      v1::Key& one = *request.mutable_set_port()->add_keys();
      one.set_key(key);
      for (const std::string& value : values) one.add_values(value);
    }
    return control::to_json(request);
  }
  void change(const std::map<std::string, std::vector<std::string>>& keys) {
    const v1::Response response = switchd.ask(set(keys));
    INFO(control::to_json(response));
    REQUIRE(response.ports().ports_size() == 1);
    flow.await(1);
  }
  [[nodiscard]] std::vector<std::string> values(const std::string& key) {
    const v1::Port out = switchd.port("out");
    for (const v1::Key& one : out.keys())
      if (one.key() == key) return {one.values().begin(), one.values().end()};
    return {};
  }
  // A connection from the host through a forward to 10.0.2.16 carries what is sent.
  [[nodiscard]] bool forwards(const std::string& from, std::uint16_t to) {
    Peer host = Peer::tcp(from);
    GuestConnection guest(two.wire, two.at(to));
    host.send_raw("through " + from);
    return guest.receive(8 + from.size()) == "through " + from;
  }

  // The gateway that there was at the start has served all the time, and nothing has happened to its port.
  void check_undisturbed() {
    CHECK(flow.finish().empty());
    CHECK(gateway_of(switchd.daemon) == gateway);
    CHECK_FALSE(switchd.daemon.has_printed("port out down"));
    const v1::Response events = switchd.ask(R"({"watch_events":{}})");
    for (const v1::Event& event : events.events().events())
      CHECK((event.port() != "out" || event.kind() == "port_changed"));
    const v1::Port out = switchd.port("out");
    CHECK(out.state() == "up");
    CHECK(out.counters().sent_frames() >= exchanged);
    CHECK(out.counters().received_frames() >= exchanged);
    for (const auto& [reason, count] : out.counters().drops())
      CHECK(reason + ": " + std::to_string(count) == reason + ": 0");
    CHECK(switchd.daemon.stop() == 0);
  }

  Outside made;
  TempFolder folder;
  Controlled switchd;
  Guest one;
  Guest two;
  Peer outside = Peer::udp("192.0.2.1:9");
  pid_t gateway;
  std::uint64_t exchanged = 0;
  Background flow;
};

const std::string web = "tcp:8080:10.0.2.16:80";
const std::vector<std::string> only_web = {"tcp:127.0.0.1:8080:10.0.2.16:80"};  // as it is shown
const std::string names = "udp:192.0.2.1:8053:10.0.2.16:53";

}  // namespace

TEST_CASE("forwards come and go while the gateway serves") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan;
  CHECK(is_refused("127.0.0.1:8080"));
  lan.change({{"forward", {web, names}}});
  CHECK(lan.values("forward").size() == 2);
  Peer host = Peer::tcp("127.0.0.1:8080");
  GuestConnection connection(lan.two.wire, lan.two.at(80));
  host.send_raw("before");
  CHECK(connection.receive(6) == "before");
  Peer client = Peer::udp("192.0.2.1:0");
  client.towards("192.0.2.1:8053").send("who?");
  const auto [from, question] = lan.two.receive_udp(53);
  CHECK(question == "who?");
  lan.two.send_udp(53, from.address, from.port, "me");
  CHECK(client.receive() == "me");

  lan.change({{"forward", {names}}});
  CHECK(is_refused("127.0.0.1:8080"));
  host.send_raw("after");  // what was connected stays so
  CHECK(connection.receive(5) == "after");
  CHECK_THROWS_WITH(Peer::udp("192.0.2.1:8053"), Catch::Contains("in use"));
  lan.change({{"forward", {}}});
  CHECK_NOTHROW(Peer::udp("192.0.2.1:8053"));
  CHECK(lan.values("forward").empty());
  lan.check_undisturbed();
}

TEST_CASE("a forward leads to another port of the guest at once") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=" + web);
  CHECK(lan.forwards("127.0.0.1:8080", 80));
  lan.change({{"forward", {"tcp:8080:10.0.2.16:81"}}});
  CHECK(lan.forwards("127.0.0.1:8080", 81));
  lan.check_undisturbed();
}

TEST_CASE("a forward from a port that is taken is refused, and the gateway stays as it was") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=" + web);
  const Listener taken("127.0.0.1:8090");
  const std::string busy = "tcp:8090:10.0.2.16:90";
  // what else it asks for is not done either: another forward, one that leads elsewhere, nothing that may go out
  const std::string request = Lan::set({{"forward", {"tcp:8070:10.0.2.16:70", "tcp:8080:10.0.2.16:81", busy}},
                                        {"outbound", {"none"}}});
  const v1::Error error = lan.switchd.refused(request);
  CHECK(error.code() == v1::Error::UNAVAILABLE);
  CHECK(mentions(error, "127.0.0.1:8090"));
  CHECK(mentions(error, "port out"));
  CHECK(lan.values("forward") == only_web);
  CHECK(lan.values("outbound").empty());
  CHECK(lan.forwards("127.0.0.1:8080", 80));
  CHECK(is_refused("127.0.0.1:8070"));
  lan.flow.await(1);
  lan.check_undisturbed();
}

TEST_CASE("each of many changes that a gateway refuses is told so") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=" + web);
  const Listener taken("127.0.0.1:8090");
  std::map<std::uint64_t, std::string> asked;
  for (unsigned i = 0; i < 50; ++i) {
    const std::string request = Lan::set({{"forward", {i % 5 == 4 ? web : "tcp:8090:10.0.2.16:90"}}});
    asked[lan.switchd.client.send(Controlled::request(request))] = i % 5 == 4 ? "changed" : "refused";
  }
  for (unsigned i = 0; i < 50; ++i) {
    const v1::Response response = lan.switchd.client.next();
    INFO(i << " " << control::to_json(response));
    CHECK(asked.at(response.id()) == (response.has_error() ? "refused" : "changed"));
  }
  CHECK(lan.values("forward") == only_web);
  CHECK(lan.forwards("127.0.0.1:8080", 80));
  lan.check_undisturbed();
}

TEST_CASE("a gateway that ends while it is told of a change leaves all as it was") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=" + web);
  CHECK(lan.flow.finish().empty());
  REQUIRE(::kill(lan.gateway, SIGSTOP) == 0);
  const std::uint64_t change =
      lan.switchd.client.send(Controlled::request(Lan::set({{"forward", {"tcp:8070:10.0.2.16:70"}}})));
  CHECK(lan.switchd.ask(R"({"get_version":{}})").version().protocol() == 1);  // behind it: the gateway has been told
  REQUIRE(::kill(lan.gateway, SIGKILL) == 0);
  const v1::Response refused = lan.switchd.client.next();
  CHECK(refused.id() == change);
  CHECK(mentions(refused.error(), "the gateway ended"));
  lan.switchd.daemon.await_up("out");
  CHECK(lan.values("forward") == only_web);
  CHECK(lease(lan.two.wire, lan.two.mac) == lan.two.address);
  CHECK(lan.forwards("127.0.0.1:8080", 80));
  CHECK(is_refused("127.0.0.1:8070"));
  std::vector<std::string> kinds;
  const v1::Response events = lan.switchd.ask(R"({"watch_events":{}})");
  for (const v1::Event& event : events.events().events())
    if (event.port() == "out") kinds.push_back(event.kind());
  CHECK(kinds == std::vector<std::string>{"port_down", "gateway_restarted"});
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("a file that a gateway refuses its part of changes nothing") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=" + web);
  const Listener taken("127.0.0.1:8090");
  v1::Request apply;
  const auto apply_with = [&](const std::string& forward) {
    apply.mutable_apply()->set_yaml("networks: {lan: {}, side: {}}\nports:\n  vms: {type: unix-listen, address: " +
                                    lan.path() + ", max-frame: 9000}\n  new: {type: tcp-listen, address: 7000, "
                                    "network: side}\n  out: {type: nat, forward: ['" + forward + "']}\n");
    return lan.switchd.client.ask(apply);
  };
  const v1::Response refused = apply_with("tcp:8090:10.0.2.16:90");
  INFO(control::to_json(refused));
  REQUIRE(refused.has_error());
  CHECK(mentions(refused.error(), "127.0.0.1:8090"));
  CHECK(lan.switchd.refused(R"({"list_ports":{"name":"new"}})").code() == v1::Error::NOT_FOUND);
  CHECK(lan.switchd.refused(R"({"list_networks":{"name":"side"}})").code() == v1::Error::NOT_FOUND);
  CHECK(is_refused("127.0.0.1:7000"));
  const v1::Port vms = lan.switchd.port("vms");
  for (const v1::Key& key : vms.keys()) CHECK(key.key() != "max-frame");
  CHECK(lan.forwards("127.0.0.1:8080", 80));
  lan.flow.await(1);

  // the same file with a forward that can be had
  CHECK(apply_with("tcp:8091:10.0.2.16:91").plan().changes_size() == 4);
  CHECK(lan.forwards("127.0.0.1:8091", 91));
  CHECK_FALSE(is_refused("127.0.0.1:7000"));
  lan.check_undisturbed();
}

TEST_CASE("where guests may go is restricted and widened while they go there") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::ip("address add 203.0.113.1/32 dev lo");
  Lan lan;
  Peer far = Peer::udp("203.0.113.1:9");
  const Ipv4Address there(0xCB00'7101);
  const auto reaches = [&] {  // else the guest is told: destination unreachable, prohibited (RFC 1812, 5.2.7.1)
    lan.two.send_udp(4001, there, 9, "hello");
    const Deadline deadline;
    while (!deadline.passed()) {
      pollfd either[2] = {{far.fd(), POLLIN, 0}, {lan.two.wire.fd(), POLLIN, 0}};
      (void)::poll(either, 2, deadline.left_ms());
      if (far.receive_now() == "hello") return true;
      while (const auto frame = lan.two.wire.receive_now()) {
        const auto packet = parse_ipv4_frame(to_bytes(*frame));
        if (packet && packet->protocol == ip_protocols::icmp && packet->payload[0] == std::byte{3} &&
            packet->payload[1] == std::byte{13})
          return false;
      }
    }
    throw std::runtime_error("neither went out nor was refused");
  };
  CHECK(reaches());
  lan.change({{"outbound", {"192.0.2.0/24"}}});
  CHECK_FALSE(reaches());
  lan.change({{"outbound", {"192.0.2.0/24", "203.0.113.0/24"}}});
  CHECK(reaches());
  lan.change({{"outbound", {"192.0.2.1"}}});
  CHECK_FALSE(reaches());
  lan.change({{"outbound", {}}});
  CHECK(reaches());
  lan.check_undisturbed();
}

TEST_CASE("a UDP forward on the host's own loopback is answered, and opens the loopback to nobody") {
  IN_A_NETWORK_OF_ITS_OWN;
  Lan lan("nat,forward=udp:5353:10.0.2.16:53");
  Peer client = Peer::udp();
  Peer other = Peer::udp();
  CHECK(lan.flow.finish().empty());  // the first guest is wanted here
  const auto port_of = [](const Peer& peer) { return socket_address(peer.local()).port(); };
  client.towards("127.0.0.1:5353");
  for (const std::string question : {"first", "second", "third"}) {
    client.send(question);
    const auto [from, asked] = lan.two.receive_udp(53);
    CHECK(asked == question);
    CHECK(from == Udp4Endpoint{router, Ipv4Address(0x0A00'0202), port_of(client)});
    // Not to another program of the host, not to this one from another port, nor from another guest.
    lan.two.send_udp(53, from.address, port_of(other), "no");
    lan.two.send_udp(54, from.address, from.port, "no");
    lan.one.send_udp(53, from.address, from.port, "no");
    lan.exchange();  // that has been through the gateway
    lan.two.send_udp(53, from.address, from.port, "answer to " + question);
    CHECK(client.receive() == "answer to " + question);
    CHECK(to_string(client.source()) == "127.0.0.1:5353");
  }
  REQUIRE(lan.switchd.ask(Lan::set({{"forward", {}}})).has_ports());  // with the forward goes the way back
  lan.two.send_udp(53, Ipv4Address(0x0A00'0202), port_of(client), "no");
  lan.two.send_udp(4002, Ipv4Address(0xC000'0201), 9, "the last");
  CHECK(lan.outside.receive_until("the last") == 0);
  CHECK_FALSE(client.receive_now());
  CHECK_FALSE(other.receive_now());
}

}  // namespace process_nat_control_test
