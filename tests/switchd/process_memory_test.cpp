// The real switchd where there is little memory: it has fewer buffers, says so, and forwards all the same; where there is
// too little, it says what is missing. How the memory is divided: memory_plan_test.cpp.
#include <sys/resource.h>

#include <catch2/catch.hpp>

#include "switchd/memory_plan.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"

namespace process_memory_test {

using namespace lanyard::test;
namespace limits = lanyard::limits;

namespace {

[[maybe_unused]] constexpr rlim_t mebi = limits::mebi;

// A limit that the child has from the beginning.
[[nodiscard, maybe_unused]] std::function<void()> with_limit(__rlimit_resource_t resource, rlim_t bytes) {
  return [resource, bytes] {
    const rlimit limit{bytes, bytes};
    ::setrlimit(resource, &limit);
  };
}

// Frames from TCP to UDP and back, more than the least number of buffers holds.
void exchange(SwitchdProcess& daemon, Peer& udp) {
  Peer tcp = join(daemon, "web.1");
  for (unsigned i = 0; i < 2 * limits::slots_min; ++i) {
    tcp.send(frame(broadcast, mac(1), 1514, i));
    CHECK(udp.receive() == frame(broadcast, mac(1), 1514, i));
    udp.towards(daemon.address("u")).send(frame(mac(1), mac(2), 9014, i));
    CHECK(tcp.receive() == frame(mac(1), mac(2), 9014, i));
  }
  const auto stats = daemon.await_stats("all booked", [](const auto& now) { return ledger_mistakes(now).empty(); });
  for (const auto& reason : stats["ports"]["web.1"]["drops"]) CHECK(reason == 0);
  for (const auto& reason : stats["ports"]["u"]["drops"]) CHECK(reason == 0);
}

[[nodiscard]] std::vector<std::string> ports_towards(const Peer& udp) {
  return {"web=tcp-listen:0", "u=udp:127.0.0.1:0,remote=" + udp.local()};
}

}  // namespace

TEST_CASE("with the least memory that --memory takes all is forwarded") {
  ON_EVERY_REAL_ENGINE;
  Peer udp = Peer::udp();
  std::vector<std::string> arguments = ports_towards(udp);
  arguments.insert(arguments.begin(), {"--memory", std::to_string(limits::memory_bytes_min)});
  SwitchdProcess daemon(engine, arguments);
  exchange(daemon, udp);
  CHECK(daemon.log().find("for frames instead of") == std::string::npos);  // it was asked for
  CHECK(daemon.stop() == 0);
}

#if !LANYARD_SANITIZED  // sanitizers need terabytes of address space themselves

TEST_CASE("where address space or data is bounded there are fewer buffers, that is said, and all is forwarded") {
  const auto [resource, name] = GENERATE(table<__rlimit_resource_t, std::string>({
      {RLIMIT_AS, "the address space (ulimit -v)"}, {RLIMIT_DATA, "the data segment (ulimit -d)"}}));
  const rlim_t bytes = GENERATE(2048 * mebi, 1024 * mebi, 512 * mebi, 256 * mebi);
  ON_EVERY_REAL_ENGINE;
  CAPTURE(name, bytes / mebi);
  Peer udp = Peer::udp();
  SwitchdProcess daemon(engine, ports_towards(udp), {.in_child = with_limit(resource, bytes)});
  INFO(daemon.log());
  CHECK(daemon.log().find(" MiB for frames instead of 2257 MiB, as " + name + " is bounded: ") != std::string::npos);
  CHECK(daemon.log().find("--memory SIZE") != std::string::npos);
  exchange(daemon, udp);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("where nothing is bounded nothing is said of memory") {
  SwitchdProcess daemon("auto", {"web=tcp-listen:0"}, {.in_child = with_limit(RLIMIT_AS, RLIM_INFINITY)});
  CHECK(daemon.log().find("(ulimit") == std::string::npos);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("without memory for the fewest buffers the start ends with 1 and says what is missing") {
  const auto resource = GENERATE(RLIMIT_AS, RLIMIT_DATA);
  const rlim_t bytes = resource == RLIMIT_AS ? 44 * mebi : 24 * mebi;
  const Ended ended = run_switchd({"--control", "none", "tcp-listen:0"}, with_limit(resource, bytes));
  INFO(ended.log);
  CHECK(ended.exit_code == 1);
  CHECK(ended.log.find("cannot start: 39 MiB of address space for frames, the least that works (see ulimit") !=
        std::string::npos);
}

TEST_CASE("memory that was asked for and cannot be had ends the start with 1, and is not made less") {
  const Ended ended = run_switchd({"--control", "none", "--memory", "1G", "tcp-listen:0"},
                                  with_limit(RLIMIT_AS, 512 * mebi));
  INFO(ended.log);
  CHECK(ended.exit_code == 1);
  CHECK(ended.log.find("cannot start: 1024 MiB of address space for frames (--memory): ") != std::string::npos);
}

#endif

}  // namespace process_memory_test
