// The data plane's loop on every engine: the same tests over epoll, io_uring and the simulation.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/every_engine.h"

namespace dataplane_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// Teaches the switch where each VM is, and waits until what it flooded for that has arrived everywhere.
void introduce(Rig& rig, std::vector<Vm*> vms) {
  for (std::size_t i = 0; i < vms.size(); ++i) vms[i]->send(frame(broadcast, mac(static_cast<unsigned>(i + 1))));
  REQUIRE(rig.run_until([&] {
    for (Vm* vm : vms) {
      if (vm->counters().flooded.get() < 1) return false;
      if (vm->reads() && vm->received().size() != vms.size() - 1) return false;
    }
    return true;
  }));
}

}  // namespace

TEST_CASE("a frame for a known station goes there and nowhere else") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_datagram();
  Vm& c = rig.add_stream();
  introduce(rig, {&a, &b, &c});
  const std::string sent = frame(mac(2), mac(1), 1514, 9);
  a.send(sent);
  REQUIRE(rig.run_until([&] { return b.received().size() == 3; }));
  CHECK(b.received().back() == sent);
  rig.turns(3);
  CHECK(c.received().size() == 2);
  CHECK(a.counters().unicast.get() == 1);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a turn that brings a port more frames than are decided at once is one batch of it") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  introduce(rig, {&a, &b});
  constexpr std::size_t frames = 700;
  std::string bytes;
  for (unsigned i = 0; i < frames; ++i) bytes += on_stream(frame(mac(2), mac(1), 60, i));
  a.send_raw(bytes);
  const PortCounters& counters = a.counters();
  const std::uint64_t first = counters.received_frames.get();
  const std::uint64_t receives = counters.receives.get();
  std::uint64_t turns_with_frames = 0;
  std::uint64_t most_frames = 0;
  REQUIRE(rig.run_until([&, before = first]() mutable {
    const std::uint64_t brought = counters.received_frames.get() - std::exchange(before, counters.received_frames.get());
    turns_with_frames += brought > 0 ? 1 : 0;
    most_frames = std::max(most_frames, brought);
    return counters.received_frames.get() == first + frames;
  }));
  CHECK(most_frames > 256);
  CHECK(counters.receives.get() == receives + turns_with_frames);
  REQUIRE(rig.run_until([&] { return b.received().size() == 1 + frames; }));
  for (unsigned i = 0; i < frames; ++i) CHECK(b.received()[1 + i] == frame(mac(2), mac(1), 60, i));
  CHECK(rig.stop());
}

TEST_CASE("a frame for everybody reaches all others, and never comes back") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& c = rig.add_datagram();
  const std::string sent = frame(broadcast, mac(1), 42);
  a.send(sent);
  REQUIRE(rig.run_until([&] { return b.received().size() == 1 && c.received().size() == 1; }));
  CHECK(b.received().front() == sent);
  CHECK(c.received().front() == sent);
  rig.turns(3);
  CHECK(a.received().empty());
  CHECK(rig.stop());
}

TEST_CASE("frames of every length pass between every pair of wires unchanged and in order") {
  ON_EVERY_ENGINE;
  const Wire from = GENERATE(Wire::stream, Wire::datagram);
  const Wire to = GENERATE(Wire::stream, Wire::datagram);
  Rig rig({.engine = engine});
  Vm& a = rig.add({.wire = from});
  Vm& b = rig.add({.wire = to});
  introduce(rig, {&a, &b});
  const std::size_t before = b.received().size();
  std::vector<std::string> sent;
  for (const std::size_t bytes : {14UL, 15UL, 42UL, 60UL, 64UL, 1514UL, 1515UL, 9014UL, 60'000UL, 65'507UL})
    sent.push_back(frame(mac(2), mac(1), bytes, static_cast<unsigned>(bytes)));
  for (const std::string& one : sent) a.send(one);
  REQUIRE(rig.run_until([&] { return b.received().size() == before + sent.size(); }));
  const auto received = b.received();
  CHECK(std::vector<std::string>(received.begin() + static_cast<std::ptrdiff_t>(before), received.end()) == sent);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("the address that is sent from is the address that was received at") {
  ON_EVERY_ENGINE;
  const Wire from = GENERATE(Wire::stream, Wire::datagram);
  const Wire to = GENERATE(Wire::stream, Wire::datagram);
  const bool flood = GENERATE(false, true);
  INFO((from == Wire::stream ? "stream" : "datagram") << " to " << (to == Wire::stream ? "stream" : "datagram")
                                                      << (flood ? ", flooded" : ""));
  Rig rig({.engine = engine, .faults = {.short_read = 0, .short_write = 0}});
  Vm& a = rig.add({.wire = from});
  Vm& b = rig.add({.wire = to});
  Vm& c = rig.add({.wire = to});
  introduce(rig, {&a, &b, &c});
  // Every send is noted with where it begins. Each is in a receive buffer, at the place where the frame's first byte
  // (on a stream its length header) was received: bytes that had been copied would lie elsewhere.
  struct Sends {
    std::vector<std::pair<const std::byte*, std::size_t>> all;
  } sends;
  rig.plane().engine().observe_sends(
      [](void* user, const std::byte* data, std::size_t bytes) {
        static_cast<Sends*>(user)->all.emplace_back(data, bytes);
      },
      &sends);
  const std::string sent = frame(flood ? broadcast : mac(2), mac(1), 1000, 77);
  const std::size_t had = b.received().size();
  a.send(sent);
  REQUIRE(rig.run_until([&] { return b.received().size() == had + 1 && (!flood || c.received().size() == had + 1); }));
  REQUIRE(sends.all.size() == (flood ? 2 : 1));
  const std::size_t header = to == Wire::stream ? 4 : 0;
  for (const auto& [data, bytes] : sends.all) {
    CHECK(bytes == 1000 + header);
    CHECK(rig.plane().place_of(data + header).buffer_offset ==
          (from == Wire::stream ? limits::chunk_headroom_bytes + 4 : limits::slot_headroom_bytes));
    CHECK(rig.plane().place_of(data).in_chunk == (from == Wire::stream));
  }
  if (flood) CHECK(sends.all[0].first == sends.all[1].first);
  CHECK(a.counters().heads_copied.get() == 0);
  CHECK(b.counters().copied_out.get() == 0);
  rig.plane().engine().observe_sends(nullptr, nullptr);
  CHECK(rig.stop());
}

TEST_CASE("runts are skipped and counted, and the stream goes on") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  a.send_raw(std::string("\0\0\0\x05", 4) + "abcde");
  a.send(frame(broadcast, mac(1)));
  REQUIRE(rig.run_until([&] { return b.received().size() == 1; }));
  CHECK(drops(a, DropReason::runt) == 1);
  CHECK(a.counters().received_frames.get() == 2);
  CHECK(rig.ledger_balances());
}

TEST_CASE("a broken length closes that connection, after the frames before it, and no other") {
  ON_EVERY_ENGINE;
  const std::string broken = GENERATE(std::string(4, '\0'), std::string("\0\x01\x10\x01", 4), std::string("GET /"));
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& c = rig.add_stream();
  a.send_raw(on_stream(frame(broadcast, mac(1))) + broken + std::string(100, 'x'));
  REQUIRE(rig.run_until([&] { return a.down(); }));
  CHECK(drops(a, DropReason::bad_length) == 1);
  REQUIRE(rig.run_until([&] { return b.received().size() == 1; }));
  b.send(frame(broadcast, mac(2)));
  REQUIRE(rig.run_until([&] { return c.received().size() == 2; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("empty and short datagrams are counted and never relayed") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_datagram();
  Vm& b = rig.add_datagram();
  a.send_raw("");
  a.send_raw("thirteen byte");
  a.send(frame(broadcast, mac(1), 14));
  REQUIRE(rig.run_until([&] { return b.received().size() == 1; }));
  CHECK(b.received().front().size() == 14);
  CHECK(drops(a, DropReason::runt) == 2);
  CHECK(rig.ledger_balances());
}

TEST_CASE("max-frame holds both ways: oversize at ingress, mtu at egress") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& small = rig.add({.wire = GENERATE(Wire::stream, Wire::datagram), .max_frame_bytes = 1514});
  Vm& b = rig.add_stream();
  small.send(frame(broadcast, mac(1), 1515));
  small.send(frame(broadcast, mac(1), 1514));
  REQUIRE(rig.run_until([&] { return b.received().size() == 1; }));
  CHECK(drops(small, DropReason::oversize) == 1);
  b.send(frame(broadcast, mac(2), 1515));
  b.send(frame(broadcast, mac(2), 1514));
  REQUIRE(rig.run_until([&] { return small.received().size() == 1; }));
  CHECK(drops(small, DropReason::mtu) == 1);
  CHECK(rig.ledger_balances());
}

TEST_CASE("a frame that is too long in the middle of a run costs nothing but itself") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& small = rig.add({.wire = GENERATE(Wire::stream, Wire::datagram), .max_frame_bytes = 1514});
  Vm& b = rig.add_stream();
  introduce(rig, {&small, &b});
  std::vector<std::string> expected;
  for (unsigned i = 0; i < 30; ++i) {
    const std::string sent = frame(mac(1), mac(2), i % 10 == 5 ? 1515 : 1000 + i, i);
    if (sent.size() <= 1514) expected.push_back(sent);
    b.send(sent);
  }
  const std::size_t before = small.received().size();
  REQUIRE(rig.run_until([&] { return small.received().size() == before + expected.size(); }));
  CHECK(std::equal(expected.begin(), expected.end(), small.received().end() - 27));
  CHECK(drops(small, DropReason::mtu) == 3);
  CHECK(rig.ledger_balances());
}

TEST_CASE("a stopped reader loses its own frames only, and gets the rest when it reads again") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& sender = rig.add_stream();
  Vm& stopped = rig.add_stream();
  Vm& healthy = rig.add_stream();
  introduce(rig, {&sender, &stopped, &healthy});
  const std::size_t stopped_had = stopped.received().size();
  const std::size_t healthy_had = healthy.received().size();
  stopped.stop_reading();
  constexpr std::size_t frames = 4000;
  for (std::size_t i = 0; i < frames; ++i) {
    sender.send(frame(mac(2), mac(1), 1514, static_cast<unsigned>(i)));
    sender.send(frame(mac(3), mac(1), 100, static_cast<unsigned>(i)));
    if (i % 50 == 0) rig.turns(1);
  }
  REQUIRE(rig.run_until([&] { return healthy.received().size() == healthy_had + frames; }));
  CHECK(drops(stopped, DropReason::egress_full) > 0);
  CHECK(healthy.counters().dropped(DropSide::egress) == 0);
  CHECK(stopped.counters().queued_frames.get() > 0);
  CHECK(rig.ledger_balances());
  stopped.resume_reading();
  REQUIRE(rig.run_until([&] { return stopped.counters().queued_frames.get() == 0; }));
  const std::size_t expected = stopped_had + frames - drops(stopped, DropReason::egress_full);
  REQUIRE(rig.run_until([&] { return stopped.received().size() == expected; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("stopped readers do not use up the buffers of the others") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine, .chunks = 64, .slots = 256});
  Vm& sender = rig.add_datagram();
  std::vector<Vm*> stopped;
  for (int i = 0; i < 6; ++i) {
    stopped.push_back(&rig.add_stream());
    stopped.back()->stop_reading();
  }
  Vm& healthy = rig.add_stream();
  healthy.send(frame(broadcast, mac(99)));
  REQUIRE(rig.run_until([&] { return sender.received().size() == 1; }));
  std::size_t sent = 0;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < 20; ++i) sender.send(frame(broadcast, mac(1), 1400, static_cast<unsigned>(sent++)));
    REQUIRE(rig.run_until([&] { return healthy.received().size() == sent; }));
  }
  CHECK(healthy.counters().dropped(DropSide::egress) == 0);
  CHECK(drops(sender, DropReason::no_buffer) == 0);
  CHECK(stopped.front()->counters().copied_out.get() > 0);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("half a frame and then silence costs nobody anything") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& silent = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& c = rig.add_stream();
  const std::string whole = on_stream(frame(broadcast, mac(1), 1514));
  silent.send_raw(whole.substr(0, 700));
  rig.turns(3);
  b.send(frame(broadcast, mac(2)));
  REQUIRE(rig.run_until([&] { return c.received().size() == 1; }));
  silent.send_raw(whole.substr(700));
  REQUIRE(rig.run_until([&] { return c.received().size() == 2; }));
  CHECK(rig.stop());
}

TEST_CASE("connecting and closing in a loop leaks neither buffers nor ports nor stations") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& stays = rig.add_stream();
  for (unsigned i = 0; i < 200; ++i) {
    Vm& comes = rig.add_stream();
    comes.send(frame(broadcast, mac(1000 + i)));
    if (i % 2 == 0) REQUIRE(rig.run_until([&] { return comes.counters().received_frames.get() == 1; }));
    if (i % 3 == 0) comes.send_raw("\0\0");  // ends in the middle of a header
    comes.close();
    REQUIRE(rig.run_until([&] { return comes.down(); }));
  }
  stays.send(frame(mac(1000), mac(1)));
  REQUIRE(rig.run_until([&] { return stays.counters().received_frames.get() == 1; }));
  CHECK(drops(stays, DropReason::no_destination) == 1);  // its station was forgotten with its port
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a port told to go takes its queue with it as port_down, and gives its memory back") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  b.stop_reading();
  introduce(rig, {&a, &b});
  for (unsigned i = 0; i < 1000; ++i) {
    a.send(frame(mac(2), mac(1), 1514, i));
    if (i % 20 == 0) rig.turns(1);
  }
  REQUIRE(rig.run_until([&] { return a.counters().received_frames.get() == 1001; }));
  REQUIRE(b.counters().queued_frames.get() > 0);
  rig.detach(b);
  REQUIRE(rig.run_until([&] { return b.down(); }));
  CHECK(drops(b, DropReason::port_down) > 0);
  CHECK(b.counters().queued_frames.get() == 0);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("streams flooding with tiny frames, more than a turn takes, starve nobody") {
  const std::string engine = GENERATE(filter([](const std::string& name) { return name != "sim"; },
                                             from_range(engines())));  // the simulation holds no such bursts
  INFO("engine " << engine);
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::learning_switch}});
  constexpr unsigned burst = 200'000;
  std::string bytes;
  for (unsigned i = 0; i < burst; ++i) bytes += on_stream(frame(mac(1), mac(1), 14));
  std::vector<Vm*> flooders;
  for (int i = 0; i < 6; ++i) flooders.push_back(&rig.add_stream());
  Vm& a = rig.add({.network = 1});
  Vm& b = rig.add({.network = 1});
  for (Vm* flooder : flooders) flooder->send_raw(bytes);
  rig.turns(3);
  constexpr std::size_t exchanges = 5;
  constexpr int turns_for_each = 4;
  for (std::size_t i = 1; i <= exchanges; ++i) {
    a.send(frame(broadcast, mac(2)));
    rig.turns(turns_for_each);
    CHECK(b.received().size() == i);
  }
  std::uint64_t least = burst;
  for (const Vm* flooder : flooders) {
    CHECK(flooder->counters().received_frames.get() < burst);  // all were at it the whole time
    least = std::min(least, flooder->counters().received_frames.get());
  }
  CHECK(least > 0);  // nor did one flooder starve another
  CHECK(rig.stop());
}

TEST_CASE("networks do not mix") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine, .networks = {NetworkKind::learning_switch, NetworkKind::wire}});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  Vm& x = rig.add({.network = 1});
  Vm& y = rig.add({.network = 1});
  a.send(frame(broadcast, mac(1)));
  const std::string reserved = frame(std::string("\x01\x80\xc2\0\0\x0e", 6), mac(3));
  x.send(reserved);
  b.send(reserved);
  REQUIRE(rig.run_until([&] { return b.received().size() == 1 && y.received().size() == 1; }));
  REQUIRE(rig.run_until([&] { return drops(b, DropReason::reserved_mac) == 1; }));
  CHECK(y.received().front() == reserved);
  CHECK(a.received().empty());
  CHECK(x.received().empty());
}

TEST_CASE("a station that goes to and fro between two ports is told as a loop, once, and so is its end") {
  Rig rig({.engine = "sim"});
  std::vector<Vm*> vms = {&rig.add_stream(), &rig.add_stream()};
  const auto to_and_fro = [&](unsigned moves) {
    for (unsigned i = 0; i < moves; ++i) {
      Vm& from = *vms[i % 2];
      const std::uint64_t before = from.counters().received_frames.get();
      from.send(frame(broadcast, mac(7), 60, i));
      REQUIRE(rig.run_until([&] { return from.counters().received_frames.get() == before + 1; }));
    }
  };
  const auto lines = [&](Notice::Kind kind) {
    return std::count_if(rig.notices().begin(), rig.notices().end(),
                         [&](const Notice& notice) { return notice.kind == kind; });
  };
  const auto moves_told = [&] {
    std::uint64_t sum = 0;
    for (const Notice& notice : rig.notices()) sum += notice.kind == Notice::Kind::moved ? notice.count : 0;
    return sum;
  };
  to_and_fro(201);  // 200 moves, in less than a second of the simulation
  const Notice began = rig.take_notice(Notice::Kind::loop_began);
  CHECK(began.network == 0);
  CHECK(to_string(began.station) == "52:54:00:00:00:07");
  const std::vector<const PortCounters*> ports = {began.from.get(), began.counters.get()};
  CHECK(std::is_permutation(ports.begin(), ports.end(), std::begin({&vms[0]->counters(), &vms[1]->counters()})));
  CHECK(lines(Notice::Kind::moved) <= 8);  // some before, of two seconds at most
  const Notice ended = rig.take_notice(Notice::Kind::loop_ended);  // ten seconds of the simulation
  CHECK(ended.network == 0);
  CHECK(ended.count + moves_told() == 200);
  CHECK(lines(Notice::Kind::loop_began) == 0);
  CHECK(rig.plane().network_counters(0)->moves.get() == 200);
  CHECK(rig.stop());
}

TEST_CASE("a clean stop forwards what has arrived before it closes") {
  ON_EVERY_ENGINE;
  Rig rig({.engine = engine});
  Vm& a = rig.add_stream();
  Vm& b = rig.add_stream();
  introduce(rig, {&a, &b});
  const std::size_t had = b.received().size();
  for (unsigned i = 0; i < 50; ++i) a.send(frame(mac(2), mac(1), 1000, i));  // as many as a socket holds
  CHECK(rig.stop());
  CHECK(b.received().size() == had + 50);
  CHECK(rig.ledger_balances());
}

TEST_CASE("datagrams that come one by one use every slot there is, and later ones are counted (epoll)") {
  Rig rig({.engine = "epoll", .chunks = 6, .slots = 8});
  Vm& a = rig.add({.wire = Wire::datagram});
  Vm& b = rig.add_stream();
  introduce(rig, {&a, &b});
  for (unsigned i = 0; i < 20; ++i) {  // one of the messages that are ready is used in each turn
    a.send(frame(mac(2), mac(1), 1000, i));
    REQUIRE(rig.run_until([&] { return b.received().size() == i + 2; }));
  }
  std::vector<Buffer*> taken;
  std::uint64_t sent = 21;
  while (drops(a, DropReason::no_buffer) < 3) {  // first all that the engine holds goes, and comes back here
    for (Buffer* buffer : rig.plane().take_all_buffers()) taken.push_back(buffer);
    REQUIRE(sent < 21 + 8 + 3);
    a.send(frame(mac(2), mac(1), 1000, 99));
    ++sent;
    REQUIRE(rig.run_until([&] { return a.counters().received_frames.get() == sent; }));
  }
  for (Buffer* buffer : taken) buffer->release();
  const std::string last = frame(mac(2), mac(1), 1000, 9999);
  a.send(last);
  REQUIRE(rig.run_until([&] { return b.received().back() == last; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("when no buffer is free, datagrams and streams are drained and counted as no_buffer") {
  ON_EVERY_ENGINE;
  const Wire wire = GENERATE(Wire::stream, Wire::datagram);
  INFO((wire == Wire::stream ? "stream" : "datagram"));
  Rig rig({.engine = engine, .chunks = 6, .slots = 8});
  Vm& a = rig.add({.wire = wire});
  Vm& b = rig.add_stream();
  Vm& c = rig.add({.wire = wire});
  introduce(rig, {&a, &b, &c});
  b.stop_reading();  // and so keeps what it is sent
  std::vector<Buffer*> taken = rig.plane().take_all_buffers();
  // What readers and the engine hold is used up first; then frames are counted and gone, two senders at once.
  for (unsigned i = 0; i < 1000; ++i) {
    a.send(frame(mac(2), mac(1), 1000, i));
    c.send(frame(mac(2), mac(3), 1000, i));
    if (i % 10 == 0) rig.turns(2);
  }
  REQUIRE(rig.run_until([&] {
    return a.counters().received_frames.get() == 1001 && c.counters().received_frames.get() == 1001;
  }));
  CHECK(drops(a, DropReason::no_buffer) + drops(c, DropReason::no_buffer) > 0);
  for (Buffer* buffer : taken) buffer->release();
  b.resume_reading();
  REQUIRE(rig.run_until([&] { return b.counters().queued_frames.get() == 0; }));
  const std::string last = frame(mac(2), mac(1), 1000, 9999);
  a.send(last);
  REQUIRE(rig.run_until([&] { return b.received().back() == last; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

}  // namespace dataplane_test
