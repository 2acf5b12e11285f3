// Engines that wait for more frames (transports/gathering.h; the simulation does not), made to do so in every turn:
// frames, ports that come and go, and the end are as they are without.
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <ctime>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/rig.h"
#include "tests/support/switchd_process.h"

namespace gathering_engines_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// From here the next wait is for more than one frame, as after a row of small turns.
void gather(Rig& rig) {
  Gathering& gathering = rig.plane().engine().gathering();
  constexpr unsigned turns_max = 2 * Gathering::row_max;
  std::uint64_t now_ns = rig.plane().engine().now_ns() - turns_max;
  for (unsigned i = 0; i < turns_max && !gathering.is_on(); ++i) gathering.woke(++now_ns, 1, false);
  REQUIRE(gathering.is_on());
}

bool gather_until(Rig& rig, const std::function<bool()>& done) {
  return rig.run_until([&] {
    if (done()) return true;
    gather(rig);
    return false;
  });
}

std::vector<std::string> numbered(unsigned count, unsigned from) {
  std::vector<std::string> frames;
  for (unsigned i = 0; i < count; ++i) frames.push_back(frame(broadcast, mac(from), 60 + i * 97 % 1455, i));
  return frames;
}

}  // namespace

TEST_CASE("a stream that comes in pieces is whole however long each is waited for") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& c = rig.add_datagram();
  const std::vector<std::string> sent = numbered(40, 1);
  std::string bytes;
  for (const std::string& each : sent) bytes += on_stream(each);
  std::size_t at = 0;
  std::size_t piece = 0;
  REQUIRE(gather_until(rig, [&] {
    const std::string next = bytes.substr(at, 1 + 331 * ++piece % 977);
    if (!next.empty()) a.send_raw(next);
    at += next.size();
    return b.received().size() == sent.size() && c.received().size() == sent.size();
  }));
  CHECK(b.received() == sent);
  CHECK(c.received() == sent);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("one frame is not worth a wait, and arrives all the same") {
  ON_EVERY_REAL_ENGINE;
  const Wire wire = GENERATE(Wire::stream, Wire::datagram);
  Rig rig({.engine = engine});
  Vm& a = rig.add({.wire = wire});
  Vm& b = rig.add_datagram();
  const std::string sent = frame(broadcast, mac(1), 100);
  rig.turns(3);  // as armed as it can be
  gather(rig);
  a.send(sent);
  REQUIRE(rig.run_until([&] { return !b.received().empty(); }));
  CHECK(b.received() == std::vector{sent});
  CHECK_FALSE(rig.plane().engine().gathering().is_on());
  CHECK(rig.stop());
}

TEST_CASE("frames of many ports that gather arrive in the order of each") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& sink = rig.add_stream();
  std::vector<Vm*> senders;
  for (unsigned i = 0; i < 20; ++i) senders.push_back(&(i % 2 == 0 ? rig.add_stream() : rig.add_datagram()));
  constexpr unsigned rounds = 10;
  unsigned round = 0;
  REQUIRE(gather_until(rig, [&] {
    if (round < rounds)
      for (unsigned i = 0; i < senders.size(); ++i) senders[i]->send(frame(broadcast, mac(i + 1), 60, round));
    ++round;
    return sink.received().size() == rounds * senders.size();
  }));
  const std::vector<std::string> received = sink.received();
  for (unsigned i = 0; i < senders.size(); ++i) {
    std::vector<std::string> of_one;
    std::vector<std::string> expected;
    for (const std::string& each : received)
      if (each.substr(6, 6) == mac(i + 1)) of_one.push_back(each);
    for (unsigned k = 0; k < rounds; ++k) expected.push_back(frame(broadcast, mac(i + 1), 60, k));
    CHECK(of_one == expected);
  }
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("ports come and go while frames gather, and others lose none") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_datagram();
  for (unsigned i = 0; i < 10; ++i) {
    gather(rig);
    Vm& other = rig.add({.wire = i % 2 == 0 ? Wire::stream : Wire::datagram});
    const std::string sent = frame(broadcast, mac(1), 60 + i, i);
    a.send(sent);
    REQUIRE(gather_until(rig, [&] { return other.received().size() == 1 && b.received().size() == i + 1; }));
    CHECK(other.received().front() == sent);
    CHECK(b.received().back() == sent);
    gather(rig);
    if (i % 4 < 2) rig.detach(other);
    else if (i % 2 == 0) other.close();
    else continue;  // a datagram's end is noticed by nobody
    REQUIRE(gather_until(rig, [&] { return other.down(); }));
  }
  CHECK(rig.ledger_balances());
  gather(rig);
  CHECK(rig.stop());
}

TEST_CASE("a reader that stops and reads again while frames gather gets all that were queued") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  const std::vector<std::string> sent = numbered(1000, 1);
  b.stop_reading();
  std::size_t next = 0;
  REQUIRE(gather_until(rig, [&] {
    for (unsigned i = 0; i < 20 && next < sent.size(); ++i) a.send(sent[next++]);
    return a.counters().flooded.get() == sent.size();
  }));
  REQUIRE(b.counters().queued_frames.get() > 0);
  b.resume_reading();
  REQUIRE(gather_until(rig, [&] { return b.received().size() == sent.size(); }));
  CHECK(b.received() == sent);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

namespace {

// Two stations, of which one has stopped to read, and its port takes no more; and two others.
struct HeldUp {
  Rig rig;
  Vm& a;
  Vm& b;
  Vm& c;
  Vm& d;
  std::vector<std::string> sent{};  // to b

  HeldUp(const std::string& engine, Wire other)
      : rig({.engine = engine}),
        a(rig.add_stream()),
        b(rig.add_stream()),
        c(rig.add({.wire = other})),
        d(rig.add({.wire = other})) {
    b.send(frame(broadcast, mac(2)));
    d.send(frame(broadcast, mac(4)));
    REQUIRE(rig.run_until([&] { return b.counters().flooded.get() + d.counters().flooded.get() == 2; }));
    block();
  }
  [[nodiscard]] const Gathering& gathering() { return rig.plane().engine().gathering(); }
  void send_to_b() {
    sent.push_back(frame(mac(2), mac(1), 1400, static_cast<unsigned>(sent.size())));
    a.send(sent.back());
  }
  void send_to_d() { c.send(frame(mac(4), mac(3))); }
  void block() { block(b); }
  void block(Vm& port) {
    port.stop_reading();
    REQUIRE(rig.run_until([&] {
      send_to_b();
      rig.turns(3);  // what the descriptor takes is with it then
      return port.counters().queued_frames.get() > 0;
    }));
  }
  // What is for b goes to a new port from here on, which takes no more. Of a descriptor that was free before, the
  // number is then that of a writable one.
  void block_another() {
    (void)rig.add_datagram();
    Vm& port = rig.add_stream();
    port.send(frame(broadcast, mac(2)));
    REQUIRE(rig.run_until([&] { return port.counters().flooded.get() == 1; }));
    block(port);
  }
  // Frames for b alone, until they are held up, as they are where nothing else goes on.
  void hold_up() {
    REQUIRE(rig.run_until([&] {
      if (gathering().is_held_up()) return true;
      send_to_b();
      return false;
    }));
  }
  // The next frame for b is fetched after the pause.
  void check_wait() {
    hold_up();
    send_to_b();
    CHECK(turn_ns() >= Gathering::wait_ns);
  }
  void check_end() {
    CHECK(rig.ledger_balances());
    CHECK(rig.stop());
  }
  // How long a turn takes that may take long.
  std::uint64_t turn_ns() {
    Engine& engine = rig.plane().engine();
    const std::uint64_t begin = engine.now_ns();
    rig.plane().turn(begin + 10'000'000'000);
    return engine.now_ns() - begin;
  }
  // How much of that it did not work: what it works takes long under a sanitizer.
  std::uint64_t idle_turn_ns() {
    const std::uint64_t begin_ns = thread_ns();
    const std::uint64_t whole_ns = turn_ns();
    const std::uint64_t work_ns = thread_ns() - begin_ns;
    return whole_ns > work_ns ? whole_ns - work_ns : 0;
  }
  static std::uint64_t thread_ns() {
    timespec now{};
    REQUIRE(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
  }
};

}  // namespace

TEST_CASE("frames that only wait for a port that takes no more are fetched after a while") {
  ON_EVERY_REAL_ENGINE;
  HeldUp x(engine, Wire::datagram);
  x.check_wait();
  CHECK(x.a.counters().unicast.get() == x.sent.size());
  SECTION("as long as it reads nothing") {
    x.check_wait();
  }
  SECTION("likewise when it has read, and stopped again") {
    x.b.resume_reading();
    REQUIRE(x.rig.run_until([&] { return x.b.received().size() == x.sent.size() + 1; }));
    x.block();
    x.check_wait();
  }
  x.b.resume_reading();
  REQUIRE(x.rig.run_until([&] { return x.b.received().size() == x.sent.size() + 1; }));
  const std::vector<std::string> received = x.b.received();
  CHECK(std::equal(x.sent.begin(), x.sent.end(), received.begin() + 1));
  x.check_end();
}

TEST_CASE("a port that went while it took no more leaves nothing behind that ends or begins a wait") {
  ON_EVERY_REAL_ENGINE;
  HeldUp x(engine, Wire::stream);
  const bool closes = GENERATE(false, true);
  x.hold_up();
  if (closes) x.b.close();
  else x.rig.detach(x.b);
  REQUIRE(x.rig.run_until([&] { return x.b.down(); }));
  x.rig.clear_notices();  // with which it was handed back: its descriptor closes
  x.block_another();
  x.check_wait();
  x.check_end();
}

TEST_CASE("a port that takes more again ends no wait for another") {
  ON_EVERY_REAL_ENGINE;
  HeldUp x(engine, Wire::stream);
  x.hold_up();
  x.b.resume_reading();
  REQUIRE(x.rig.run_until([&] { return x.b.received().size() == x.sent.size() + 1; }));
  x.block_another();
  x.check_wait();
  x.check_end();
}

TEST_CASE("what others have to say is not held up by a port that takes no more") {
  ON_EVERY_REAL_ENGINE;
  HeldUp x(engine, GENERATE(Wire::stream, Wire::datagram));
  x.hold_up();
  x.send_to_d();
  x.send_to_b();
  REQUIRE(x.rig.run_until([&] { return x.d.received().size() == 2; }));
  CHECK_FALSE(x.gathering().is_held_up());
  const std::uint64_t quiet_ns = x.rig.plane().engine().woke_ns() + Gathering::others_ns / 2;
  for (unsigned i = 0; i < 10 && x.rig.plane().engine().woke_ns() < quiet_ns; ++i) {
    const std::uint64_t fetched = x.a.counters().unicast.get();
    x.send_to_b();
    REQUIRE(x.rig.run_until([&] { return x.a.counters().unicast.get() > fetched; }));
    if (x.rig.plane().engine().woke_ns() < quiet_ns) CHECK_FALSE(x.gathering().is_held_up());
  }
  x.check_end();
}

TEST_CASE("a port that takes more ends the wait for it") {
  ON_EVERY_REAL_ENGINE;
  HeldUp x(engine, Wire::datagram);
  std::uint64_t shortest_ns = Gathering::wait_ns;
  REQUIRE(x.rig.run_until([&] {
    x.hold_up();
    x.b.resume_reading();
    (void)x.b.received();  // its descriptor takes more from here on
    shortest_ns = std::min(shortest_ns, x.idle_turn_ns());  // in one of some turns nothing else has the core
    if (shortest_ns < Gathering::wait_ns) return true;
    x.block();
    return false;
  }));
  REQUIRE(x.rig.run_until([&] { return x.b.received().size() == x.sent.size() + 1; }));
  CHECK(x.rig.stop());
}

TEST_CASE("a port that is full holds up nothing") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add({.queue_frames = 4});
  b.stop_reading();
  REQUIRE(rig.run_until([&] {
    a.send(frame(broadcast, mac(1), 1400));
    return b.counters().dropped(DropSide::egress) > 0;
  }));
  rig.turns(10);
  const std::uint64_t dropped = b.counters().dropped(DropSide::egress);
  a.send(frame(broadcast, mac(1), 1400));
  REQUIRE(rig.run_until([&] { return b.counters().dropped(DropSide::egress) > dropped; }));
  CHECK_FALSE(rig.plane().engine().gathering().is_held_up());
  CHECK(rig.stop());
}

TEST_CASE("frames that come during the wait arrive, whenever that is") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  Vm& sink = rig.add_stream();
  const Vm& a = rig.add_stream();
  const std::vector<std::string> sent = numbered(2000, 1);
  std::thread sender([&] {
    for (const std::string& each : sent) {
      const std::string bytes = on_stream(each);
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t piece = std::min<std::size_t>(bytes.size() - at, 600);
        const ssize_t done = ::send(a.fd(), bytes.data() + at, piece, MSG_NOSIGNAL);
        LANYARD_CHECK(done > 0 || errno == EAGAIN);
        if (done > 0) at += static_cast<std::size_t>(done);
        else std::this_thread::yield();
      }
    }
  });
  const bool all = gather_until(rig, [&] { return sink.received().size() == sent.size(); });
  sender.join();
  REQUIRE(all);
  CHECK(sink.received() == sent);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("more datagrams of more ports at once than the kernel has slots for all arrive") {
  ON_EVERY_REAL_ENGINE;
  const bool waits = GENERATE(false, true);
  Rig rig({.engine = engine});
  Vm& sink = rig.add_stream();
  constexpr unsigned ports = 100, of_each = 3, of_the_first = 150;
  std::vector<Vm*> senders;
  for (unsigned i = 0; i < ports; ++i) senders.push_back(&rig.add_datagram());
  sink.send(frame(broadcast, mac(200)));
  REQUIRE(rig.run_until([&] { return sink.counters().flooded.get() == 1; }));
  for (unsigned i = 0; i < ports; ++i)
    for (unsigned k = 0; k < (i == 0 ? of_the_first : of_each); ++k)
      senders[i]->send(frame(mac(200), mac(i + 1), 60, k));
  const auto done = [&] { return sink.received().size() == of_the_first + (ports - 1) * of_each; };
  REQUIRE((waits ? gather_until(rig, done) : rig.run_until(done)));
  std::vector<unsigned> counts(ports);
  for (const std::string& each : sink.received())
    for (unsigned i = 0; i < ports; ++i)
      if (each.substr(6, 6) == mac(i + 1)) CHECK(each == frame(mac(200), mac(i + 1), 60, counts[i]++));
  CHECK(counts.front() == of_the_first);
  CHECK(std::count(counts.begin() + 1, counts.end(), of_each) == ports - 1);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

}  // namespace gathering_engines_test
