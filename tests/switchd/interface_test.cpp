// The data plane with a TAP, watched from within: where frames lie, and what happens without memory.
#include <fcntl.h>
#include <net/if.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "tests/support/deadline.h"
#include "tests/support/network_of_test.h"
#include "tests/support/rig.h"
#include "tests/support/switchd_process.h"
#include "transports/open_interface.h"

namespace interface_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// The TAP lan0, up, as a port of `rig`; the test is the host at its other end.
struct TapDevice {
  explicit TapDevice(Rig& rig) : host(-1) {
    auto opened = open_tap("lan0");
    REQUIRE(std::holds_alternative<Fd>(opened));
    NetworkOfTest::ip("link set lan0 up");
    auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)), Io::device);
    transport->sources = Sources::interface;
    auto port = std::make_unique<Port>(Wire::datagram, 0, limits::frame_bytes_max, limits::queue_frames_default,
                                       rig.plane().chunks());
    port->transport = transport.get();
    counters = port->counters;
    transport->ports.push_back(std::move(port));
    rig.attach(std::move(transport));
    auto beside = open_packet_socket("lan0");
    REQUIRE(std::holds_alternative<PacketSocket>(beside));
    host = std::move(std::get<PacketSocket>(beside).fd);
  }
  void send(const std::string& frame) const {
    REQUIRE(::send(host.get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size()));
  }
  [[nodiscard]] bool has_received(const std::string& frame) const {
    std::string got(70'000, '\0');
    const ssize_t bytes = ::recv(host.get(), got.data(), got.size(), MSG_DONTWAIT);
    return bytes >= 0 && got.substr(0, static_cast<std::size_t>(bytes)) == frame;
  }

  Fd host;
  std::shared_ptr<PortCounters> counters;
};

}  // namespace

TEST_CASE("frames from and to a TAP are sent from where the kernel put them") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Rig rig({.engine = engine});
  const TapDevice tap(rig);
  const Wire wire = GENERATE(Wire::stream, Wire::datagram);
  Vm& vm = rig.add({.wire = wire});
  struct Sends {
    std::vector<const std::byte*> all;
  } sends;
  rig.plane().engine().observe_sends(
      [](void* user, const std::byte* data, std::size_t) { static_cast<Sends*>(user)->all.push_back(data); }, &sends);

  const std::string in = frame(broadcast, mac(2), 1000, 1);
  tap.send(in);
  REQUIRE(rig.run_until([&] { return !vm.received().empty(); }));
  CHECK(vm.received().front() == in);
  REQUIRE(sends.all.size() == 1);
  const std::size_t header = wire == Wire::stream ? 4 : 0;
  CHECK(rig.plane().place_of(sends.all[0]).in_slot);
  CHECK(rig.plane().place_of(sends.all[0] + header).buffer_offset == limits::slot_headroom_bytes);

  const std::string out = frame(mac(2), mac(1), 1000, 2);
  vm.send(out);
  REQUIRE(rig.run_until([&] { return tap.has_received(out); }));
  REQUIRE(sends.all.size() == 2);
  const auto place = rig.plane().place_of(sends.all[1]);
  CHECK(place.in_chunk == (wire == Wire::stream));
  CHECK(place.buffer_offset ==
        (wire == Wire::stream ? limits::chunk_headroom_bytes + 4 : limits::slot_headroom_bytes));
  rig.plane().engine().observe_sends(nullptr, nullptr);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("without memory the frames of a TAP are counted as no_buffer, and it goes on when there is some") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Rig rig({.engine = engine});
  const TapDevice tap(rig);
  Vm& vm = rig.add_stream();
  rig.turns(1);
  std::vector<Buffer*> taken = rig.plane().take_all_buffers();
  for (unsigned i = 0; i < 100; ++i) tap.send(frame(broadcast, mac(2), 100, i));
  CHECK(rig.run_until([&] {
    return tap.counters->drops[static_cast<std::size_t>(DropReason::no_buffer)].get() == 100;
  }));
  for (Buffer* buffer : taken) buffer->release();
  const std::string in = frame(broadcast, mac(2), 1000, 1);
  tap.send(in);
  CHECK(rig.run_until([&] { return vm.received().size() == 1 && vm.received().front() == in; }));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("many frames of a TAP are taken over several turns, in order, and none is lost") {
  ON_EVERY_REAL_ENGINE;
  IN_A_NETWORK_OF_ITS_OWN;
  WITH_TAPS;
  Rig rig({.engine = engine});
  const TapDevice tap(rig);
  Vm& vm = rig.add_stream();
  constexpr unsigned frames = 400;  // below the 500 that a TAP queues, above the 64 of a turn
  for (unsigned i = 0; i < frames; ++i) tap.send(frame(broadcast, mac(2), 100, i));
  REQUIRE(rig.run_until([&] { return vm.received().size() == frames; }));
  const std::vector<std::string> got = vm.received();
  for (unsigned i = 0; i < frames; ++i) CHECK(got[i] == frame(broadcast, mac(2), 100, i));
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

}  // namespace interface_test
