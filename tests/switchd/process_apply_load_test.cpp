// Files applied to the real switchd while VMs exchange frames as fast as they can: those whose ports are the same in
// each file lose nothing and notice nothing.
#include <catch2/catch.hpp>
#include <set>

#include "tests/support/background.h"
#include "tests/support/controlled.h"
#include "tests/support/exchange.h"

namespace process_apply_load_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// Two networks with two VMs each, which exchange frames all the time, and two ports that nobody uses but the test.
struct Loaded {
  explicit Loaded(const std::string& engine)
      : lan({"web=unix-listen:" + path("web") + ",network=lan", "db=unix-listen:" + path("db") + ",network=back",
             "guests=unix-listen:" + path("guests") + ",network=lan"},
            engine) {
    in_lan.await(1);
    in_back.await(1);
  }
  [[nodiscard]] std::string path(const std::string& port) const { return folder.path(port); }
  [[nodiscard]] Peer join(const std::string& connection) {
    Peer peer = Peer::unix_stream(path(connection.substr(0, connection.find('.'))));
    lan.daemon.await_up(connection);
    return peer;
  }
  // What is the same in each file, and `further` lines below `ports`.
  [[nodiscard]] std::string file(const std::string& networks, const std::string& further) const {
    return "networks: {lan: {}, back: {}" + networks + "}\nports:\n  web: {type: unix-listen, address: " + path("web") +
           ", network: lan}\n  db: {type: unix-listen, address: " + path("db") + ", network: back}\n" + further;
  }
  // Applies a file, with frames before, meanwhile and behind. Says what was done: "add port new", "change port guests,
  // reopened".
  [[nodiscard]] std::set<std::string> apply(const std::string& yaml) {
    v1::Request request;
    request.mutable_apply()->set_yaml(yaml);
    const v1::Response response = lan.client.ask(request);
    INFO(yaml << control::to_json(response));
    REQUIRE(response.has_plan());
    std::set<std::string> done;
    for (const v1::Change& change : response.plan().changes()) {
      const char* const actions[] = {"add ", "remove ", "change "};
      const char* const how = change.reopens() ? ", reopened" : "";
      done.insert(actions[change.action()] + change.what() + " " + change.name() + how);
    }
    in_lan.await(1);
    in_back.await(1);
    return done;
  }
  void check_unharmed() {
    CHECK(in_lan.finish().empty());
    CHECK(in_back.finish().empty());
    for (const std::string name : {"web.1", "web.2", "db.1", "db.2"}) {
      const std::uint64_t sent = name.starts_with("web") ? lan_exchange.sent() : back_exchange.sent();
      const v1::Counters counters = lan.await_sent(name, sent);
      CHECK(counters.received_frames() == sent);
      CHECK(counters.sent_frames() == sent);
      for (const auto& [reason, count] : counters.drops())
        CHECK(name + " " + reason + " " + std::to_string(count) == name + " " + reason + " 0");
      CHECK_FALSE(lan.daemon.has_printed("port " + name + " down"));
    }
    for (const v1::Response& response : lan.client.ask_all(Controlled::request(R"({"watch_events":{}})")))
      for (const v1::Event& event : response.events().events())
        if (event.port().starts_with("web") || event.port().starts_with("db")) CHECK(event.kind() == "port_up");
    CHECK(ledger_mistakes(lan.daemon.stats()).empty());
    CHECK(lan.daemon.stop() == 0);
  }

  TempFolder folder;
  Controlled lan;
  Exchange lan_exchange{join("web.1"), join("web.2"), 1};
  Exchange back_exchange{join("db.1"), join("db.2"), 3};
  Background in_lan{[this] { lan_exchange.round(); }};
  Background in_back{[this] { back_exchange.round(); }};
};

using Done = std::set<std::string>;

}  // namespace

TEST_CASE("files are applied again and again while VMs exchange frames, and none is lost") {
  ON_EVERY_REAL_ENGINE;
  Loaded it(engine);
  const auto guests = [&](const std::string& address, const std::string& keys) {
    return "  guests: {type: unix-listen, address: " + it.path(address) + keys + "}\n";
  };
  const std::string with_guests = it.file("", guests("guests", ", network: lan"));
  CHECK(it.apply(with_guests).empty());
  for (unsigned i = 0; i < 10; ++i) {
    Peer guest = it.join("guests.1");
    // ports and networks that come
    CHECK(it.apply(it.file(", side: {kind: hub}", guests("guests", ", network: lan") +
                               "  new: {type: tcp-listen, address: 0, network: side}\n")) ==
          Done{"add network side", "add port new"});
    // one that takes shorter frames, and then goes to another network, while somebody is connected to it
    CHECK(it.apply(it.file("", guests("guests", ", network: lan, max-frame: 200"))) ==
          Done{"change port guests", "remove network side", "remove port new"});
    CHECK(it.lan.port("guests.1").state() == "up");
    CHECK(it.apply(it.file("", guests("guests", ", network: back, queue: 100"))) == Done{"change port guests"});
    CHECK(it.lan.port("guests.1").network() == "back");
    // one that is opened again elsewhere, and back
    CHECK(it.apply(it.file("", guests("guests2", ", network: lan"))) == Done{"change port guests, reopened"});
    guest.await_closed();
    CHECK(it.apply(with_guests) == Done{"change port guests, reopened"});
    // ports that go, with connections, and come again
    guest = it.join("guests.1");
    CHECK(it.apply(it.file(", empty: {}", "")) == Done{"add network empty", "remove port guests"});
    guest.await_closed();
    CHECK(it.apply(with_guests) == Done{"add port guests", "remove network empty"});
  }
  it.check_unharmed();
}

TEST_CASE("files that cannot be applied are refused while VMs exchange frames, and none is lost") {
  ON_EVERY_REAL_ENGINE;
  Loaded it(engine);
  const Listener taken;
  v1::Request request;
  request.mutable_apply()->set_yaml(
      it.file(", side: {}", "  guests: {type: unix-listen, address: " + it.path("guests2") + ", network: side}\n" +
                                "  taken: {type: tcp-listen, address: \"" + taken.address() + "\", network: lan}\n"));
  for (unsigned i = 0; i < 2; ++i) {
    Peer guest = it.join("guests.1");
    const v1::Response refused = it.lan.client.ask(request);
    INFO(control::to_json(refused));
    REQUIRE(refused.has_error());
    CHECK(mentions(refused.error(), taken.address()));
    guest.await_closed();  // it was closed before the other could be tried, and opened again
    it.in_lan.await(1);
    it.in_back.await(1);
    CHECK(it.lan.port("guests").address() == it.path("guests"));
  }
  it.check_unharmed();
}

}  // namespace process_apply_load_test
