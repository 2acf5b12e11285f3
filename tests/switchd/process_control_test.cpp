// The control socket of the real switchd: what is asked, what is changed while frames flow, and what bad input gets.
#include <sys/stat.h>

#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "tests/support/controlled.h"
#include "tests/support/frames.h"
#include "tests/support/peer.h"

namespace process_control_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

const std::string vm = mac(1);

}  // namespace

TEST_CASE("what there is can be asked") {
  Controlled lan({"web=tcp-listen:0,max-frame=1514", "--network", "lan", "--network", "core:hub"});
  const v1::Status status = lan.ask(R"({"get_status":{}})").status();
  CHECK(status.networks() == 2);
  CHECK(status.ports() == 1);
  CHECK(status.control(0) == "unix:" + lan.path());
  CHECK(status.chunks().capacity() > 0);
  CHECK(lan.ask(R"({"get_version":{}})").version().protocol() == 1);
  const v1::Networks networks = lan.ask(R"({"list_networks":{}})").networks();
  REQUIRE(networks.networks_size() == 2);
  CHECK(networks.networks(0).kind() == "hub");
  const v1::Port web = lan.port("web");
  CHECK(web.state() == "listening");
  CHECK(web.address() == lan.daemon.address("web"));
  REQUIRE(web.keys_size() == 2);
  CHECK(web.keys(1).key() == "max-frame");
  CHECK(web.qemu(0).find("-netdev stream,id=net0,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=") == 0);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("ports come and go while others carry frames, and those lose none") {
  ON_EVERY_REAL_ENGINE;
  Controlled lan({"web=tcp-listen:0"}, engine);
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  const std::string frame = test::frame(broadcast, vm);
  for (int i = 0; i < 5; ++i) {
    const v1::Response added = lan.ask(R"({"add_port":{"port":{"text":"db=unix-listen:)" + lan.folder.path("db") + R"("}}})");
    INFO(control::to_json(added));
    REQUIRE(added.ports().ports(0).state() == "listening");
    Peer c = Peer::unix_stream(lan.folder.path("db"));
    lan.daemon.await_up("db.1");
    a.send(frame);
    CHECK(b.receive() == frame);
    CHECK(c.receive() == frame);
    REQUIRE(lan.ask(R"({"remove_port":{"name":"db"}})").has_done());
    c.await_closed();
  }
  a.send(frame);
  CHECK(b.receive() == frame);
  CHECK(lan.await_sent("web.2", 6).sent_frames() == 6);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a port changes its network and its limits while frames flow") {
  ON_EVERY_REAL_ENGINE;
  Controlled lan({"web=tcp-listen:0", "db=tcp-listen:0,network=back", "--network", "lan", "--network", "back:switch"},
                 engine);
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "db.1");
  const v1::Response changed = lan.ask(R"({"set_port":{"name":"db","keys":[{"key":"network","values":["lan"]},)"
                                       R"({"key":"max-frame","values":["100"]}]}})");
  INFO(control::to_json(changed));
  REQUIRE(changed.ports().ports(0).network() == "lan");
  CHECK(lan.port("db.1").network() == "lan");
  a.send(test::frame(broadcast, vm, 200));
  const std::string small = test::frame(broadcast, vm, 80);
  a.send(small);
  CHECK(b.receive() == small);
  CHECK(lan.port("db.1").counters().drops().at("mtu") == 1);
  CHECK(lan.refused(R"({"remove_network":{"name":"lan"}})").code() == v1::Error::CONFLICT);
  CHECK(lan.ask(R"({"remove_network":{"name":"back"}})").has_done());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("the event of a change names what is new, what went back to its default, and what was taken away") {
  Controlled lan({"a=tcp-listen:0,max-frame=1514,queue=9,allow=127.0.0.0/8+::1", "n=nat:10.9.0.0/24,outbound=none"});
  const auto changed = [&](const std::string& verb, const std::string& name, const std::string& keys) {
    CHECK_FALSE(lan.ask(fmt::format(R"({{"{}":{{"name":"{}","keys":[{}]}}}})", verb, name, keys)).has_error());
    const v1::Events events = lan.ask(R"({"watch_events":{}})").events();
    for (int i = events.events_size() - 1; i >= 0; --i)
      if (events.events(i).kind().ends_with("_changed")) return events.events(i).text();
    return std::string();
  };
  CHECK(changed("set_port", "a", R"({"key":"max-frame"},{"key":"queue","values":["7"]})") ==
        "port a changed: queue: 7, max-frame back to its default");
  CHECK(changed("set_port", "a", R"({"key":"allow","values":["127.0.0.0/8"]})") == "port a changed: without allow: ::1/128");
  CHECK(changed("set_port", "a", R"({"key":"allow"},{"key":"queue"})") ==
        "port a changed: queue back to its default, allow back to its default");
  CHECK(changed("set_port", "n", R"({"key":"outbound"})") == "port n changed: outbound back to its default");
  CHECK(changed("set_port", "n", R"({"key":"address"})") == "port n changed: address: 10.0.2.0/24");
  CHECK(changed("set_network", "lan", R"({"key":"stp","values":["consume"]},{"key":"ageing","values":["9"]})") ==
        "network lan changed: ageing: 9, stp: consume");
  CHECK(changed("set_network", "lan", R"({"key":"stp"},{"key":"ageing"})") ==
        "network lan changed: ageing back to its default, stp back to its default");
  CHECK(mentions(lan.refused(R"({"set_port":{"name":"a","keys":[{"key":"address"}]}})"), "tcp-listen needs an address"));
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a key that stands against one that the port has is refused with the way to take that away") {
  Controlled lan({"one=udp:127.0.0.1:0,remote=127.0.0.1:9", "many=udp:127.0.0.1:0,allow=127.0.0.0/8"});
  const std::string remote = R"({"key":"remote","values":["127.0.0.1:9"]})";
  const std::string allow = R"({"key":"allow","values":["127.0.0.0/8"]})";
  const auto set = [](const std::string& port, const std::string& keys) {
    return fmt::format(R"({{"set_port":{{"name":"{}","keys":[{}]}}}})", port, keys);
  };
  CHECK(lan.refused(set("one", allow)).message() ==
        "port one: udp takes remote (one peer) or allow (many), not both; remote= takes away what it has");
  CHECK(lan.refused(set("many", remote)).message() ==
        "port many: udp takes remote (one peer) or allow (many), not both; allow= takes away what it has");
  CHECK(lan.ask(set("one", allow + R"(,{"key":"remote"})")).has_ports());
  CHECK(lan.ask(set("many", remote + R"(,{"key":"allow"})")).has_ports());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a port that is disabled is closed, and enabled it is there again") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  CHECK(lan.ask(R"({"disable_port":{"name":"web"}})").ports().ports(0).state() == "disabled");
  a.await_closed();
  CHECK(lan.ask(R"({"enable_port":{"name":"web"}})").ports().ports(0).state() == "listening");
  Peer b = Peer::tcp(lan.port("web").address());
  lan.daemon.await_up("web.1");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a file is applied: a plan first, then only what differs; what is the same keeps its connections") {
  ON_EVERY_REAL_ENGINE;
  TempFolder paths;
  Controlled lan({"web=unix-listen:" + paths.path("web"), "old=tcp-listen:0"}, engine);
  Peer a = Peer::unix_stream(paths.path("web"));
  lan.daemon.await_up("web.1");
  v1::Request apply;
  apply.mutable_apply()->set_file("lan.yaml");
  apply.mutable_apply()->set_yaml("networks: {lan: {}, side: {kind: hub}}\nports:\n  web: {type: unix-listen, address: " +
                                  paths.path("web") + "}\n  new: {type: tcp-listen, address: 0, network: side}\n");
  apply.mutable_apply()->set_dry_run(true);
  const v1::Plan plan = lan.client.ask(apply).plan();
  INFO(control::to_json(plan));
  REQUIRE(plan.changes_size() == 3);
  CHECK(lan.ask(R"({"get_status":{}})").status().ports() == 3);
  apply.mutable_apply()->set_dry_run(false);
  CHECK(lan.client.ask(apply).plan().changes_size() == 3);
  CHECK(lan.port("new").network() == "side");
  CHECK(lan.refused(R"({"list_ports":{"name":"old"}})").code() == v1::Error::NOT_FOUND);
  Peer b = Peer::unix_stream(paths.path("web"));
  lan.daemon.await_up("web.2");
  const std::string frame = test::frame(broadcast, vm);
  a.send(frame);
  CHECK(b.receive() == frame);
  CHECK(lan.client.ask(apply).plan().changes_size() == 0);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a change that cannot be carried out changes nothing") {
  TempFolder paths;
  Controlled lan({"web=tcp-listen:0", "a=unix-listen:" + paths.path("a")});
  v1::Request apply;
  apply.mutable_apply()->set_yaml("ports:\n  a: {type: unix-listen, address: " + paths.path("a2") +
                                  "}\n  bad: {type: nic, address: nosuch0}\n  web: {type: tcp-listen, address: 0}\n");
  const v1::Response refused = lan.client.ask(apply);
  INFO(control::to_json(refused));
  REQUIRE(refused.has_error());
  CHECK(mentions(refused.error(), "bad"));
  CHECK(lan.port("a").address() == paths.path("a"));
  Peer still = Peer::unix_stream(paths.path("a"));
  lan.daemon.await_up("a.1");
  CHECK(lan.ask(R"({"get_status":{}})").status().ports() == 3);

  // closed before it was found out: opened again as it was
  const v1::Error gone =
      lan.refused(R"({"set_port":{"name":"a","address":")" + paths.path("no/such/folder") + "\"}}");
  CHECK(gone.code() == v1::Error::UNAVAILABLE);
  CHECK(lan.port("a").address() == paths.path("a"));
  Peer again = Peer::unix_stream(paths.path("a"));
  lan.daemon.await_up("a.1");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("what is wrong in a request is named, and nothing is changed") {
  Controlled lan({"web=tcp-listen:0"});
  CHECK(mentions(lan.refused(R"({"add_port":{"port":{"text":"x=tcp-listn:0"}}})"), "tcp-listen"));
  CHECK(mentions(lan.refused(R"({"add_port":{"port":{"text":"web=tcp-listen:0"}}})"), "web"));
  CHECK(mentions(lan.refused(R"({"add_port":{"port":{"type":"udp","address":"127.0.0.1:1"}}})"), "remote"));
  CHECK(mentions(lan.refused(R"({"set_port":{"name":"web","keys":[{"key":"max-frame","values":["9"]}]}})"), "69632"));
  CHECK(mentions(lan.refused(R"({"set_port":{"name":"web","keys":[{"key":"colour","values":["red"]}]}})"), "colour"));
  CHECK(mentions(lan.refused(R"({"set_port":{"name":"wbe"}})"), "did you mean 'web'"));
  CHECK(mentions(lan.refused(R"({"add_network":{"name":"x","kind":"ring"}})"), "ring"));
  CHECK(mentions(lan.refused(R"({"set_network":{"name":"lan","ageing_s":"0"}})"), "ageing: expected"));
  CHECK(mentions(lan.refused(R"({"set_network":{"name":"lan","keys":[{"key":"stp","values":["on"]}]}})"), "stp: expected"));
  CHECK(mentions(lan.refused(R"({"set_network":{"name":"lan","keys":[{"key":"sto","values":["pass"]}]}})"), "'stp'"));
  CHECK(mentions(lan.refused(R"({"set_network":{"name":"lan","keys":[{"key":"stp","values":["pass","pass"]}]}})"), "single"));
  CHECK(mentions(lan.refused(R"({"set_network":{"name":"lan","kind":"hub","keys":[{"key":"kind"}]}})"), "twice"));
  CHECK(mentions(lan.refused(R"({"add_network":{"name":"x","keys":[{"key":"stp"}]}})"), "stp: expected"));
  CHECK(mentions(lan.refused(R"({"flush_macs":{"mac":"5"}})"), "mac"));
  CHECK(mentions(lan.refused(R"({"watch_stats":{"interval_ms":1}})"), "interval_ms"));
  CHECK(lan.refused(R"({"cancel":{"stream":"9"}})").code() == v1::Error::NOT_FOUND);
  CHECK(lan.refused("{}").code() == v1::Error::UNKNOWN_VERB);
  CHECK(lan.ask(R"({"get_status":{}})").status().ports() == 1);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("keys of networks are set, shown, planned and applied like those of ports, while frames flow") {
  Controlled lan({"--network", "lan,ageing=60", "web=tcp-listen:0"});
  const auto keys_of = [&](const std::string& name) {
    std::map<std::string, std::string> keys;
    const v1::Response listed = lan.ask(R"({"list_networks":{"name":")" + name + "\"}}");
    for (const v1::Key& key : listed.networks().networks(0).keys()) keys[key.key()] = key.values(0);
    return keys;
  };
  using Keys = std::map<std::string, std::string>;
  CHECK(keys_of("lan") == Keys{{"ageing", "60"}});
  CHECK(lan.ask(R"({"set_network":{"name":"lan","rewind_mib":"1","keys":[{"key":"stp","values":["consume"]}]}})")
            .has_networks());
  CHECK(keys_of("lan") == Keys{{"ageing", "60"}, {"rewind", "1"}, {"stp", "consume"}});
  CHECK(lan.ask(R"({"add_port":{"port":{"text":"db=tcp-listen:0"}}})").has_ports());  // which leaves them alone
  CHECK(lan.ask(R"({"set_network":{"name":"lan","keys":[{"key":"ageing"}]}})").networks().networks(0).ageing_s() == 300);
  CHECK(keys_of("lan") == Keys{{"rewind", "1"}, {"stp", "consume"}});
  CHECK(lan.ask(R"({"add_network":{"name":"side","keys":[{"key":"ageing","values":["9"]}]}})").has_done());
  CHECK(keys_of("side") == Keys{{"ageing", "9"}});

  v1::Request apply;
  apply.mutable_apply()->set_yaml(
      "networks: {lan: {ageing: 20}, side: {ageing: 9}}\nports:\n  web: {type: tcp-listen, address: 0}\n"
      "  db: {type: tcp-listen, address: 0}\n");
  const v1::Plan plan = lan.client.ask(apply).plan();
  REQUIRE(plan.changes_size() == 1);
  const v1::Change& change = plan.changes(0);
  CHECK(change.name() == "lan");
  CHECK(std::vector<std::string>(change.before().begin(), change.before().end()) ==
        std::vector<std::string>{"rewind: 1", "stp: consume"});
  CHECK(std::vector<std::string>(change.after().begin(), change.after().end()) == std::vector<std::string>{"ageing: 20"});
  const v1::Network applied = lan.ask(R"({"list_networks":{"name":"lan"}})").networks().networks(0);
  CHECK(applied.rewind_mib() == 0);
  CHECK(applied.ageing_s() == 20);
  CHECK(lan.client.ask(apply).plan().changes_size() == 0);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a network keeps its past from the start where it is configured to") {
  Controlled lan({"--network", "lan,rewind=2", "web=tcp-listen:0"});
  CHECK(lan.ask(R"({"list_networks":{}})").networks().networks(0).rewind_mib() == 2);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("stations are listed and forgotten; one that moves is an event") {
  ON_EVERY_REAL_ENGINE;
  Controlled lan({"web=tcp-listen:0"}, engine);
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  const std::string frame = test::frame(broadcast, vm);
  a.send(frame);
  CHECK(b.receive() == frame);
  const auto macs = [&] {
    std::vector<std::string> ports;
    for (const v1::Response& response : lan.client.ask_all(Controlled::request(R"({"list_macs":{}})")))
      for (const v1::Mac& mac : response.macs().macs()) ports.push_back(mac.port());
    return ports;
  };
  CHECK(macs() == std::vector<std::string>{"web.1"});
  b.send(frame);
  CHECK(a.receive() == frame);
  CHECK(macs() == std::vector<std::string>{"web.2"});
  const std::uint64_t follow = lan.client.send(Controlled::request(R"({"watch_events":{"follow":true}})"));
  for (bool moved = false; !moved;) {
    const v1::Response response = lan.client.next();
    CHECK(response.id() == follow);
    for (const v1::Event& event : response.events().events())
      moved = moved || (event.kind() == "mac_moved" && event.port() == "web.2" && event.count() == 1);
  }
  CHECK(lan.port("web.2").counters().moves() == 1);
  CHECK(lan.ask(R"({"flush_macs":{"port":"web.1"}})").done().count() == 0);
  CHECK(lan.ask(R"({"flush_macs":{}})").done().count() == 1);
  CHECK(macs().empty());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("statistics come at an interval until they are cancelled") {
  Controlled lan({"web=tcp-listen:0"});
  const std::uint64_t id = lan.client.send(Controlled::request(R"({"watch_stats":{"interval_ms":100}})"));
  for (int i = 0; i < 3; ++i) {
    const v1::Response response = lan.client.next();
    CHECK(response.id() == id);
    CHECK(response.more());
    CHECK(response.ports().ports_size() == 1);
  }
  CHECK(lan.ask(R"({"cancel":{"stream":")" + std::to_string(id) + "\"}}").has_done());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("garbage on the control socket costs its sender the connection, and nobody else anything") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  ControlClient garbage(lan.path());
  garbage.send_raw(std::string("\0\0\0\4", 4) + "\xff\xff\xff\xff");
  CHECK(garbage.next().error().code() == v1::Error::INVALID);
  garbage.await_end();
  ControlClient huge(lan.path());
  huge.send_raw("\xff\xff\xff\xff more");
  CHECK(mentions(huge.next().error(), "longer"));
  huge.await_end();
  ControlClient half(lan.path());
  half.send_raw(std::string("\0\0\1\0half", 8));
  std::vector<ControlClient> many;
  for (int i = 0; i < 200; ++i) many.emplace_back(lan.path());
  CHECK(many.back().next().error().code() == v1::Error::LIMIT);
  const std::string frame = test::frame(broadcast, vm);
  a.send(frame);
  CHECK(b.receive() == frame);
  CHECK(lan.ask(R"({"get_version":{}})").version().protocol() == 1);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("only this user may use the control socket, and a second daemon does not take it") {
  Controlled lan({"web=tcp-listen:0"});
  struct stat status {};
  REQUIRE(::stat(lan.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  const Ended second = run_switchd({"--control", lan.path(), "tcp-listen:0"});
  CHECK(second.exit_code == 1);
  CHECK(second.log.find(lan.path()) != std::string::npos);
  CHECK(lan.ask(R"({"shutdown":{}})").has_done());
  CHECK(lan.daemon.await_exit() == 0);
  CHECK(::stat(lan.path().c_str(), &status) != 0);
}

TEST_CASE("a document that says neither which ports nor which networks there are is refused, as it would remove all") {
  TempFolder paths;
  Controlled lan({"web=unix-listen:" + paths.path("web")});
  const bool dry_run = GENERATE(false, true);
  const auto apply = [&](const std::string& yaml) {
    v1::Request request;
    request.mutable_apply()->set_yaml(yaml);
    request.mutable_apply()->set_dry_run(dry_run);
    return lan.client.ask(request);
  };
  for (const char* nothing : {"", " \n\n", "# a comment\n", "---\n", "---\n...\n", "{}", "{}\n# more\n", "network: lan\n",
                              "log-level: debug\n", "engine: auto\nstrict: false\n", "ports:\n",
                              "ports:\n  # web:\nnetworks:\n"}) {
    const v1::Response refused = apply(nothing);
    INFO(nothing << control::to_json(refused));
    REQUIRE(refused.has_error());
    CHECK(refused.error().code() == v1::Error::INVALID);
    CHECK(mentions(refused.error(), "expected ports or networks; where there shall be none: ports: {}"));
    CHECK(lan.port("web").state() == "listening");
  }
  for (const char* all_goes : {"ports: {}", "networks: {}", "networks:\n  side: {}\n"}) {
    const v1::Response removed = apply(all_goes);
    INFO(all_goes << control::to_json(removed));
    REQUIRE(removed.has_plan());
    if (dry_run) {
      CHECK(lan.port("web").state() == "listening");
      continue;
    }
    CHECK(lan.refused(R"({"list_ports":{"name":"web"}})").code() == v1::Error::NOT_FOUND);
    REQUIRE(lan.ask(R"({"add_port":{"port":{"text":"web=unix-listen:)" + paths.path("web") + R"("}}})").has_ports());
  }
  CHECK(lan.daemon.stop() == 0);
}

namespace {

// What applying a document changes of the settings, "log-level: info -> debug", and what takes a new start.
std::vector<std::string> settings_in(Controlled& lan, const std::string& yaml, bool dry_run) {
  v1::Request request;
  request.mutable_apply()->set_yaml(yaml);
  request.mutable_apply()->set_dry_run(dry_run);
  const v1::Response response = lan.client.ask(request);
  INFO(yaml << control::to_json(response));
  REQUIRE(response.has_plan());
  std::vector<std::string> all;
  for (const v1::Change& change : response.plan().changes()) {
    if (change.what() != "setting") continue;
    CHECK(change.action() == v1::Change::CHANGE);
    all.push_back(change.before(0) + " -> " + change.after(0));
  }
  for (const std::string& warning : response.plan().warnings()) all.push_back(warning);
  return all;
}

using Settings = std::vector<std::string>;

}  // namespace

TEST_CASE("settings of a document are in its plan and change, and one that is left out has its default again") {
  Controlled lan({});
  const auto both = [&](const std::string& yaml) {
    const Settings planned = settings_in(lan, yaml, true);
    CHECK(settings_in(lan, yaml, false) == planned);
    CHECK(settings_in(lan, yaml, false).empty());
    return planned;
  };
  const std::string ports = "ports: {}\n";
  CHECK(both(ports).empty());
  CHECK(both(ports + "log-level: debug\n") == Settings{"log-level: info -> log-level: debug"});
  CHECK(both(ports + "network: side\nlog-level: debug\n") == Settings{"network: lan -> network: side"});
  CHECK(lan.ask(R"({"add_port":{"port":{"text":"p=tcp-listen:0"}}})").ports().ports(0).network() == "side");
  CHECK(both(ports) == Settings{"network: side -> network: lan", "log-level: debug -> log-level: info"});
  CHECK(lan.ask(R"({"add_port":{"port":{"text":"p=tcp-listen:0"}}})").ports().ports(0).network() == "lan");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("the level of the log is that of the document, else that of the command line") {
  const std::string flag = GENERATE("", "error");
  std::vector<std::string> arguments;
  if (!flag.empty()) arguments = {"--log-level", flag};
  Controlled lan(arguments);
  const std::string usual = flag.empty() ? "info" : flag;
  const auto logs_info = [&](const std::string& network) {
    REQUIRE(lan.ask(R"({"add_network":{"name":")" + network + "\"}}").has_done());
    return lan.daemon.log().find("network " + network + " added") != std::string::npos;
  };
  CHECK(logs_info("one") == flag.empty());
  CHECK(settings_in(lan, "ports: {}\nlog-level: debug\n", false) ==
        Settings{"log-level: " + usual + " -> log-level: debug"});
  CHECK(logs_info("two"));
  CHECK(settings_in(lan, "ports: {}\n", false) == Settings{"log-level: debug -> log-level: " + usual});
  CHECK(logs_info("three") == flag.empty());
  CHECK(settings_in(lan, "ports: {}\nlog-level: warn\n", false) ==
        Settings{"log-level: " + usual + " -> log-level: warn"});
  CHECK_FALSE(logs_info("four"));
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("settings that take a new start are named when a document has them otherwise than the daemon, or not at all") {
  TempFolder paths;
  std::ofstream(paths.path("token")) << "a-token-that-is-long-enough-0123456789\n";
  const std::string until = ": stays as it is until the daemon is started again";
  const std::map<std::string, std::string> others = {
      {"engine", "epoll"}, {"memory", "64M"}, {"strict", "true"}, {"control", paths.path("c")}, {"control-group", "root"},
      {"http", "127.0.0.1:1"}};
  Controlled lan({}, "auto");
  for (const auto& [name, value] : others) {
    INFO(name);
    CHECK(settings_in(lan, "ports: {}\n" + name + ": \"" + value + "\"\n", false) == Settings{name + until});
    CHECK(settings_in(lan, "ports: {}\n", false).empty());
  }
  CHECK(settings_in(lan, "ports: {}\nhttp: 127.0.0.1:1\nhttp-token: " + paths.path("token") + "\n", true) ==
        Settings{"http" + until, "http-token" + until});
  CHECK(lan.daemon.stop() == 0);
  std::ofstream(paths.path("lab.yaml")) << "ports: {}\nmemory: 64M\nstrict: true\n";
  Controlled again({"--config", paths.path("lab.yaml")});
  CHECK(settings_in(again, "ports: {}\nmemory: 64M\nstrict: true\n", false).empty());
  CHECK(settings_in(again, "ports: {}\n", false) == Settings{"memory" + until, "strict" + until});
  CHECK(again.daemon.stop() == 0);
}

TEST_CASE("a network tells how many ports are configured into it, and how many carry frames") {
  TempFolder paths;
  Controlled lan({"web=unix-listen:" + paths.path("web"), "db=unix-listen:" + paths.path("db") + ",network=back",
                  "far=unix-connect:" + paths.path("far")});
  const auto counts = [&](const std::string& name) {
    const v1::Response response = lan.ask(R"({"list_networks":{"name":")" + name + "\"}}");
    const v1::Network& network = response.networks().networks(0);
    return std::pair(network.configured_ports(), network.ports());
  };
  CHECK(counts("lan") == std::pair<std::uint64_t, std::uint64_t>(2, 0));
  CHECK(counts("back") == std::pair<std::uint64_t, std::uint64_t>(1, 0));
  Peer a = Peer::unix_stream(paths.path("web"));
  Peer b = Peer::unix_stream(paths.path("web"));
  lan.daemon.await_up("web.2");
  CHECK(counts("lan") == std::pair<std::uint64_t, std::uint64_t>(2, 2));
  REQUIRE(lan.ask(R"({"set_port":{"name":"web","keys":[{"key":"network","values":["back"]}]}})").has_ports());
  CHECK(counts("lan") == std::pair<std::uint64_t, std::uint64_t>(1, 0));
  CHECK(counts("back") == std::pair<std::uint64_t, std::uint64_t>(2, 2));
  REQUIRE(lan.ask(R"({"disable_port":{"name":"web"}})").has_ports());
  CHECK(counts("back") == std::pair<std::uint64_t, std::uint64_t>(2, 0));
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_control_test
