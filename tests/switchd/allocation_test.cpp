// After start-up the data thread allocates nothing per frame. Counted with an operator new of our own, in the plain
// build (the sanitizers bring theirs).
#include <catch2/catch.hpp>
#include <cstdlib>
#include <new>

#include "tests/support/rig.h"
#include "transports/uring_engine.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(LANYARD_SANITIZE_THREAD) && !defined(__clang__)

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
// Not inlined: gcc would see free() where it knows only of new.
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A capture of everything that nobody reads, the recent past, and a mirror.
void observe(Rig& rig, const Vm& mirrored, const Vm& to) {
  CaptureSpec spec;
  spec.ports.all = true;
  Command add;
  add.kind = Command::Kind::add_tap;
  add.tap = std::make_shared<Tap>(std::move(spec), limits::mebi);
  rig.command(std::move(add));
  Command keep;
  keep.kind = Command::Kind::swap_rewind;
  keep.rewind = std::make_unique<Rewind>(limits::mebi);
  rig.command(std::move(keep));
  Mirror mirror;
  mirror.ports.ports = {mirrored.counters().serial};
  mirror.to.ports = {to.counters().serial};
  Command set;
  set.kind = Command::Kind::set_mirrors;
  set.mirrors = {mirror};
  rig.command(std::move(set));
}

}  // namespace

TEST_CASE("after start-up the data thread allocates nothing per frame, observed or not") {
  const std::string engine = GENERATE(std::string("epoll"), std::string("io_uring"));
  const bool observed = GENERATE(false, true);
  if (engine == "io_uring" && !probe_uring().usable) {
    WARN("io_uring is not tested here: " << probe_uring().why_not);
    return;
  }
  INFO("engine " << engine << (observed ? ", observed" : ""));
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_datagram();
  Vm& c = rig.add_stream();
  if (observed) observe(rig, b, c);
  std::string to_all;
  for (unsigned i = 0; i < 20; ++i) to_all += on_stream(frame(broadcast, mac(1), 300, i));
  const auto round = [&] {  // only the loop is counted; the VMs' side allocates as it likes
    a.send_raw(to_all);
    b.send(frame(mac(1), mac(2), 300));
    std::size_t in_loop = 0;
    for (int turn = 0; turn < 8; ++turn) {
      const std::size_t before = allocations;
      rig.plane().turn(0);
      in_loop += allocations - before;
    }
    (void)b.received();
    (void)c.received();
    (void)a.received();
    return in_loop;
  };
  for (int i = 0; i < 20; ++i) (void)round();  // start-up: vectors and rings find their size
  std::size_t in_loop = 0;
  for (int i = 0; i < 50; ++i) in_loop += round();
  CHECK(in_loop == 0);
  CHECK(a.counters().flooded.get() == 70 * 20);
  CHECK(c.counters().sent_frames.get() >= 70 * 20);
}

#endif
