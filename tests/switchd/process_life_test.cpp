// How the real switchd lives: ports that come and go without a trace, peers that send in pieces or in storms,
// statistics, its standard output gone, the service manager, engines that the machine refuses.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "frames/drop_reason.h"
#include "frames/limits.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"

namespace process_life_test {

using namespace lanyard::test;
namespace limits = lanyard::limits;

namespace {

// In the child, between fork and exec: io_uring_setup fails with EPERM from here on, as it does in containers.
void forbid_io_uring() {
  static sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  static const sock_fprog program{4, steps};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

[[nodiscard]] std::size_t ports_of(const nlohmann::json& stats, const std::string& listener) {
  std::size_t count = 0;
  for (const auto& port : stats.at("ports").items()) count += port.key().rfind(listener + ".", 0) == 0 ? 1u : 0u;
  return count;
}

[[nodiscard]] std::size_t lines_with(const std::string& part, const std::string& log) {
  std::size_t count = 0;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) count += line.find(part) == std::string::npos ? 0u : 1u;
  return count;
}

// What the log says of refused connections: in how many lines, and how many there were.
struct Refusals {
  std::size_t lines = 0;
  std::size_t connections = 0;
};

[[nodiscard]] Refusals refusals_in(const std::string& log) {
  Refusals found;
  std::istringstream lines(log);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(": refused ") == std::string::npos) continue;
    const std::string others = ", and ";
    const std::size_t more = line.find(others);
    ++found.lines;
    found.connections += 1 + (more == std::string::npos ? 0 : std::stoul(line.substr(more + others.size())));
  }
  return found;
}

}  // namespace

TEST_CASE("a new connection has the lowest number that is free") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  std::vector<Peer> vms;
  for (const char* name : {"web.1", "web.2", "web.3"}) {
    vms.push_back(Peer::tcp(daemon.address("web")));
    CHECK(daemon.await_up(name) == std::string("port ") + name + " up tcp-listen:" + vms.back().local());
  }
  vms[1].close();
  daemon.await_down("web.2");
  vms[0].close();
  daemon.await_down("web.1");
  const Peer first = join(daemon, "web.1");
  const Peer second = join(daemon, "web.2");
  const Peer fourth = join(daemon, "web.4");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("300 clients that connect and close leave neither a descriptor nor a port behind") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  SwitchdProcess daemon(engine, {"loc=unix-listen:" + folder.path("s")});
  {
    const Peer first = Peer::unix_stream(folder.path("s"));  // what is made once is there afterwards
    daemon.await_up("loc.1");
  }
  daemon.await_down("loc.1");
  (void)daemon.stats();  // done with it, too
  const std::size_t before = daemon.open_descriptors();
  for (unsigned i = 0; i < 300; ++i) {
    Peer client = Peer::unix_stream(folder.path("s"));
    if (i % 3 == 1) client.send(frame(broadcast, mac(i)));
    if (i % 3 == 2) client.send_raw(std::string(7, '\0').replace(3, 1, "\x40"));  // the beginning of a frame
    client.close();
  }
  for (unsigned i = 0; i < 300; ++i) daemon.await_line("port loc.");  // up and down, in whatever order
  for (unsigned i = 0; i < 300; ++i) daemon.await_line("port loc.");
  const auto stats = daemon.stats();
  CHECK(ports_of(stats, "loc") == 0);
  CHECK(stats["networks"]["lan"]["macs"].empty());
  CHECK(daemon.open_descriptors() == before);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a flood of refused connections is logged at once, then in one line a second that counts the others") {
  using Clock = std::chrono::steady_clock;
  constexpr std::size_t count = 300;
  const auto begin = Clock::now();
  SwitchdProcess daemon("auto", {"web=tcp-listen:127.0.0.1:0,allow=127.0.0.2"});
  Peer::tcp(daemon.address("web")).await_closed();
  daemon.await_log("port web: refused 127.0.0.1:");
  for (std::size_t i = 1; i < count; ++i) Peer::tcp(daemon.address("web")).await_closed();
  daemon.await_log(" more before");  // though nobody connects any more
  for (std::size_t i = 0; i < count; ++i) Peer::tcp(daemon.address("web")).await_closed();
  CHECK(daemon.stop() == 0);
  const auto seconds = static_cast<std::size_t>((Clock::now() - begin) / std::chrono::seconds(1));
  INFO(daemon.log());
  const Refusals told = refusals_in(daemon.log());
  CHECK(told.connections == 2 * count);  // none is left out, not even the last ones
  CHECK(told.lines <= seconds + 2);
}

#if !LANYARD_SANITIZED  // sanitizers need descriptors and terabytes of address space themselves

TEST_CASE("with hardly any descriptors the start ends with 1 and says why, whatever cannot be had") {
  ON_EVERY_REAL_ENGINE;
  const rlim_t descriptors = GENERATE(range<rlim_t>(6, 20));
  const auto in_child = [&] {
    const rlimit few{descriptors, descriptors};
    ::setrlimit(RLIMIT_NOFILE, &few);
  };
  const Ended ended = run_switchd(
      {"--control", "none", "--engine", engine, "tcp-listen:0", "bad=unix-listen:/nowhere/s"}, in_child);
  INFO("descriptors " << descriptors << '\n' << ended.log);
  CHECK(ended.exit_code == 1);
  CHECK(ended.log.find("error: ") != std::string::npos);
  const std::string first = ended.log.substr(0, ended.log.find('\n'));
  CHECK(first.find(fmt::format("at most {} files can be open at one time (ulimit -n)", descriptors)) !=
        std::string::npos);
  CHECK(first.find("expected 36 or more, as with 'ulimit -n 1024'") != std::string::npos);
  CHECK(ended.log.find("address space") == std::string::npos);  // of which there is enough
  // Whatever it was that failed.
  if (const std::size_t why = ended.log.find("cannot start: "); why != std::string::npos)
    CHECK(ended.log.find(fmt::format("cannot start: {} open files are too few (ulimit -n): ", descriptors)) == why);
}

TEST_CASE("a limit of descriptors that is enough, or that can be raised, is not told of") {
  for (const rlim_t hard : {rlim_t{36}, rlim_t{512}}) {
    TempFolder folder;
    SwitchdProcess daemon("auto", {"a=unix-listen:" + folder.path("a"), "b=unix-listen:" + folder.path("b")},
                          {.in_child = [hard] {
                            const rlimit few{20, hard};
                            ::setrlimit(RLIMIT_NOFILE, &few);
                          }});
    CHECK(daemon.log().find("ulimit -n") == std::string::npos);
    CHECK(daemon.stop() == 0);
  }
}

#endif

TEST_CASE("out of descriptors: those connected go on, others wait their turn, and the log says so briefly") {
  const auto in_child = [] {
    const rlimit few{48, 48};
    ::setrlimit(RLIMIT_NOFILE, &few);
  };
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  TempFolder folder;
  SwitchdProcess daemon("auto", {"loc=unix-listen:" + folder.path("s")}, {.in_child = in_child});
  std::vector<Peer> vms;
  for (int i = 0; i < 60; ++i) vms.push_back(Peer::unix_stream(folder.path("s")));
  daemon.await_log("port loc: cannot accept: Too many open files");
  daemon.await_up("loc.2");
  vms[0].send(frame(broadcast, mac(1)));
  CHECK(vms[1].receive() == frame(broadcast, mac(1)));
  const std::size_t connected = ports_of(daemon.stats(), "loc");
  REQUIRE(connected < vms.size());
  const auto places = static_cast<std::ptrdiff_t>(connected / 2);
  // The first two stay, and of those that wait as many as there is room for.
  vms.erase(vms.begin() + 2, vms.end() - places);
  vms.back().send(frame(broadcast, mac(2)));  // is heard when it has been accepted
  CHECK(vms[0].receive() == frame(broadcast, mac(2)));
  vms[0].send(frame(mac(2), mac(1)));
  CHECK(vms.back().receive() == frame(mac(2), mac(1)));
  CHECK(daemon.stop() == 0);
  const auto seconds = static_cast<std::size_t>((Clock::now() - begin) / std::chrono::seconds(1));
  INFO(daemon.log());
  CHECK(lines_with("cannot accept", daemon.log()) <= seconds + 2);
}

TEST_CASE("half a frame and then silence holds up nobody") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer half = join(daemon, "web.1");
  Peer a = join(daemon, "web.2");
  Peer b = join(daemon, "web.3");
  const std::string cut = on_stream(frame(broadcast, mac(1), 1514));
  half.send_raw(cut.substr(0, 600));
  for (unsigned i = 0; i < 100; ++i) {
    a.send(frame(broadcast, mac(2), 200, i));
    CHECK(b.receive() == frame(broadcast, mac(2), 200, i));
    CHECK(half.receive() == frame(broadcast, mac(2), 200, i));
  }
  half.send_raw(cut.substr(600));
  CHECK(a.receive() == frame(broadcast, mac(1), 1514));
  half.send_raw(cut.substr(0, 3));  // half a length this time, until the end
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a frame that comes one byte at a time arrives whole") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  for (unsigned i = 0; i < 3; ++i) {
    for (const char byte : on_stream(frame(broadcast, mac(1), 300, i))) a.send_raw(std::string(1, byte));
    CHECK(b.receive() == frame(broadcast, mac(1), 300, i));
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("SIGUSR1 prints the statistics: engine, networks with their stations, ports with their counters") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(
      engine, {"--network", "lab:hub", "web=tcp-listen:0,network=lab", "dmz=tcp-listen:0,network=lab"});
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "dmz.1");
  a.send(frame(broadcast, mac(1), 100));
  CHECK(b.receive() == frame(broadcast, mac(1), 100));
  const auto stats = daemon.await_stats("the frame booked", [](const auto& now) {
    return now["ports"]["dmz.1"]["sent_frames"] == 1;
  });
  CHECK(stats["engine"] == engine);
  CHECK_FALSE(stats["version"].get<std::string>().empty());
  CHECK(stats["networks"]["lab"]["kind"] == "hub");
  const auto& port = stats["ports"]["web.1"];
  CHECK(port["type"] == "tcp-listen");
  CHECK(port["address"] == a.local());
  CHECK(port["network"] == "lab");
  CHECK(port["state"] == "up");
  CHECK(port["received_frames"] == 1);
  CHECK(port["received_bytes"] == 100);
  CHECK(port["flooded"] == 1);
  CHECK(stats["ports"]["web"]["state"] == "listening");
  CHECK(stats["ports"]["dmz.1"]["sent_bytes"] == 100);
  for (const auto& reason : lanyard::drop_reasons) CHECK(port["drops"][std::string(reason.name)] == 0);
  CHECK(ledger_mistakes(stats).empty());
  CHECK(daemon.stop() == 0);
}

TEST_CASE("in a switch the statistics list each station behind its port") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  std::vector<Peer> vms;
  for (unsigned i = 1; i <= 3; ++i) {
    vms.push_back(Peer::tcp(daemon.address("web")));
    daemon.await_up("web." + std::to_string(i));
    vms.back().send(frame(broadcast, mac(i)));
  }
  const auto stats = daemon.await_stats("three stations", [](const auto& now) {
    return now["networks"]["lan"]["macs"].size() == 3;
  });
  for (const auto& station : stats["networks"]["lan"]["macs"])
    CHECK(station["port"] == "web." + station["mac"].get<std::string>().substr(16));  // 52:54:00:00:00:01 is web.1
  CHECK(daemon.stop() == 0);
}

TEST_CASE("every signal that asks for an end is a clean stop: no path is left behind") {
  const int number = GENERATE(SIGTERM, SIGINT, SIGHUP);
  CAPTURE(number);
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  const std::vector<std::string> paths{folder.path("control"), folder.path("lan"), folder.path("vm")};
  SwitchdProcess daemon(engine, {"--control", paths[0], "lan=unix-listen:" + paths[1],
                                 "vm=unix-dgram:" + paths[2] + ",remote=" + folder.path("there")});
  Peer vm = Peer::unix_stream(paths[1]);
  daemon.await_up("lan.1");
  for (const std::string& path : paths) REQUIRE(::access(path.c_str(), F_OK) == 0);
  daemon.signal(number);
  CHECK(daemon.await_exit() == 0);
  for (const std::string& path : paths) CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("SIGHUP that is ignored when it starts, as by nohup, goes on being ignored") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"}, {.in_child = [] { (void)std::signal(SIGHUP, SIG_IGN); }});
  daemon.signal(SIGHUP);
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  a.send(frame(broadcast, mac(1)));
  CHECK(b.receive() == frame(broadcast, mac(1)));
  daemon.signal(SIGHUP);
  (void)daemon.stats();
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a terminal that is closed is a clean stop, though nothing can be written to it any more") {
  ON_EVERY_REAL_ENGINE;
  TempFolder folder;
  lanyard::Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(::grantpt(terminal.get()) == 0);
  REQUIRE(::unlockpt(terminal.get()) == 0);
  const std::string name = ::ptsname(terminal.get());
  const auto on_terminal = [&] {  // of a session whose terminal it is
    ::setsid();
    const int end = ::open(name.c_str(), O_RDWR);
    ::dup2(end, STDIN_FILENO);
    ::dup2(end, STDERR_FILENO);
  };
  SwitchdProcess daemon(engine, {"lan=unix-listen:" + folder.path("lan")}, {.in_child = on_terminal});
  terminal.reset();
  CHECK(daemon.await_exit() == 0);
  CHECK(::access(folder.path("lan").c_str(), F_OK) != 0);
}

TEST_CASE("a closed standard output does not end the switch") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0"});
  daemon.close_output();
  daemon.signal(SIGUSR1);
  Peer a = Peer::tcp(daemon.address("web"));
  Peer b = Peer::tcp(daemon.address("web"));
  a.send(frame(broadcast, mac(1), 69632));  // may find nobody yet
  b.send(frame(broadcast, mac(2)));
  b.send_raw("\xff\xff\xff\xff");
  b.await_closed();
  Peer c = Peer::tcp(daemon.address("web"));
  std::optional<std::string> got;
  for (unsigned i = 0; !got; ++i) {  // until c is in the network
    REQUIRE(i < 100'000);
    a.send(frame(broadcast, mac(1), 60, i));
    got = c.receive_now();
  }
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a standard output that nobody reads holds up nothing, and what was printed is there when somebody does") {
  ON_EVERY_REAL_ENGINE;
  const bool read_at_last = GENERATE(false, true);
  TempFolder folder;
  SwitchdProcess daemon(engine, {"loc=unix-listen:" + folder.path("s")});
  daemon.shrink_output();
  constexpr unsigned clients = 200;  // 15 kB of lines
  for (unsigned i = 0; i < clients; ++i) (void)Peer::unix_stream(folder.path("s"));
  daemon.await_log(" down: closed by peer", clients);
  if (read_at_last)
    for (unsigned i = 0; i < 2 * clients; ++i) daemon.await_line("port loc.");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("the log of a stopped switch ends with a summary for people, of ports that have gone, too") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"web=tcp-listen:0", "off=tcp-connect:127.0.0.1:1"});
  Peer gone = join(daemon, "web.1");
  gone.send_raw(on_stream("short"));
  daemon.await_drops("web.1", "runt");
  gone.close();
  daemon.await_down("web.1");
  Peer a = join(daemon, "web.1");
  Peer b = join(daemon, "web.2");
  for (unsigned i = 0; i < 3; ++i) {
    a.send(frame(broadcast, mac(1), 60, i));
    CHECK(b.receive() == frame(broadcast, mac(1), 60, i));
  }
  a.send(frame(mac(1), mac(1)));
  daemon.await_drops("web.1", "same_port");
  CHECK(daemon.stop() == 0);
  INFO(daemon.log());
  CHECK(daemon.log().find(" info: 2 ports with 3 connections: 5 frames received, 3 sent; "
                          "dropped: 1 runt, 1 same_port\n") !=
        std::string::npos);
  CHECK(daemon.log().find('{') == std::string::npos);  // no JSON
}

TEST_CASE("a stopped switch that had nothing to do says so") {
  SwitchdProcess silent("auto", {"web=tcp-listen:0"});
  CHECK(silent.stop() == 0);
  INFO(silent.log());
  CHECK(silent.log().find(" info: 1 port: 0 frames received, 0 sent; none dropped\n") != std::string::npos);
}

TEST_CASE("with debug the log of a stopped switch ends with its statistics") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"--log-level", "debug", "web=tcp-listen:0"});
  Peer a = join(daemon, "web.1");
  a.send_raw(on_stream("short"));
  daemon.await_drops("web.1", "runt");
  CHECK(daemon.stop() == 0);
  const std::string log = daemon.log();
  const std::size_t line = log.rfind(" stats {");
  REQUIRE(line != std::string::npos);
  const auto stats = nlohmann::json::parse(log.substr(line + 7, log.find('\n', line) - line - 7));
  CHECK(stats["ports"]["web.1"]["drops"]["runt"] == 1);
  CHECK(ledger_mistakes(stats).empty());
}

TEST_CASE("the service manager is told when the switch is ready and when it stops") {
  TempFolder folder;
  const std::string path = folder.path("notify");
  Peer manager = Peer::unix_datagram(path, path);
  SwitchdProcess daemon("auto", {"web=tcp-listen:0"}, {.environment = {"NOTIFY_SOCKET=" + path}});
  CHECK(manager.receive().rfind("READY=1\n", 0) == 0);
  CHECK(daemon.stop() == 0);
  CHECK(manager.receive().rfind("STOPPING=1", 0) == 0);
}

TEST_CASE("auto takes io_uring whatever the ports are, and epoll where io_uring is forbidden") {
  const std::string port = GENERATE("web=tcp-listen:0", "many=udp:127.0.0.1:0,allow=127.0.0.1");
  SwitchdProcess daemon("auto", {port});
  CHECK(daemon.stats()["engine"] == (why_no_uring().empty() ? "io_uring" : "epoll"));
  CHECK(daemon.stop() == 0);
  SwitchdProcess without("auto", {port}, {.in_child = forbid_io_uring});
  CHECK(without.stats()["engine"] == "epoll");
  without.await_log("io_uring cannot be used, epoll is: ");
  CHECK(without.stop() == 0);
}

TEST_CASE("where io_uring is forbidden --engine io_uring says why, and goes on with epoll") {
  SwitchdProcess daemon("io_uring", {"web=tcp-listen:0", "many=udp:127.0.0.1:0,allow=127.0.0.1"},
                        {.in_child = forbid_io_uring});
  CHECK(daemon.stats()["engine"] == "epoll");
  CHECK(daemon.log().find("io_uring cannot be used, epoll is: ") != std::string::npos);
  const bool names_cause = daemon.log().find("a seccomp filter") != std::string::npos ||
                           daemon.log().find("io_uring_disabled") != std::string::npos;
  CHECK(names_cause);
  Peer a = join(daemon, "web.1");
  Peer b = Peer::udp();
  b.towards(daemon.address("many")).send(frame(broadcast, mac(2)));
  CHECK(a.receive() == frame(broadcast, mac(2)));
  a.send(frame(mac(2), mac(1)));
  CHECK(b.receive() == frame(mac(2), mac(1)));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("one host's storm of UDP sources keeps no other host out") {
  ON_EVERY_REAL_ENGINE;
  SwitchdProcess daemon(engine, {"many=udp:127.0.0.1:0,allow=127.0.0.0/8"});
  const auto towards = daemon.address("many");
  std::vector<Peer> sources;
  for (unsigned i = 0; i < limits::peers_per_host_max + 3; ++i) {
    sources.push_back(Peer::udp());
    sources.back().towards(towards).send(frame(broadcast, mac(100 + i)));
  }
  (void)daemon.await_drops("many", "unknown_source", 3);
  Peer other = Peer::udp("127.0.0.2:0");
  other.towards(towards).send(frame(broadcast, mac(1)));
  const auto stats = daemon.await_stats("the other host's port", [](const nlohmann::json& seen) {
    return ports_of(seen, "many") == limits::peers_per_host_max + 1;
  });
  CHECK(stats["ports"]["many"]["drops"]["unknown_source"] == 3);
  daemon.await_log("no room for 127.0.0.1:");
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a storm of UDP sources fills no more than the ports it may have, and nobody else notices") {
  ON_EVERY_REAL_ENGINE;
  constexpr unsigned sources = 2000;
  SwitchdProcess daemon(engine, {"many=udp:127.0.0.1:0,allow=127.0.0.0/8", "web=tcp-listen:0"});
  Peer victim = join(daemon, "web.1");
  Peer friendly = join(daemon, "web.2");
  victim.send(frame(broadcast, mac(1)));
  CHECK(friendly.receive() == frame(broadcast, mac(1)));
  for (unsigned i = 0; i < sources; ++i) {
    Peer source = Peer::udp("127.1." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1) + ":0");
    source.towards(daemon.address("many")).send(frame(mac(1), mac(100 + i), 60, i));
    if (i < limits::peers_per_transport_max) CHECK(victim.receive() == frame(mac(1), mac(100 + i), 60, i));
  }
  const std::uint64_t too_many = sources - limits::peers_per_transport_max;
  const auto stats = daemon.await_drops("many", "unknown_source", too_many);
  CHECK(stats["ports"]["many"]["drops"]["unknown_source"] == too_many);
  CHECK(ports_of(stats, "many") == limits::peers_per_transport_max);
  CHECK_FALSE(victim.receive_now());
  friendly.send(frame(mac(1), mac(2)));
  CHECK(victim.receive() == frame(mac(1), mac(2)));
  CHECK(ledger_mistakes(stats).empty());
  CHECK(daemon.stop() == 0);
}

}  // namespace process_life_test
