// Faults that nobody has thought of: an exception costs what was being done, and not the daemon.
#include <fcntl.h>

#include <asio/post.hpp>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "switchd/guarded.h"
#include "switchd/topology.h"

namespace fault_test {

using namespace lanyard;

namespace {

struct ControlPlane {
  asio::io_context io;
  DataLink link{io};
  EventLog events;
  Fd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  LineOutput output{io, nowhere.get()};
  Topology topology{Config{}, {io, link, events, output}};
};

}  // namespace

TEST_CASE("an exception is told of, and what comes after it is done") {
  bool done = false;
  CHECK_FALSE(guarded("a test", [] { throw std::out_of_range("map::at"); }));
  CHECK_FALSE(guarded("a test", [] { throw 1; }));
  CHECK(guarded("a test", [&] { done = true; }));
  CHECK(done);
}

TEST_CASE("a change that throws is answered, and the next one has its turn") {
  ControlPlane plane;
  const bool later = GENERATE(false, true);  // from a handler that it left behind
  int broken = 0;
  int next = 0;
  plane.topology.in_turn(
      [&](const std::function<void()>& over) {
        if (!later) throw std::runtime_error("a fault");
        asio::post(plane.io, [over] { throw std::runtime_error("a fault"); });
      },
      [&](const Refusal&) { ++broken; });
  plane.topology.in_turn([&](const std::function<void()>& over) {
    CHECK(broken == 1);
    ++next;
    over();
  });
  while (!guarded("a test", [&] { plane.io.run(); })) continue;
  CHECK(broken == 1);
  CHECK(next == 1);
}

TEST_CASE("a change that is over when it throws has been answered") {
  ControlPlane plane;
  int broken = 0;
  int next = 0;
  plane.topology.in_turn(
      [](const std::function<void()>& over) {
        over();
        throw std::runtime_error("a fault");
      },
      [&](const Refusal&) { ++broken; });
  plane.topology.in_turn([&](const std::function<void()>& over) {
    ++next;
    over();
  });
  plane.io.run();
  CHECK(broken == 0);
  CHECK(next == 1);
}

TEST_CASE("what waits for its turn when the daemon stops is told so, and never has it") {
  ControlPlane plane;
  std::function<void()> end_of_first;
  int runs = 0;
  std::vector<Refusal::Kind> told;
  for (int i = 0; i < 3; ++i)
    plane.topology.in_turn(
        [&](const std::function<void()>& over) {
          ++runs;
          end_of_first = over;
        },
        [&](const Refusal& refusal) { told.push_back(refusal.kind); });
  plane.topology.in_turn([&](const std::function<void()>&) { ++runs; });  // which nobody waits for
  plane.topology.stop();
  CHECK(told == std::vector(2, Refusal::Kind::unavailable));
  end_of_first();
  plane.io.run();
  CHECK(runs == 1);
  CHECK(told.size() == 2);
}

}  // namespace fault_test
