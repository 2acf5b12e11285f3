// How the real switchd starts, and how it ends when it cannot: its exit codes, what it prints, who may use its
// sockets, and what it does with a path that is there already.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "tests/support/contains.h"
#include "tests/support/peer.h"
#include "tests/support/skip.h"
#include "tests/support/switchd_process.h"

namespace process_start_test {

using namespace lanyard::test;

namespace {

const std::string any_engine = "auto";

// Every port on a path of `folder`, and a peer that is never there.
[[nodiscard]] std::string unix_port(const std::string& type, const std::string& path) {
  return "loc=" + type + ":" + path + (type == "unix-dgram" ? ",remote=" + path + ".vm" : "");
}

[[nodiscard]] Ended start_on(const std::vector<std::string>& ports) {
  std::vector<std::string> arguments{"--control", "none"};
  arguments.insert(arguments.end(), ports.begin(), ports.end());
  return run_switchd(arguments);
}

[[nodiscard]] bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

[[nodiscard]] unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777u;
}

[[nodiscard]] std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("ready comes after a line for each port, in order, with the number that was really bound") {
  TempFolder folder;
  SwitchdProcess daemon(any_engine,
                        {"web=tcp-listen:127.0.0.1:0", "udp:127.0.0.1:0,remote=127.0.0.1:9",
                         "many=udp:127.0.0.1:0,allow=127.0.0.0/8", unix_port("unix-listen", folder.path("s")),
                         "out=tcp-connect:127.0.0.1:1"});
  const std::vector<std::string> expected{
      "port web tcp-listen:" + daemon.address("web"), "port udp1 udp:" + daemon.address("udp1"),
      "port many udp:" + daemon.address("many"), "port loc unix-listen:" + folder.path("s"),
      "port out tcp-connect:127.0.0.1:1"};
  CHECK(daemon.lines_before_ready() == expected);
  for (const char* port : {"web", "udp1", "many"}) CHECK(socket_address(daemon.address(port)).port() != 0);
  CHECK(Peer::tcp(daemon.address("web")).is_open());
  CHECK(Peer::unix_stream(folder.path("s")).is_open());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("bad usage ends with 2 and names every mistake by its argument") {
  const Ended ended = run_switchd({"--engine", "steam", "--nonsense", "web=tcp-listn:7000", "u=udp:127.0.0.1:1",
                                   "x=tcp-listen:99999", "y=tcp-listen:7000,allow=10.0.0.0/40"});
  CHECK(ended.exit_code == 2);
  CHECK(ended.output.empty());
  for (const char* mistake : {"steam", "--nonsense", "tcp-listn", "u=udp:127.0.0.1:1", "99999", "10.0.0.0/40"})
    CHECK(contains(ended.log, mistake));
  CHECK(run_switchd({"--control", "none"}).exit_code == 2);
  CHECK(run_switchd({"--config", "/nonexistent.yaml"}).exit_code == 2);
  CHECK(run_switchd({"--check", "web=tcp-listen:7000"}).exit_code == 0);
}

TEST_CASE("what is worth a warning is logged once when the switch starts, as --check prints it") {
  const std::vector<std::string> arguments{"--network", "lan", "--network", "core:hub", "web=tcp-listen:0.0.0.0:0"};
  SwitchdProcess daemon(any_engine, arguments);
  std::vector<std::string> checking = arguments;
  checking.insert(checking.begin(), "--check");
  const Ended checked = run_switchd(checking);
  for (const char* warning : {"warning: web=tcp-listen:0.0.0.0:0: any machine that reaches this address can join",
                              "warning: network core: no port joins it"}) {
    INFO(daemon.log());
    CHECK(count_of(warning, daemon.log()) == 1);
    CHECK(count_of(warning, checked.output) == 1);
  }
  CHECK(count_of("warning: ", daemon.log()) == 2);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("addresses in use end the start with 1, and every port that cannot be opened is named") {
  const Listener first;
  const Listener second;
  const Peer udp = Peer::udp();
  TempFolder folder;
  const Ended ended = start_on({unix_port("unix-listen", folder.path("s")), "web=tcp-listen:" + first.address(),
                                "two=tcp-listen:" + second.address(), "u=udp:" + udp.local() + ",remote=127.0.0.1:9"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.output.find("ready") == std::string::npos);
  CHECK(contains(ended.log, "port web: cannot listen on " + first.address()));
  CHECK(contains(ended.log, "port two: "));
  CHECK(contains(ended.log, "port u: "));
  CHECK_FALSE(exists(folder.path("s")));  // what was opened is cleared away
}

TEST_CASE("a UNIX path that a dead process left is taken over") {
  TempFolder folder;
  const std::string path = folder.path("s");
  Peer::unix_datagram(path, path).close();  // leaves its path behind
  REQUIRE(exists(path));
  const std::string type = GENERATE("unix-listen", "unix-dgram");
  SwitchdProcess daemon(any_engine, {unix_port(type, path)});
  if (type == "unix-listen") CHECK(Peer::unix_stream(path).is_open());
  CHECK(daemon.stop() == 0);
  CHECK_FALSE(exists(path));
}

TEST_CASE("a UNIX path that a living process serves is an error, and stays its own") {
  TempFolder folder;
  const std::string path = folder.path("s");
  const std::string ours = GENERATE("unix-listen", "unix-dgram");
  const std::string theirs = GENERATE("unix-listen", "unix-dgram");
  SwitchdProcess living(any_engine, {unix_port(theirs, path)});
  const Ended ended = start_on({unix_port(ours, path)});
  CHECK(ended.exit_code == 1);
  CHECK(contains(ended.log, "port loc: "));
  CHECK(contains(ended.log, path + ": a living process serves this path"));
  CHECK(exists(path));
  if (theirs == "unix-listen") CHECK(Peer::unix_stream(path).is_open());
  CHECK(living.stop() == 0);
}

TEST_CASE("a path that is no socket is an error, and is left alone") {
  TempFolder folder;
  const std::string path = folder.path("notes");
  std::ofstream(path) << "precious";
  const Ended ended = start_on({unix_port(GENERATE("unix-listen", "unix-dgram"), path)});
  CHECK(ended.exit_code == 1);
  CHECK(contains(ended.log, path + ": the path exists and is not a socket"));
  std::string kept;
  std::ifstream(path) >> kept;
  CHECK(kept == "precious");
}

TEST_CASE("a UNIX path is for its owner only, unless mode= says otherwise, and goes with the switch") {
  TempFolder folder;
  const std::string type = GENERATE("unix-listen", "unix-dgram");
  SwitchdProcess daemon(any_engine, {unix_port(type, folder.path("own")),
                                     "open" + unix_port(type, folder.path("open")) + ",mode=0666"});
  CHECK(mode_of(folder.path("own")) == 0600);
  CHECK(mode_of(folder.path("open")) == 0666);
  CHECK(daemon.stop() == 0);
  CHECK_FALSE(exists(folder.path("own")));
  CHECK_FALSE(exists(folder.path("open")));
}

TEST_CASE("a connection from outside allow= is refused, one from inside gets a port") {
  SwitchdProcess daemon(any_engine, {"web=tcp-listen:127.0.0.1:0,allow=127.0.0.2/31"});
  Peer outside = Peer::tcp(daemon.address("web"));
  outside.await_closed();
  Peer inside = Peer::tcp(daemon.address("web"), "127.0.0.3:0");
  CHECK(daemon.await_up("web.1") == "port web.1 up tcp-listen:" + inside.local());
  CHECK(inside.is_open());
  CHECK(contains(daemon.log(), "refused " + std::string("127.0.0.1:")));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("where the host is left out a listener has both loopback addresses, with one number") {
  SwitchdProcess daemon(any_engine, {"web=tcp-listen:0"});
  const std::string number = std::to_string(socket_address(daemon.address("web")).port());
  CHECK(daemon.address("web") == "127.0.0.1:" + number);
  Peer v4 = Peer::tcp("127.0.0.1:" + number);
  daemon.await_up("web.1");
  if (has_ipv6_loopback()) {
    Peer v6 = Peer::tcp("[::1]:" + number);
    CHECK(daemon.await_up("web.2") == "port web.2 up tcp-listen:" + v6.local());
    v6.send(frame(broadcast, mac(1)));
    CHECK(v4.receive() == frame(broadcast, mac(1)));
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("IPv6 addresses serve like IPv4 ones, on TCP and on UDP") {
  if (!has_ipv6_loopback()) SKIP_TEST("this machine has no ::1");
  Peer udp = Peer::udp("[::1]:0");
  SwitchdProcess daemon(any_engine, {"web=tcp-listen:[::1]:0", "u=udp:[::1]:0,remote=" + udp.local()});
  Peer tcp = join(daemon, "web.1");
  tcp.send(frame(broadcast, mac(1)));
  CHECK(udp.receive() == frame(broadcast, mac(1)));
  udp.towards(daemon.address("u")).send(frame(mac(1), mac(2)));
  CHECK(tcp.receive() == frame(mac(1), mac(2)));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a udp port whose allow= has IPv6 only hears it where the host is left out") {
  if (!has_ipv6_loopback()) SKIP_TEST("this machine has no ::1");
  SwitchdProcess daemon(any_engine, {"many=udp:0,allow=::1"});
  CHECK(daemon.address("many").rfind("[::1]:", 0) == 0);
  Peer one = Peer::udp("[::1]:0");
  Peer two = Peer::udp("[::1]:0");
  one.towards(daemon.address("many")).send(frame(broadcast, mac(1)));
  daemon.await_up("many.1");
  two.towards(daemon.address("many")).send(frame(broadcast, mac(2)));
  daemon.await_up("many.2");
  CHECK(one.receive() == frame(broadcast, mac(2)));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("ready does not wait for peers: a tcp-connect comes up when its listener does") {
  TempFolder folder;
  const std::string absent = Listener().address();  // gone at once
  SwitchdProcess daemon(any_engine, {"vm=tcp-connect:" + absent, "loc=unix-connect:" + folder.path("vm")});
  CHECK(daemon.stats()["ports"]["vm"]["state"] == "down");
  CHECK(daemon.stats()["ports"]["loc"]["state"] == "down");
  Listener tcp(absent);
  Listener local(folder.path("vm"));
  Peer a = tcp.accept();
  Peer b = local.accept();
  CHECK(daemon.await_up("vm") == "port vm up tcp-connect:" + absent);
  CHECK(daemon.await_up("loc") == "port loc up unix-connect:" + folder.path("vm"));
  a.send(frame(broadcast, mac(1)));
  CHECK(b.receive() == frame(broadcast, mac(1)));
  CHECK(daemon.stats()["ports"]["vm"]["state"] == "up");
  CHECK(daemon.stop() == 0);
}

}  // namespace process_start_test
