// Those who watch the data plane: taps, mirrors and rewinds, on every engine, while the ledger holds.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/every_engine.h"
#include "transports/clock.h"

namespace capture_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

constexpr auto inbound = FrameRecord::Direction::inbound;
constexpr auto outbound = FrameRecord::Direction::outbound;

PortSelection all_ports() {
  PortSelection selection;
  selection.all = true;
  return selection;
}
PortSelection only(const Vm& vm) {
  PortSelection selection;
  selection.ports = {vm.counters().serial};
  return selection;
}
PortSelection owned_by(std::uint32_t owner) {
  PortSelection selection;
  selection.owners = {owner};
  return selection;
}

// A frame as it was observed.
struct Seen {
  FrameRecord record;
  std::string bytes;

  [[nodiscard]] bool is(const Vm& vm, FrameRecord::Direction direction) const {
    return record.port == vm.counters().serial && record.direction == direction;
  }
  [[nodiscard]] bool dropped(DropReason reason) const { return record.drop == static_cast<std::uint8_t>(reason); }
};

Seen seen(const RecordView& view) {
  return {view.record, {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()}};
}

// A tap in place.
class Watch {
 public:
  Watch(Rig& rig, CaptureSpec spec, std::size_t ring_bytes = limits::mebi)
      : rig_(rig), tap_(std::make_shared<Tap>(std::move(spec), ring_bytes)) {
    Command add;
    add.kind = Command::Kind::add_tap;
    add.tap = tap_;
    rig.command(std::move(add));
    LANYARD_CHECK(rig.run_until([&] { return tap_->begun_unix_ns() > 0; }));
  }
  [[nodiscard]] std::vector<Seen> take() {
    std::vector<Seen> all;
    for (;;) {
      const auto view = tap_->next();
      if (!view) return all;
      all.push_back(seen(*view));
      tap_->pop();
    }
  }
  void remove() {
    Command remove;
    remove.kind = Command::Kind::remove_tap;
    remove.tap = tap_;
    remove.token = 1;
    rig_.command(std::move(remove));
    (void)rig_.take_notice(Notice::Kind::done);
    CHECK(tap_.use_count() == 1);
  }
  [[nodiscard]] std::uint64_t lost() const { return tap_->lost(); }

 private:
  Rig& rig_;
  std::shared_ptr<Tap> tap_;
};

void set_mirrors(Rig& rig, std::vector<Mirror> mirrors) {
  Command set;
  set.kind = Command::Kind::set_mirrors;
  set.mirrors = std::move(mirrors);
  rig.command(std::move(set));
  rig.turns(2);
}

// Puts a fresh rewind, or none, in the place of the network's, and returns that.
std::unique_ptr<Rewind> swap_rewind(Rig& rig, std::size_t bytes, NetworkIndex network = 0) {
  Command swap;
  swap.kind = Command::Kind::swap_rewind;
  swap.network = network;
  swap.token = 1;
  if (bytes > 0) swap.rewind = std::make_unique<Rewind>(bytes);
  rig.command(std::move(swap));
  return std::move(rig.take_notice(Notice::Kind::done).past);
}

std::vector<Seen> all_of(const std::shared_ptr<const Rewind>& rewind) {
  std::vector<Seen> all;
  Rewind::Reader reader(rewind);
  for (auto view = reader.next(); view; view = reader.next()) {
    all.push_back(seen(*view));
    reader.pop();
  }
  return all;
}

// VM number n says so to all others.
void greet(Rig& rig, Vm& vm, unsigned n) {
  const std::uint64_t before = vm.counters().received_frames.get();
  vm.send(frame(broadcast, mac(n)));
  REQUIRE(rig.run_until([&] { return vm.counters().received_frames.get() == before + 1; }));
}

PacketFilter compiled(const std::string& expression) {
  auto result = PacketFilter::compile(expression);
  REQUIRE(std::holds_alternative<PacketFilter>(result));
  return std::get<PacketFilter>(std::move(result));
}

}  // namespace

TEST_CASE("a capture has each frame where it came in and where it left, with its bytes and the time of day") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add({.owner = 7});
  Vm& b = rig.add_datagram();
  Vm& c = rig.add_stream();
  const std::uint64_t before = unix_ns();
  Watch watch(rig, {.ports = all_ports()});
  greet(rig, a, 1);
  greet(rig, b, 2);
  const std::string sent = frame(mac(2), mac(1), 1514, 9);
  a.send(sent);
  REQUIRE(rig.run_until([&] { return b.received().size() == 2; }));
  const auto records = watch.take();
  REQUIRE(records.size() == 3 + 3 + 2);
  CHECK(records[0].is(a, inbound));
  CHECK((records[1].is(b, outbound) && records[2].is(c, outbound)));
  CHECK(records[3].is(b, inbound));
  CHECK(records[6].is(a, inbound));
  CHECK(records[7].is(b, outbound));
  CHECK((records[6].bytes == sent && records[7].bytes == sent));
  CHECK((records[6].record.owner == 7 && records[7].record.owner == 0));
  CHECK(watch.lost() == 0);
  for (std::size_t i = 0; i < records.size(); ++i) {
    CHECK(records[i].record.original_bytes == records[i].bytes.size());
    CHECK(records[i].record.drop == FrameRecord::no_drop);
    if (i > 0) CHECK(records[i].record.unix_ns >= records[i - 1].record.unix_ns);
  }
  if (engine != "sim") {  // where time is another
    CHECK(records.front().record.unix_ns + 100'000'000 > before);
    CHECK(records.back().record.unix_ns < unix_ns() + 100'000'000);
  }
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a capture has one direction where one is asked for, of the selected ports only") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::learning_switch}});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& elsewhere = rig.add({.network = 1});
  Vm& other = rig.add({.network = 1});
  PortSelection first_network;
  first_network.networks = {0};
  Watch in(rig, {.ports = first_network, .outbound = false});
  Watch out(rig, {.ports = first_network, .inbound = false});
  Watch of_b(rig, {.ports = only(b)});
  greet(rig, a, 1);
  greet(rig, elsewhere, 3);
  REQUIRE(rig.run_until([&] { return b.received().size() == 1 && other.received().size() == 1; }));
  const auto received = in.take(), sent = out.take(), seen_of_b = of_b.take();
  REQUIRE((received.size() == 1 && sent.size() == 1 && seen_of_b.size() == 1));
  CHECK(received[0].is(a, inbound));
  CHECK(sent[0].is(b, outbound));
  CHECK(seen_of_b[0].is(b, outbound));
  CHECK(rig.ledger_balances());
}

TEST_CASE("frames that the bridge drops are captured as received, with their reason") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Watch watch(rig, {.ports = all_ports()});
  greet(rig, a, 1);
  Vm& b = rig.add_stream();
  a.send(frame("\x01\x80\xC2" + std::string(2, '\0') + "\x0E", mac(1)));
  a.send(frame(mac(1), mac(1)));
  REQUIRE(rig.run_until([&] { return a.counters().received_frames.get() == 3; }));
  const auto records = watch.take();
  REQUIRE(records.size() == 3);
  CHECK(records[0].dropped(DropReason::no_destination));
  CHECK(records[1].dropped(DropReason::reserved_mac));
  CHECK(records[2].dropped(DropReason::same_port));
  CHECK(b.received().empty());
  CHECK(rig.ledger_balances());
}

TEST_CASE("copies that a port drops are captured where drops are asked for, with their reason, and else not at all") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add({.max_frame_bytes = 1514, .queue_frames = 2});
  Watch sent(rig, {.ports = only(b), .inbound = false});
  Watch all(rig, {.ports = only(b), .inbound = false, .drops = true});
  b.stop_reading();
  constexpr std::size_t frames = 2000;
  for (unsigned i = 0; i < frames; ++i) {
    a.send(frame(broadcast, mac(1), 400, i));
    if (i % 50 == 0) rig.turns(1);
  }
  a.send(frame(broadcast, mac(1), 1515));
  REQUIRE(rig.run_until([&] { return a.counters().received_frames.get() == frames + 1; }));
  const auto left = sent.take(), made = all.take();
  const auto with = [&](DropReason reason) {
    return std::count_if(made.begin(), made.end(), [&](const Seen& one) { return one.dropped(reason); });
  };
  CHECK(made.size() == frames + 1);
  CHECK(left.size() == frames - drops(b, DropReason::egress_full));
  CHECK(drops(b, DropReason::egress_full) > 0);
  CHECK(with(DropReason::egress_full) == static_cast<std::ptrdiff_t>(drops(b, DropReason::egress_full)));
  CHECK(with(DropReason::mtu) == 1);
  CHECK((all.lost() == 0 && sent.lost() == 0));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a capture holds what its filter lets through, and of each frame as much as was asked for") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  CaptureSpec spec{.ports = all_ports(), .outbound = false, .snap_bytes = 64};
  spec.filter = compiled("ether src 52:54:00:00:00:02 and greater 100");
  Watch watch(rig, std::move(spec));
  a.send(frame(broadcast, mac(1), 300));
  b.send(frame(broadcast, mac(2), 99));
  b.send(frame(broadcast, mac(2), 300));
  REQUIRE(rig.run_until([&] { return b.counters().received_frames.get() == 2 && b.received().size() == 1; }));
  const auto records = watch.take();
  REQUIRE(records.size() == 1);
  CHECK(records[0].is(b, inbound));
  CHECK(records[0].record.original_bytes == 300);
  CHECK(records[0].bytes == frame(broadcast, mac(2), 300).substr(0, 64));
}

TEST_CASE("what is no filter is refused with a reason") {
  const auto result = PacketFilter::compile("tcp port port");
  REQUIRE(std::holds_alternative<std::string>(result));
  CHECK(std::get<std::string>(result).find("syntax error") != std::string::npos);
  CHECK(std::holds_alternative<std::string>(PacketFilter::compile(std::string(limits::filter_bytes_max + 1, ' '))));
}

TEST_CASE("when nobody reads a capture its records are lost and counted, and not one frame is") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  constexpr std::size_t ring_bytes = 256 * limits::kibi;
  Watch watch(rig, {.ports = all_ports()}, ring_bytes);
  constexpr std::size_t frames = 500;
  std::size_t captured = 0;
  for (std::size_t round = 1; round <= 3; ++round) {  // wherever in the ring the reading stops
    for (unsigned i = 0; i < frames; ++i) {
      a.send(frame(broadcast, mac(1), 1000 + i, i));
      if (i % 20 == 0) rig.turns(1);
    }
    REQUIRE(rig.run_until([&] { return b.received().size() == round * frames; }));
    const auto records = watch.take();
    CHECK(records.size() > ring_bytes / 2000);
    CHECK(records[0].bytes == frame(broadcast, mac(1), 1000, 0));
    captured += records.size();
    CHECK(captured + watch.lost() == 2 * round * frames);
  }
  CHECK(b.counters().dropped(DropSide::egress) == 0);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("nothing is captured any more when a tap has been taken off") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Watch first(rig, {.ports = all_ports()});
  Watch second(rig, {.ports = all_ports(), .outbound = false});
  first.remove();
  greet(rig, a, 1);
  CHECK(first.take().empty());
  CHECK(second.take().size() == 1);
  second.remove();
  greet(rig, b, 2);
  CHECK(second.take().empty());
}

TEST_CASE("a capture of a network or of a listener includes the ports that come later, and those only") {
  ON_EVERY_ENGINE;
  constexpr std::uint32_t web = 3;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& first = rig.add({.owner = web});
  PortSelection network;
  network.networks = {0};
  Watch of_network(rig, {.ports = network, .outbound = false});
  Watch of_web(rig, {.ports = owned_by(web), .outbound = false});
  Vm& second = rig.add({.owner = web});
  greet(rig, a, 1);
  greet(rig, first, 2);
  greet(rig, second, 3);
  first.close();
  REQUIRE(rig.run_until([&] { return first.down(); }));
  Vm& third = rig.add({.owner = web});
  greet(rig, third, 4);
  CHECK(of_network.take().size() == 4);
  const auto records = of_web.take();
  REQUIRE(records.size() == 3);
  CHECK((records[0].is(first, inbound) && records[1].is(second, inbound) && records[2].is(third, inbound)));
  CHECK(rig.ledger_balances());
}

TEST_CASE("a mirror's port gets what the mirrored port receives and is sent, once each, and counts it") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::learning_switch}});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_datagram();
  Vm& sniffer = rig.add({.wire = GENERATE(Wire::stream, Wire::datagram), .network = 1});
  greet(rig, a, 1);
  greet(rig, b, 2);
  Mirror mirror{.to = only(sniffer), .ports = only(a)};
  SECTION("both directions") {}
  SECTION("in") { mirror.outbound = false; }
  SECTION("out") { mirror.inbound = false; }
  set_mirrors(rig, {mirror});
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 20; ++i) {
    const std::string there = frame(mac(2), mac(1), 100 + i, i), back = frame(mac(1), mac(2), 200 + i, i);
    const std::size_t had = a.received().size();
    a.send(there);
    REQUIRE(rig.run_until([&] { return a.counters().received_frames.get() == i + 2; }));
    b.send(back);
    REQUIRE(rig.run_until([&] { return a.received().size() == had + 1; }));
    if (mirror.inbound) expected.push_back(there);
    if (mirror.outbound) expected.push_back(back);
  }
  REQUIRE(rig.run_until([&] { return sniffer.received().size() >= expected.size(); }));
  rig.turns(3);
  CHECK(sniffer.received() == expected);
  CHECK(sniffer.counters().copies.get() == expected.size());
  CHECK(rig.ledger_balances());
  set_mirrors(rig, {});
  greet(rig, a, 1);
  rig.turns(3);
  CHECK(sniffer.received() == expected);
  CHECK(rig.stop());
}

TEST_CASE("a mirror of its own network mirrors neither its own traffic nor another mirror's copies") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& first = rig.add_stream();
  Vm& second = rig.add_stream();
  PortSelection network;
  network.networks = {0};
  set_mirrors(rig, {{.to = only(first), .ports = network}, {.to = only(second), .ports = network}});
  greet(rig, a, 1);
  // Each of the two is sent the frame itself, a copy of what `a` received, and a copy of what the other was sent.
  REQUIRE(rig.run_until([&] { return first.received().size() == 3 && second.received().size() == 3; }));
  greet(rig, first, 2);
  // Of its own frame it gets nothing back; the other: itself, as received by the first, as sent to `a`.
  REQUIRE(rig.run_until([&] { return second.received().size() == 6 && a.received().size() == 1; }));
  rig.turns(5);
  CHECK((first.received().size() == 3 && second.received().size() == 6 && a.received().size() == 1));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a mirror's port that goes costs only the mirroring, which goes on when it is back") {
  ON_EVERY_ENGINE;
  constexpr std::uint32_t ids = 5;
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::learning_switch}});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& sniffer = rig.add({.network = 1, .owner = ids});
  PortSelection network;
  network.networks = {0};
  set_mirrors(rig, {{.to = owned_by(ids), .ports = network, .outbound = false}});
  greet(rig, a, 1);
  REQUIRE(rig.run_until([&] { return sniffer.received().size() == 1; }));
  sniffer.stop_reading();
  for (unsigned i = 0; i < 2000; ++i) {
    a.send(frame(broadcast, mac(1), 1514, i));
    if (i % 50 == 0) rig.turns(1);
  }
  REQUIRE(rig.run_until([&] { return b.received().size() == 2001; }));
  CHECK(sniffer.counters().queued_frames.get() > 0);
  CHECK(rig.ledger_balances());
  sniffer.close();
  REQUIRE(rig.run_until([&] { return sniffer.down(); }));
  greet(rig, b, 2);
  Vm& again = rig.add({.network = 1, .owner = ids});
  greet(rig, b, 2);
  REQUIRE(rig.run_until([&] { return again.received().size() == 1; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a capture of a mirror's port has the mirror's copies") {
  Rig rig({.engine = "sim"});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& sniffer = rig.add_stream();
  Watch watch(rig, {.ports = only(sniffer)});
  set_mirrors(rig, {{.to = only(sniffer), .ports = only(b)}});
  greet(rig, a, 1);
  REQUIRE(rig.run_until([&] { return sniffer.received().size() == 2; }));
  CHECK(watch.take().size() == 2);
  CHECK(rig.ledger_balances());
}

TEST_CASE("a rewind has the last frames of its network, whole, and begins anew when it is taken") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::learning_switch}});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& elsewhere = rig.add({.network = 1});
  CHECK(swap_rewind(rig, limits::mebi) == nullptr);
  greet(rig, elsewhere, 9);
  constexpr unsigned frames = 3000;  // more than 1 MiB
  for (unsigned i = 0; i < frames; ++i) {
    a.send(frame(broadcast, mac(1), 300 + i % 1000, i));
    if (i % 100 == 0) rig.turns(1);
  }
  REQUIRE(rig.run_until([&] { return b.received().size() == frames; }));
  const std::shared_ptr<Rewind> taken = swap_rewind(rig, limits::mebi);
  CHECK(taken->used_bytes() > limits::mebi - limits::frame_bytes_max);
  CHECK(taken->used_bytes() <= limits::mebi);
  const auto past = all_of(taken);
  REQUIRE(past.size() > 900);
  CHECK(past.back().is(b, outbound));
  CHECK(past.back().bytes == frame(broadcast, mac(1), 300 + (frames - 1) % 1000, frames - 1));
  unsigned expected = frames;  // backwards, no frame is missing
  for (std::size_t i = past.size(); i-- > 0;) {
    if (!past[i].is(a, inbound)) continue;
    --expected;
    REQUIRE(past[i].bytes == frame(broadcast, mac(1), 300 + expected % 1000, expected));
  }
  greet(rig, b, 2);
  const std::shared_ptr<Rewind> next = swap_rewind(rig, 0);
  CHECK(all_of(next).size() == 2);
  greet(rig, b, 2);
  CHECK(swap_rewind(rig, 0) == nullptr);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("what was taken of the past is kept for the next who asks, up to what a rewind holds") {
  const auto rewind_of = [](unsigned first, unsigned frames) {
    auto rewind = std::make_shared<Rewind>(limits::mebi);
    for (unsigned i = first; i < first + frames; ++i) {
      FrameRecord record;
      record.original_bytes = 1000;
      const std::string bytes = frame(broadcast, mac(1), 1000, i);
      rewind->append(record, std::as_bytes(std::span(bytes.data(), bytes.size())));
    }
    return rewind;
  };
  const auto numbers = [](const RewindHistory& history) {
    std::vector<unsigned> all;
    for (const auto& rewind : history.all())
      for (const Seen& one : all_of(rewind))
        all.push_back(load_be32(reinterpret_cast<const std::byte*>(one.bytes.data()) + 14));
    return all;
  };
  RewindHistory history;
  history.add(rewind_of(0, 0));
  CHECK(history.all().empty());
  for (unsigned i = 0; i < 300; ++i) history.add(rewind_of(i * 10, 10));
  CHECK(history.all().size() <= 2);
  const auto kept = numbers(history);
  CHECK(kept.size() >= 1000);
  for (std::size_t i = 0; i < kept.size(); ++i) REQUIRE(kept[i] == 3000 - kept.size() + i);

  SECTION("what somebody reads stays as it is") {
    const auto reading = history.all();
    const auto before = numbers(history);
    history.add(rewind_of(3000, 10));
    std::vector<unsigned> after;
    for (const auto& rewind : reading)
      for (const Seen& one : all_of(rewind))
        after.push_back(load_be32(reinterpret_cast<const std::byte*>(one.bytes.data()) + 14));
    CHECK(after == before);
    CHECK(numbers(history).back() == 3009);
  }
  SECTION("a full one is enough") {
    history.add(rewind_of(3000, 2000));
    CHECK(history.all().size() == 1);
    CHECK(numbers(history).back() == 4999);
  }
}

}  // namespace capture_test
