// Runs of datagrams that the kernel gives in one piece (UDP_GRO), as another switch sends them (UDP_SEGMENT).
#include <catch2/catch.hpp>

#include "tests/support/rig.h"
#include "tests/support/switchd_process.h"
#include "transports/open_sockets.h"
#include "transports/udp_offload.h"

namespace offload_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] Fd loopback_udp() {
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto opened = open_udp(SocketAddress(&any, sizeof any));
  REQUIRE(std::holds_alternative<Fd>(opened));
  return std::move(std::get<Fd>(opened));
}

// A port towards another switch, whose side the test plays.
struct Trunk {
  explicit Trunk(Rig& rig, std::size_t max_frame_bytes = limits::frame_bytes_max, int receive_buffer_bytes = 0)
      : far(loopback_udp()) {
    Fd ours = loopback_udp();
    if (receive_buffer_bytes > 0)
      REQUIRE(::setsockopt(ours.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int)) == 0);
    here = bound_address(ours.get());
    auto transport = std::make_unique<Transport>(Wire::datagram, std::move(ours));
    transport->sources = Sources::one_peer;
    auto port = std::make_unique<Port>(Wire::datagram, 0, max_frame_bytes, limits::queue_frames_default,
                                       rig.plane().chunks());
    port->peer = bound_address(far.get());
    port->transport = transport.get();
    port->gso_bytes_max = limits::udp_payload_bytes_max;
    counters = port->counters;
    transport->ports.push_back(std::move(port));
    rig.attach(std::move(transport));
  }

  // One send that the kernel cuts every `segment_bytes`.
  void send_run(const std::string& bytes, std::uint16_t segment_bytes) const {
    const int segment = segment_bytes;
    REQUIRE(::setsockopt(far.get(), SOL_UDP, UDP_SEGMENT, &segment, sizeof segment) == 0);
    REQUIRE(::sendto(far.get(), bytes.data(), bytes.size(), 0, &here.any, here.length) ==
            static_cast<ssize_t>(bytes.size()));
  }
  // What came back, a run as one string.
  [[nodiscard]] std::vector<std::string> receive_all() const {
    std::vector<std::string> got;
    std::string buffer(limits::udp_payload_bytes_max, '\0');
    for (ssize_t bytes; (bytes = ::recv(far.get(), buffer.data(), buffer.size(), MSG_DONTWAIT)) >= 0;)
      got.push_back(buffer.substr(0, static_cast<std::size_t>(bytes)));
    return got;
  }
  [[nodiscard]] std::uint64_t drops(DropReason reason) const {
    return counters->drops[static_cast<std::size_t>(reason)].get();
  }

  Fd far;
  SocketAddress here;
  std::shared_ptr<PortCounters> counters;
};

}  // namespace

TEST_CASE("a run of datagrams arrives as the frames it was made of, on a stream and as datagrams") {
  ON_EVERY_REAL_ENGINE;
  const std::size_t size = GENERATE(60UL, 1514UL);
  const std::size_t last_size = GENERATE(60UL, 42UL);
  Rig rig({.engine = engine});
  const Trunk trunk(rig);
  Vm& stream = rig.add_stream();
  Vm& datagram = rig.add_datagram();
  constexpr unsigned count = 40;
  std::vector<std::string> sent;
  std::string run;
  for (unsigned i = 0; i < count; ++i) {
    sent.push_back(frame(broadcast, mac(1), i + 1 < count ? size : std::min(size, last_size), i));
    run += sent.back();
  }
  trunk.send_run(run, static_cast<std::uint16_t>(size));
  REQUIRE(rig.run_until([&] { return stream.received().size() == count && datagram.received().size() == count; }));
  CHECK(stream.received() == sent);
  CHECK(datagram.received() == sent);
  CHECK(trunk.counters->received_frames.get() == count);
  CHECK(trunk.counters->received_bytes.get() == run.size());
  CHECK(stream.counters().copied_out.get() == count - 1);  // the first had headroom
  CHECK(datagram.counters().copied_out.get() == 0);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("a run leaves towards another switch as a run, from where it was received") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  const Trunk in(rig);
  const Trunk out(rig);
  std::string run;
  for (unsigned i = 0; i < 20; ++i) run += frame(broadcast, mac(1), 1000, i);
  std::vector<std::size_t> sends;
  rig.plane().engine().observe_sends(
      [](void* user, const std::byte*, std::size_t bytes) {
        static_cast<std::vector<std::size_t>*>(user)->push_back(bytes);
      },
      &sends);
  in.send_run(run, 1000);
  std::vector<std::string> got;
  REQUIRE(rig.run_until([&] {
    for (std::string& one : out.receive_all()) got.push_back(std::move(one));
    return out.counters->sent_frames.get() == 20 && !got.empty();
  }));
  CHECK(got == std::vector<std::string>{run});
  CHECK(sends == std::vector<std::size_t>{run.size()});  // one entry for all of them
  CHECK(out.counters->copied_out.get() == 0);
  CHECK(rig.stop());
}

TEST_CASE("the frames of a run are dropped one by one, each for its own reason") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  const Trunk trunk(rig, 1514);
  Vm& vm = rig.add_stream();
  const std::string good = frame(broadcast, mac(1), 1000);
  trunk.send_run(good + good + std::string(13, 'r'), 1000);
  REQUIRE(rig.run_until([&] { return trunk.drops(DropReason::runt) == 1; }));
  trunk.send_run(frame(broadcast, mac(1), 1515) + frame(broadcast, mac(1), 1515) + good, 1515);
  REQUIRE(rig.run_until([&] { return trunk.drops(DropReason::oversize) == 2 && vm.received().size() == 3; }));
  CHECK(vm.received() == std::vector<std::string>(3, good));
  CHECK(trunk.counters->received_frames.get() == 6);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("as many runs as a socket holds lose nothing on their way through one port") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  const Trunk trunk(rig);
  Vm& vm = rig.add_stream();
  constexpr std::size_t frames_of_run = 43;  // of 1514 bytes: just below 64 KiB
  std::uint64_t sent = 0;
  std::string run;
  for (unsigned i = 0; i < frames_of_run; ++i) run += frame(broadcast, mac(1), 1514, i);
  for (int i = 0; i < 200; ++i, sent += frames_of_run) {
    trunk.send_run(run, 1514);
    // Those that do not fit in the socket are the kernel's loss, not ours.
    if (i % 3 == 2) REQUIRE(rig.run_until([&] { return trunk.counters->received_frames.get() >= sent; }));
  }
  REQUIRE(rig.run_until([&] { return vm.received().size() == sent; }));
  CHECK(vm.counters().drops[static_cast<std::size_t>(DropReason::egress_full)].get() == 0);
  CHECK(rig.ledger_balances());
  CHECK(rig.stop());
}

TEST_CASE("datagrams that the kernel drops for lack of room are counted beside the ledger") {
  ON_EVERY_REAL_ENGINE;
  Rig rig({.engine = engine});
  const Trunk trunk(rig, limits::frame_bytes_max, 8192);
  constexpr unsigned count = 500;
  for (unsigned i = 0; i < count; ++i) trunk.send_run(frame(broadcast, mac(1), 1514, i), 0);
  const auto kernel_drops = [&] { return trunk.counters->kernel_drops.get(); };
  CHECK(rig.run_until([&] { return kernel_drops() + trunk.counters->received_frames.get() == count; }));
  CHECK(kernel_drops() > 0);
  CHECK(kernel_drops() < count);
}

}  // namespace offload_test
