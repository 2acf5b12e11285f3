// What takes long on the control plane, such as a gateway that starts or a script that runs, holds up nobody but the
// changes behind it; and a stop leaves no request without its answer.
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/controlled.h"
#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"

namespace process_waiting_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

void write_script(const std::string& path, const std::string& body) {
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
}

[[nodiscard]] std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A switchd whose gateways do not start while they are held, and then are the real ones.
struct SlowGateways {
  SlowGateways() {
    const std::filesystem::path built = built_program();
    std::filesystem::copy_file(built, folder.path("switchd"));
    write_script(folder.path("lanyard-gateway"), "while [ -e " + held() + " ]; do sleep 0.02; done\nexec " +
                                                     (built.parent_path() / "lanyard-gateway").string());
  }
  [[nodiscard]] std::string held() const { return folder.path("held"); }
  void hold() const { std::ofstream(held()) << "\n"; }
  void release() const { std::filesystem::remove(held()); }
  [[nodiscard]] SpawnOptions options() const {
    return {.environment = {"XDG_STATE_HOME=" + folder.path("state")}, .program = folder.path("switchd")};
  }
  TempFolder folder;
};

// What only reads is answered. An answer to what was asked before would be lost by this, and missed later.
void check_serves(Controlled& lan) {
  CHECK(lan.ask(R"({"get_status":{}})").has_status());
  CHECK(lan.ask(R"({"list_ports":{}})").has_ports());
}

[[nodiscard]] std::uint64_t send(Controlled& lan, const std::string& json) {
  return lan.client.send(Controlled::request(json));
}

const std::string forward = R"({"set_port":{"name":"out","keys":[{"key":"forward","values":["tcp:8080:10.0.2.16:80"]}]}})";
const std::string no_forward = R"({"set_port":{"name":"out","keys":[{"key":"forward"}]}})";

// As it is configured: nothing, where it has no forward.
[[nodiscard]] std::string forward_of(Controlled& lan) {
  const v1::Port out = lan.port("out");
  for (const v1::Key& key : out.keys())
    if (key.key() == "forward") return key.values(0);
  return {};
}

[[nodiscard]] pid_t gateway(const Controlled& lan) {
  const std::string pid = std::to_string(lan.daemon.pid());
  pid_t child = 0;
  for (const Deadline deadline; child == 0 && !deadline.passed();)
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> child;
  return child;
}

}  // namespace

TEST_CASE("while a gateway starts all but changes are answered, and those have their turns") {
  const SlowGateways slow;
  Controlled lan({"out=nat", "a=unix-listen:" + slow.folder.path("a")}, "auto", slow.options());
  const std::string name = GENERATE("add_port", "enable_port", "set_port");
  if (name == "enable_port") REQUIRE(lan.ask(R"({"disable_port":{"name":"out"}})").has_ports());
  slow.hold();
  const std::uint64_t slow_one = send(
      lan, name == "add_port"      ? R"({"add_port":{"port":{"text":"out2=nat:10.0.3.0/24"}}})"
           : name == "enable_port" ? R"({"enable_port":{"name":"out"}})"
                                   : R"({"set_port":{"name":"out","address":"10.0.3.0/24"}})");
  const std::uint64_t next = send(lan, R"({"add_network":{"name":"side"}})");
  check_serves(lan);
  const std::string opening = name == "add_port" ? "out2" : "out";
  for (const Deadline deadline; lan.port(opening).reason() != "its gateway starts" && !deadline.passed();) {
  }
  CHECK(lan.port(opening).state() == "down");
  CHECK(lan.port(opening).reason() == "its gateway starts");
  CHECK(lan.ask(R"({"list_networks":{}})").networks().networks_size() == 1);
  slow.release();
  const v1::Response first = lan.client.next();
  INFO(control::to_json(first));
  CHECK(first.id() == slow_one);
  CHECK(first.ports().ports(0).state() == "up");
  CHECK(lan.client.next().id() == next);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a gateway that hangs as it starts is given up, the change is refused, and others are served meanwhile") {
  const SlowGateways slow;
  Controlled lan({"a=unix-listen:" + slow.folder.path("a")}, "auto", slow.options());
  slow.hold();
  const std::uint64_t hanging = send(lan, R"({"add_port":{"port":{"text":"out=nat"}}})");
  check_serves(lan);
  const v1::Response refused = lan.client.next();
  INFO(control::to_json(refused));
  CHECK(refused.id() == hanging);
  CHECK(mentions(refused.error(), "port out: the gateway does not start; nothing was changed"));
  CHECK(lan.refused(R"({"list_ports":{"name":"out"}})").code() == v1::Error::NOT_FOUND);
  slow.release();
  CHECK(lan.ask(R"({"add_port":{"port":{"text":"out=nat"}}})").ports().ports(0).state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a change that comes while a gateway is started again is done when that is ready with it") {
  IN_A_NETWORK_OF_ITS_OWN;
  const SlowGateways slow;
  Controlled lan({"out=nat"}, "auto", slow.options());
  const std::string step = GENERATE("has ended", "is told to be down", "starts");
  INFO(step);
  const pid_t first = gateway(lan);
  slow.hold();
  REQUIRE(::kill(first, SIGKILL) == 0);
  if (step != "has ended") (void)lan.daemon.await_down("out");
  if (step == "starts")
    for (const Deadline deadline; (gateway(lan) == first || gateway(lan) == 0) && !deadline.passed();) {
    }
  const std::uint64_t change = send(lan, forward);
  check_serves(lan);
  CHECK(forward_of(lan).empty());
  slow.release();
  v1::Response answer = lan.client.next();
  INFO(control::to_json(answer));
  CHECK(answer.id() == change);
  if (answer.has_error()) {  // it was told before it had ended
    CHECK(step == "has ended");
    CHECK(mentions(answer.error(), "the gateway ended"));
    answer = lan.ask(forward);
  }
  CHECK(answer.ports().ports(0).state() == "up");
  CHECK_FALSE(is_refused("127.0.0.1:8080"));
  CHECK(lan.ask(no_forward).ports().ports(0).state() == "up");
  CHECK(is_refused("127.0.0.1:8080"));
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a change that a gateway cannot start with is refused and undone, whatever the gateway was doing") {
  IN_A_NETWORK_OF_ITS_OWN;
  const SlowGateways slow;
  const Listener taken("127.0.0.1:8080");
  Controlled lan({"out=nat"}, "auto", slow.options());
  const bool runs = GENERATE(false, true);
  if (!runs) {
    slow.hold();
    REQUIRE(::kill(gateway(lan), SIGKILL) == 0);
    (void)lan.daemon.await_down("out");
  }
  const std::uint64_t change = send(lan, forward);
  check_serves(lan);
  slow.release();
  const v1::Response refused = lan.client.next();
  INFO(control::to_json(refused));
  CHECK(refused.id() == change);
  CHECK(refused.error().code() == v1::Error::UNAVAILABLE);
  CHECK(mentions(refused.error(), "127.0.0.1:8080"));
  CHECK(mentions(refused.error(), "nothing was changed"));
  CHECK(forward_of(lan).empty());
  if (!runs) (void)lan.daemon.await_up("out");
  CHECK(lan.port("out").state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a gateway that waits for an address is tried at once with the change, and its error is the answer") {
  IN_A_NETWORK_OF_ITS_OWN;
  const SlowGateways slow;
  const Listener taken("127.0.0.1:8080");
  Controlled lan({"out=nat,forward=tcp:192.0.2.1:8081:10.0.2.16:80"}, "auto", slow.options());
  CHECK(lan.port("out").state() == "down");
  const v1::Error refused = lan.refused(forward);
  CHECK(mentions(refused, "127.0.0.1:8080"));
  CHECK(lan.port("out").state() == "down");
  CHECK(forward_of(lan).starts_with("tcp:192.0.2.1:8081:"));
  CHECK(lan.ask(no_forward).ports().ports(0).state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("each change that waits when the daemon stops is refused, and so is the one under way") {
  const SlowGateways slow;
  TempFolder paths;
  Controlled lan({"a=unix-listen:" + paths.path("a"), "b=unix-listen:" + paths.path("b"), "--http", "127.0.0.1:0",
                  "--network", "lan", "--network", "side"},
                 "auto", slow.options());
  REQUIRE(lan.ask(R"({"disable_port":{"name":"b"}})").has_ports());
  slow.hold();
  std::vector<std::uint64_t> asked = {send(lan, R"({"add_port":{"port":{"text":"out=nat"}}})")};
  for (const char* request :
       {R"({"add_port":{"port":{"text":"tcp-listen:0"}}})", R"({"set_port":{"name":"a","keys":[{"key":"queue","values":["9"]}]}})",
        R"({"remove_port":{"name":"a"}})", R"({"enable_port":{"name":"b"}})", R"({"disable_port":{"name":"a"}})",
        R"({"add_network":{"name":"new"}})", R"({"set_network":{"name":"lan","ageing_s":9}})",
        R"({"remove_network":{"name":"side"}})", R"({"apply":{"yaml":"ports: {}"}})"})
    asked.push_back(send(lan, request));
  std::string at;
  for (const std::string& line : lan.daemon.lines_before_ready())
    if (line.starts_with("http ")) at = line.substr(5);
  Peer http = Peer::tcp(at);
  const std::string body = R"({"name":"web"})";
  http.send_raw("POST /v1/add_network HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  Peer others = Peer::tcp(at);  // whose answer shows that the one before it was read
  others.send_raw("GET /v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  others.await_closed();
  check_serves(lan);
  lan.daemon.signal(SIGTERM);
  std::map<std::uint64_t, v1::Error> refused;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const v1::Response response = lan.client.next();
    refused[response.id()] = response.error();
    CHECK_FALSE(response.more());
  }
  for (const std::uint64_t id : asked) {
    INFO(id << " " << control::to_json(refused[id]));
    CHECK(refused[id].code() == v1::Error::UNAVAILABLE);
    CHECK(mentions(refused[id], "the daemon stops"));
  }
  lan.client.await_end();
  std::string answer;
  char bytes[4096];
  for (ssize_t got = 1; got > 0; answer.append(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0)))) {
    await_fd(http.fd(), POLLIN, Deadline(), "an answer");
    got = ::recv(http.fd(), bytes, sizeof bytes, 0);
  }
  INFO(answer);
  CHECK(answer.starts_with("HTTP/1.1 503 "));
  CHECK(answer.find("the daemon stops") != std::string::npos);
  CHECK(lan.daemon.await_exit() == 0);
}

// --- Scripts.

namespace {

// A TAP whose scripts tell that they run, and end when they are told to, by a pipe each.
struct SlowScripts {
  SlowScripts() {
    for (const std::string name : {"up", "down"}) {
      REQUIRE(::mkfifo(folder.path(name + ".gate").c_str(), 0600) == 0);
      write_script(folder.path(name), "echo " + name + " >> " + told() + "; read line < " + folder.path(name + ".gate") +
                                          "; echo " + name + " ended >> " + told());
    }
  }
  [[nodiscard]] std::string told() const { return folder.path("told"); }
  [[nodiscard]] std::string tap(const std::string& scripts) const {
    std::string text = "t=tap:lan0";
    for (const std::string name : {"up", "down"})
      if (scripts.find(name) != std::string::npos) text += "," + name + "=" + folder.path(name);
    return text;
  }
  void await(const std::string& name) const {
    for (const Deadline deadline; contents(told()).find(name + "\n") == std::string::npos;)
      if (deadline.passed()) throw std::runtime_error("in time there was no " + name);
  }
  void release(const std::string& name) const {
    await(name);
    std::ofstream(folder.path(name + ".gate")) << "\n";  // waits for the reader
  }
  TempFolder folder;
};

}  // namespace

TEST_CASE("while an up script runs its port is opening and others are served") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const SlowScripts slow;
  Controlled lan({});
  const std::uint64_t adding = send(lan, R"({"add_port":{"port":{"text":")" + slow.tap("up") + R"("}}})");
  slow.await("up");
  check_serves(lan);
  CHECK(lan.port("t").state() == "down");
  CHECK(lan.port("t").reason() == "its up script runs");
  slow.release("up");
  const v1::Response added = lan.client.next();
  CHECK(added.id() == adding);
  CHECK(added.ports().ports(0).state() == "up");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("while a down script runs its port is closing, others are served, and changes wait") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const SlowScripts slow;
  Controlled lan({slow.tap("down")});
  const std::string verb = GENERATE("remove_port", "disable_port", "set_port");
  const std::string keys = verb == "set_port" ? R"(,"address":"lan1")" : "";
  const std::uint64_t closing = send(lan, "{\"" + verb + R"(":{"name":"t")" + keys + "}}");
  slow.await("down");
  const std::uint64_t next = send(lan, R"({"add_network":{"name":"side"}})");
  check_serves(lan);
  CHECK(lan.port("t").state() == "down");
  CHECK(lan.port("t").reason() == "its down script runs");
  CHECK(lan.ask(R"({"list_networks":{}})").networks().networks_size() == 1);
  slow.release("down");
  CHECK(lan.client.next().id() == closing);
  CHECK(lan.client.next().id() == next);
  CHECK(contents(slow.told()) == "down\ndown ended\n");
  if (verb == "set_port") {
    lan.daemon.signal(SIGTERM);
    for (const Deadline deadline; contents(slow.told()) != "down\ndown ended\ndown\n" && !deadline.passed();) {
    }
    std::ofstream(slow.folder.path("down.gate")) << "\n";
    CHECK(lan.daemon.await_exit() == 0);
  } else {
    CHECK(lan.daemon.stop() == 0);
  }
}

TEST_CASE("a TAP that was deleted is not taken up again while its down script runs") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  NetworkOfTest::ip("tuntap add lan0 mode tap");
  const SlowScripts slow;
  Controlled lan({slow.tap("down")});
  NetworkOfTest::ip("link del lan0");
  (void)lan.daemon.await_down("t");
  slow.await("down");
  NetworkOfTest::ip("tuntap add lan0 mode tap");
  CHECK(lan.ask(R"({"enable_port":{"name":"t"}})").ports().ports(0).state() == "down");
  slow.release("down");
  (void)lan.daemon.await_up("t");
  CHECK(contents(slow.told()) == "down\ndown ended\n");
  lan.daemon.signal(SIGTERM);
  slow.release("down");
  CHECK(lan.daemon.await_exit() == 0);
}

TEST_CASE("a stop lets an up script come to its end, and has its down script run after it") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const SlowScripts slow;
  Controlled lan({});
  const std::uint64_t adding = send(lan, R"({"add_port":{"port":{"text":")" + slow.tap("up,down") + R"("}}})");
  slow.await("up");
  lan.daemon.signal(SIGTERM);
  lan.daemon.await_log("the daemon stops");
  CHECK(lan.refused(R"({"get_status":{}})").code() == v1::Error::UNAVAILABLE);  // served, though there is nothing left
  slow.release("up");
  slow.release("down");
  const v1::Response refused = lan.client.next();
  CHECK(refused.id() == adding);
  CHECK(refused.error().code() == v1::Error::UNAVAILABLE);
  CHECK(lan.daemon.await_exit() == 0);
  CHECK(contents(slow.told()) == "up\nup ended\ndown\ndown ended\n");
}

TEST_CASE("the up scripts of the start run before ready, and a stop meanwhile lets them end") {
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  const SlowScripts slow;
  SwitchdProcess daemon("auto", {slow.tap("up,down")}, {.await_ready = false});
  slow.await("up");
  CHECK_FALSE(daemon.has_printed("ready"));
  const bool stops = GENERATE(false, true);
  if (stops) {
    daemon.signal(SIGTERM);
    daemon.await_log("the daemon stops");
    slow.release("up");
  } else {
    slow.release("up");
    (void)daemon.await_line("ready");
    daemon.signal(SIGTERM);
  }
  slow.release("down");
  CHECK(daemon.await_exit() == 0);
  CHECK(contents(slow.told()) == "up\nup ended\ndown\ndown ended\n");
}

// --- Closed as it was asked for.

TEST_CASE("a port that is closed because it was asked for is no error and no warning") {
  IN_A_NETWORK_OF_ITS_OWN;
  NetworkOfTest::add_cable("one", "other");
  NetworkOfTest::ip("address add 10.8.0.1/24 dev one");
  TempFolder paths;
  const Listener tcp;
  const Listener local(paths.path("far"));
  const std::map<std::string, std::string> ports = {
      {"tcp-listen", "p=tcp-listen:127.0.0.1:0"},
      {"tcp-connect", "p=tcp-connect:" + tcp.address()},
      {"unix-listen", "p=unix-listen:" + paths.path("near")},
      {"unix-connect", "p=unix-connect:" + local.address()},
      {"udp", "p=udp:127.0.0.1:0,remote=127.0.0.1:9"},
      {"udp allow", "p=udp:127.0.0.1:0,allow=127.0.0.0/8"},
      {"unix-dgram", "p=unix-dgram:" + paths.path("d1") + ",remote=" + paths.path("d2")},
      {"mcast", "p=mcast:239.1.1.1:5001,interface=10.8.0.1"},
      {"nat", "p=nat"},
      {"tap", "p=tap:lan0"},
      {"nic", "p=nic:other"}};
  Controlled lan({}, "auto", {.environment = {"XDG_STATE_HOME=" + paths.path("state")}});
  for (const auto& [type, text] : ports) {
    if (type == "tap" && !network.why_no_tap().empty()) continue;
    INFO(type);
    const v1::Response added = lan.ask(R"({"add_port":{"port":{"text":")" + text + R"("}}})");
    INFO(control::to_json(added));
    REQUIRE(added.has_ports());
    if (type.ends_with("-connect")) (void)lan.daemon.await_up("p");
    std::optional<Peer> vm;
    if (type == "unix-listen") vm = Peer::unix_stream(paths.path("near"));
    if (type == "tcp-listen") vm = Peer::tcp(added.ports().ports(0).address());
    if (vm) (void)lan.daemon.await_up("p.1");
    CHECK(lan.ask(R"({"disable_port":{"name":"p"}})").has_ports());
    CHECK(lan.ask(R"({"enable_port":{"name":"p"}})").has_ports());
    CHECK(lan.ask(R"({"remove_port":{"name":"p"}})").has_done());
  }
  CHECK(lan.daemon.stop() == 0);
  INFO(lan.daemon.log());
  CHECK(lan.daemon.log().find(" error: ") == std::string::npos);
  CHECK(lan.daemon.log().find(" warning: ") == std::string::npos);
}

}  // namespace process_waiting_test
