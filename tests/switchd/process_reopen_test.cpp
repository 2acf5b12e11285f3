// Ports that are closed and opened again, by every verb that does so: with the real switchd, every type, and every key
// that reopens. Where a port can be opened again it is as before; where it cannot it is down with its reason, and comes
// back when what it needs does. After each change every verb still works.
#include <sys/stat.h>

#include <cstdio>
#include <functional>

#include "tests/support/controlled.h"
#include "tests/support/network_of_test.h"

namespace process_reopen_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Key {
  std::string name;  // "address": that
  std::string value;
};

// A port in a network of the test's own, where numbers are free.
struct Kind {
  std::string type;
  std::string address;
  std::vector<Key> keys;     // as it is at first
  std::vector<Key> changes;  // each reopens it
  std::string needs{};       // what can be taken from under it: "d0", an interface with 10.9.0.1, or "F", a folder
};

std::vector<Kind> kinds(const std::string& folder) {
  return {
      {"tcp-listen", "10.9.0.1:7001", {}, {{"allow", "10.0.0.0/8"}, {"address", "10.9.0.1:7002"}}, "d0"},
      {"tcp-connect", "127.0.0.1:7101", {}, {{"address", "127.0.0.1:7102"}}},
      {"unix-listen", folder + "/p", {}, {{"mode", "0666"}, {"address", folder + "/p2"}}, "F"},
      {"unix-connect", folder + "/none", {}, {{"address", folder + "/none2"}}},
      {"udp", "10.9.0.1:7201", {{"remote", "127.0.0.1:7202"}},
       {{"remote", "127.0.0.1:7203"}, {"address", "10.9.0.1:7204"}}, "d0"},
      {"udp", "10.9.0.1:7301", {{"allow", "127.0.0.1"}}, {{"allow", "127.0.0.2"}, {"address", "10.9.0.1:7304"}}, "d0"},
      {"unix-dgram", folder + "/p", {{"remote", folder + "/q"}},
       {{"remote", folder + "/q2"}, {"mode", "0666"}, {"address", folder + "/p2"}}, "F"},
      {"mcast", "239.1.2.3:7401", {{"interface", "d0"}}, {{"ttl", "2"}, {"interface", "127.0.0.1"},
       {"address", "239.1.2.4:7401"}}, "d0"},
      {"tap", "tap0", {}, {{"up", "/bin/true"}, {"down", "/bin/true"}, {"address", "tap1"}}},
      {"nic", "v0", {}, {{"address", "v1"}}},  // it goes down by itself: process_missing_test.cpp
      {"nat", "10.0.2.0/24", {{"forward", "tcp:10.9.0.1:7501:10.0.2.15:80"}},
       {{"router", "10.0.2.9"}, {"mtu", "1400"}, {"domain", "vms"}}, "d0"},
  };
}

std::string json_of(const Key& key) { return R"({"key":")" + key.name + R"(","values":[")" + key.value + "\"]}"; }

// Of the port with one thing changed.
std::string yaml_of(const Kind& kind, const std::string& name, const Key& change = {}) {
  const std::string address = change.name == "address" ? change.value : kind.address;
  std::string yaml = "  " + name + ": {type: " + kind.type + ", address: \"" + address + "\"";
  std::vector<Key> keys = kind.keys;
  std::erase_if(keys, [&](const Key& key) { return key.name == change.name; });
  if (!change.name.empty() && change.name != "address") keys.push_back(change);
  for (const Key& key : keys) yaml += ", " + key.name + ": \"" + key.value + "\"";
  return yaml + "}\n";
}

std::string text_of(const Kind& kind, const std::string& name) {
  std::string text = name + "=" + kind.type + ":" + kind.address;
  for (const Key& key : kind.keys) text += "," + key.name + "=" + key.value;
  return text;
}

// A daemon with the port `p`, and `k`, of which nothing is wanted but that it can be changed.
class Place {
 public:
  Place(const std::string& engine, const std::string& folder, const Kind& kind)
      : kind_(kind), folder_(folder), lan({text_of(kind, "p"), "k=unix-listen:" + folder + "-k"}, engine),
        state_(lan.port("p").state()) {}

  v1::Response apply(const std::string& ports) {
    v1::Request request;
    request.mutable_apply()->set_yaml("ports:\n" + ports + k());
    return lan.client.ask(request);
  }
  [[nodiscard]] std::string k() const { return "  k: {type: unix-listen, address: " + folder_ + "-k}\n"; }

  v1::Response set(const Key& change) {
    if (change.name == "address") return lan.ask(R"({"set_port":{"name":"p","address":")" + change.value + "\"}}");
    return lan.ask(R"({"set_port":{"name":"p","keys":[)" + json_of(change) + "]}}");
  }

  // The port is there as at first: open, listening, or down because nobody listens.
  void check_is_back(const std::string& name = "p") {
    for (const Deadline deadline; lan.port(name).state() != state_ && !deadline.passed();) continue;
    CHECK(lan.port(name).state() == state_);
    CHECK(lan.port(name).reason().empty() == (state_ != "down"));
  }

  // It hears by itself that what it needs has gone.
  void check_goes_down() {
    for (const Deadline deadline; lan.port("p").state() != "down" && !deadline.passed();) continue;
    CHECK(lan.port("p").state() == "down");
    CHECK_FALSE(lan.port("p").reason().empty());
  }

  // Each verb on the other port, and what reads.
  void check_every_verb() {
    CHECK(lan.ask(R"({"set_port":{"name":"k","keys":[{"key":"mode","values":["0600"]}]}})").has_ports());
    CHECK(lan.ask(R"({"disable_port":{"name":"k"}})").has_ports());
    CHECK(lan.ask(R"({"enable_port":{"name":"k"}})").has_ports());
    CHECK(lan.ask(R"({"add_port":{"port":{"text":"z=unix-listen:)" + folder_ + R"(-z"}}})").has_ports());
    CHECK(lan.ask(R"({"remove_port":{"name":"z"}})").has_done());
    CHECK(lan.ask(R"({"set_port":{"name":"k","keys":[{"key":"mode"}]}})").has_ports());
    CHECK(lan.ask(R"({"list_networks":{}})").has_networks());
    CHECK(lan.ask(R"({"get_status":{}})").status().ports() == 2);
  }
  // A file without the port: the verb that met what was left of it.
  void check_can_be_removed() {
    const v1::Response removed = apply("");
    INFO(control::to_json(removed));
    CHECK(removed.has_plan());
    CHECK(lan.refused(R"({"list_ports":{"name":"p"}})").code() == v1::Error::NOT_FOUND);
    CHECK(lan.daemon.stop() == 0);
  }

 private:
  Kind kind_;
  std::string folder_;

 public:
  Controlled lan;

 private:
  std::string state_;
};

// What a port needs is there, and is not.
class Ground {
 public:
  explicit Ground(const std::string& folder) : folder_(folder) {
    NetworkOfTest::add_cable("v0", "v1");
    add_d0();
    REQUIRE(::mkdir(folder_.c_str(), 0700) == 0);
  }
  void take(const std::string& what) {
    if (what == "d0") NetworkOfTest::ip("link del d0");
    if (what == "F") REQUIRE(::rename(folder_.c_str(), (folder_ + "-away" + std::to_string(++taken_)).c_str()) == 0);
  }
  void bring(const std::string& what) const {
    if (what == "d0") add_d0();
    if (what == "F") REQUIRE(::mkdir(folder_.c_str(), 0700) == 0);
  }

 private:
  static void add_d0() {
    NetworkOfTest::ip("link add d0 type veth peer name d1");
    NetworkOfTest::ip("addr add 10.9.0.1/24 dev d0");
    NetworkOfTest::ip("link set d1 up");
    NetworkOfTest::ip("link set d0 up");
  }
  std::string folder_;
  int taken_ = 0;
};

std::vector<Kind> kinds_here(const NetworkOfTest& network, const std::string& folder) {
  std::vector<Kind> all = kinds(folder);
  if (const std::string why = network.why_no_tap(); !why.empty()) {
    WARN("no TAPs are tested here: " << why);
    std::erase_if(all, [](const Kind& kind) { return kind.type == "tap"; });
  }
  return all;
}

// The verbs that close and open `p`; each returns its answer.
using Verb = std::function<v1::Response(Place&, const Kind&, const Key&)>;
const std::vector<std::pair<std::string, Verb>> verbs = {
    {"set", [](Place& place, const Kind&, const Key& change) { return place.set(change); }},
    {"apply", [](Place& place, const Kind& kind, const Key& change) { return place.apply(yaml_of(kind, "p", change)); }},
    {"apply, renamed", [](Place& place, const Kind& kind, const Key&) { return place.apply(yaml_of(kind, "q")); }},
    {"disable and enable",
     [](Place& place, const Kind&, const Key&) {
       CHECK(place.lan.ask(R"({"disable_port":{"name":"p"}})").ports().ports(0).state() == "disabled");
       return place.lan.ask(R"({"enable_port":{"name":"p"}})");
     }},
};

}  // namespace

TEST_CASE("a port of every type is closed and opened again by every verb and every key that does so") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  TempFolder temporary;
  const std::string folder = temporary.path("F");
  const Ground ground(folder);
  for (const Kind& kind : kinds_here(network, folder)) {
    Place place(engine, folder, kind);
    for (const auto& [verb_name, verb] : verbs)
      for (const Key& change : kind.changes) {
        INFO(kind.type << " " << verb_name << " " << change.name << "=" << change.value);
        const v1::Response answer = verb(place, kind, change);
        INFO(control::to_json(answer));
        CHECK_FALSE(answer.has_error());
        const bool is_renamed = verb_name == "apply, renamed";
        place.check_is_back(is_renamed ? "q" : "p");
        const v1::Response back = place.apply(yaml_of(kind, "p"));
        INFO(control::to_json(back));
        CHECK(back.has_plan());
        place.check_is_back();
      }
    INFO(kind.type);
    place.check_every_verb();
    place.check_can_be_removed();
  }
}

TEST_CASE("a port that cannot be opened again is down with its reason, and back when what it needs is") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  TempFolder temporary;
  const std::string folder = temporary.path("F");
  Ground ground(folder);
  for (const Kind& kind : kinds_here(network, folder)) {
    if (kind.needs.empty()) continue;
    for (const auto& [verb_name, verb] : verbs) {
      const Key change = kind.changes.front();
      INFO(kind.type << " " << verb_name << " " << change.name << "=" << change.value);
      Place place(engine, folder, kind);
      ground.take(kind.needs);
      const v1::Response answer = verb(place, kind, change);
      const std::string text = control::to_json(answer);
      INFO(text);
      CHECK(answer.has_error());
      // A port of another name is opened before anything is closed.
      const bool was_closed = verb_name != "apply, renamed";
      CHECK((text.find("nothing was changed") == std::string::npos) == was_closed);
      if (!was_closed) {
        kind.type == "mcast" ? place.check_goes_down() : place.check_is_back();
        place.check_every_verb();
        place.check_can_be_removed();
        ground.bring(kind.needs);
        continue;
      }
      const v1::Port down = place.lan.port("p");
      CHECK(down.state() == "down");
      CHECK_FALSE(down.reason().empty());
      place.check_every_verb();
      ground.bring(kind.needs);
      (void)place.lan.daemon.await_up("p");
      place.check_is_back();
      place.check_every_verb();
      place.check_can_be_removed();
    }
  }
}

TEST_CASE("a port that is down because of a change can be removed, disabled and changed") {
  ON_EVERY_REAL_ENGINE;
  TempFolder temporary;
  const std::string folder = temporary.path("F");
  REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
  const Kind kind = kinds(folder)[2];
  const std::string how = GENERATE("remove", "apply", "disable", "set", "set network", "enable");
  Place place(engine, folder, kind);
  REQUIRE(::rename(folder.c_str(), temporary.path("away").c_str()) == 0);
  const v1::Response refused = place.set({"mode", "0666"});
  REQUIRE(refused.has_error());
  CHECK(mentions(refused.error(), "port p is down, and tried again as it was: "));
  INFO(how);
  if (how == "remove") {
    CHECK(place.lan.ask(R"({"remove_port":{"name":"p"}})").has_done());
  } else if (how == "apply") {
    CHECK(place.apply("").has_plan());
  } else if (how == "disable") {
    CHECK(place.lan.ask(R"({"disable_port":{"name":"p"}})").ports().ports(0).state() == "disabled");
    CHECK(place.lan.port("p").reason().empty());
  } else if (how == "set") {
    CHECK(place.set({"mode", "0640"}).ports().ports(0).state() == "down");  // it waits with that
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    (void)place.lan.daemon.await_up("p");
    struct stat status {};
    REQUIRE(::stat((folder + "/p").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
  } else if (how == "set network") {
    CHECK(place.lan.ask(R"({"add_network":{"name":"other"}})").has_done());
    CHECK(place.set({"network", "other"}).ports().ports(0).network() == "other");
    CHECK(place.lan.port("p").state() == "down");
    CHECK(place.apply(yaml_of(kind, "p")).has_plan());
  } else {
    CHECK(place.lan.ask(R"({"enable_port":{"name":"p"}})").ports().ports(0).state() == "down");
    REQUIRE(::mkdir(folder.c_str(), 0700) == 0);
    CHECK(place.lan.ask(R"({"enable_port":{"name":"p"}})").ports().ports(0).state() == "listening");  // at once
  }
  CHECK(place.apply("").has_plan());
  CHECK(place.lan.daemon.stop() == 0);
}

}  // namespace process_reopen_test
