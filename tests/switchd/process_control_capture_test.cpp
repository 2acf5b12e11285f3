// Captures, mirrors and the recent past by the control socket of the real switchd, read with Wireshark's tshark.
#include <catch2/catch.hpp>

#include "frames/limits.h"
#include "tests/support/control_client.h"
#include "tests/support/deadline.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"
#include "tests/support/tshark.h"

namespace process_control_capture_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Daemon {
  explicit Daemon(const std::string& engine, std::vector<std::string> ports = {"web=tcp-listen:127.0.0.1:0"})
      : process(engine, with_control(std::move(ports))), control(path()) {}
  [[nodiscard]] std::string path() const { return folder.path("control"); }
  [[nodiscard]] std::vector<std::string> with_control(std::vector<std::string> ports) const {
    ports.insert(ports.begin(), {"--control", path()});
    return ports;
  }
  void set_rewind(std::uint64_t mib) {
    v1::Request request;
    request.mutable_set_network()->set_name("lan");
    request.mutable_set_network()->set_rewind_mib(mib);
    const v1::Response response = control.ask(request);
    REQUIRE(response.networks().networks_size() == 1);
    CHECK(response.networks().networks(0).rewind_mib() == mib);
  }

  TempFolder folder;
  SwitchdProcess process;
  ControlClient control;
};

// A capture under way, by a connection of its own, and what it has brought.
class Captured {
 public:
  Captured(const Daemon& daemon, const v1::Capture& verb) : control_(daemon.path()) {
    v1::Request request;
    *request.mutable_capture() = verb;
    id_ = control_.send(request);
    take();  // the header: from then on it is in place
    REQUIRE(error.empty());
  }
  void take() {
    const v1::Response response = control_.next();
    if (response.id() != id_) return;
    ended = !response.more();
    error = response.error().message();
    file += response.capture_data().header() + response.capture_data().records();
    frames += response.capture_data().frames();
    lost += response.capture_data().lost();
  }
  void take_until(std::uint64_t count) {
    while (frames + lost < count) take();
  }
  void take_all() {
    while (!ended) take();
  }
  void cancel() {
    v1::Request request;
    request.mutable_cancel()->set_stream(id_);
    const std::uint64_t cancel = control_.send(request);
    take_all();
    const v1::Response response = control_.next();
    CHECK((response.id() == cancel && response.has_done()));
  }

  std::string file;
  std::uint64_t frames = 0;
  std::uint64_t lost = 0;
  bool ended = false;
  std::string error;

 private:
  ControlClient control_;
  std::uint64_t id_ = 0;
};

std::string refusal(ControlClient& control, const v1::Capture& verb) {
  v1::Request request;
  *request.mutable_capture() = verb;
  return control.ask_all(request).back().error().message();
}

v1::Response mirror(ControlClient& control, const std::string& to, const std::vector<std::string>& ports,
                    const std::string& network = {}, const std::string& direction = {}) {
  v1::Request request;
  v1::AddMirror& verb = *request.mutable_add_mirror();
  verb.set_to(to);
  for (const std::string& port : ports) verb.add_ports(port);
  verb.set_network(network);
  verb.set_direction(direction);
  return control.ask(request);
}

v1::Mirrors mirrors(ControlClient& control) {
  v1::Request request;
  request.mutable_list_mirrors();
  return control.ask(request).mirrors();
}

const std::vector<std::string> who{"frame.interface_name", "frame.packet_flags_direction", "eth.src"};

std::string in(const std::string& port, unsigned vm) {
  return port + "|0x00000001|52:54:00:00:00:0" + std::to_string(vm);
}
std::string out(const std::string& port, unsigned vm) {
  return port + "|0x00000002|52:54:00:00:00:0" + std::to_string(vm);
}

}  // namespace

TEST_CASE("a capture of a listener has the frames of its connections, of later ones too, until it is cancelled") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine, {"web=tcp-listen:127.0.0.1:0", "lab=tcp-listen:127.0.0.1:0"});
  Peer first = join(daemon.process, "web.1");
  Peer elsewhere = join(daemon.process, "lab.1");
  v1::Capture verb;
  verb.add_ports("web");
  Captured captured(daemon, verb);
  first.send(frame(broadcast, mac(1)));
  (void)elsewhere.receive();
  Peer second = join(daemon.process, "web.2");
  second.send(frame(broadcast, mac(2)));
  (void)first.receive();
  elsewhere.send(frame(mac(1), mac(3)));
  (void)first.receive();
  captured.take_until(4);
  captured.cancel();
  CHECK(captured.error.empty());
  CHECK((captured.frames == 4 && captured.lost == 0));
  CHECK(CaptureFile(captured.file).frames(who) ==
        std::vector<std::string>{in("web.1", 1), in("web.2", 2), out("web.1", 2), out("web.1", 3)});
  CHECK(ledger_mistakes(daemon.process.stats()).empty());
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("a capture ends by itself after so many frames, or after so long") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine);
  Peer a = join(daemon.process, "web.1");
  Peer b = join(daemon.process, "web.2");
  v1::Capture verb;
  verb.set_direction("in");
  verb.set_snap_bytes(20);
  verb.set_filter("ether src 52:54:00:00:00:01");
  SECTION("frames") { verb.set_count(3); }
  SECTION("time") { verb.set_duration_ms(1000); }
  Captured captured(daemon, verb);
  for (unsigned i = 0; i < 5; ++i) {
    b.send(frame(broadcast, mac(2)));
    (void)a.receive();
    a.send(frame(broadcast, mac(1), 100, i));
    (void)b.receive();
  }
  captured.take_all();
  CHECK(captured.frames == (verb.count() > 0 ? 3 : 5));
  const auto lengths = CaptureFile(captured.file).frames({"frame.len", "frame.cap_len", "eth.src"});
  CHECK(lengths == std::vector<std::string>(captured.frames, "100|20|52:54:00:00:00:01"));
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("a capture with drops says of each dropped frame why") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine, {"web=tcp-listen:127.0.0.1:0", "small=tcp-listen:127.0.0.1:0,max-frame=1514"});
  Peer a = join(daemon.process, "web.1");
  Peer b = join(daemon.process, "small.1");
  v1::Capture verb;
  verb.set_drops(true);
  Captured captured(daemon, verb);
  a.send(frame(broadcast, mac(1), 1515));
  a.send(frame(mac(1), mac(1)));
  captured.take_until(3);
  captured.cancel();
  CHECK(CaptureFile(captured.file).frames({"frame.interface_name", "frame.comment"}) ==
        std::vector<std::string>{"web.1|", "small.1|drop: mtu", "web.1|drop: same_port"});
}

TEST_CASE("a capture of a busy flow to a stopped reader: the flow loses no frame, the capture says how many it lost") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine);
  Peer a = join(daemon.process, "web.1");
  Peer b = join(daemon.process, "web.2");
  b.send(frame(broadcast, mac(2)));
  (void)a.receive();
  Captured captured(daemon, {});
  constexpr std::uint64_t frames = 12'000;
  constexpr std::size_t bytes = 1514, at_once = 100;
  static_assert(frames * bytes > limits::tap_ring_bytes, "both directions are twice as much");
  std::string burst;
  for (unsigned i = 0; i < at_once; ++i) burst += on_stream(frame(mac(2), mac(1), bytes, i));
  for (std::uint64_t sent = 0; sent < frames; sent += at_once) {
    a.send_raw(burst);
    for (std::size_t i = 0; i < at_once; ++i) REQUIRE(b.receive().size() == bytes);
  }
  captured.take_until(2 * frames);
  CHECK(captured.lost > 0);
  CHECK(captured.frames > limits::tap_ring_bytes / (2 * bytes));
  CHECK(captured.frames + captured.lost == 2 * frames);
  a.send(frame(mac(2), mac(1)));
  captured.take_until(2 * frames + 2);  // it goes on
  captured.cancel();
  const nlohmann::json stats = daemon.process.stats();
  CHECK(ledger_mistakes(stats).empty());
  CHECK(stats.at("ports").at("web.2").at("sent_frames") == frames + 1);
  CHECK(CaptureFile(captured.file).frames({"frame.len"}).size() == captured.frames);
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("the past can be saved, again soon after, and followed by the present without a gap or a frame twice") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine);
  Peer a = join(daemon.process, "web.1");
  Peer b = join(daemon.process, "web.2");
  v1::Capture verb;
  verb.set_last_ms(60'000);
  verb.set_direction("in");
  CHECK(refusal(daemon.control, verb) == "last_ms: no network keeps any of its past; set rewind_mib first");
  daemon.set_rewind(4);
  const auto send = [&](unsigned first, unsigned last) {
    for (unsigned i = first; i < last; ++i) {
      a.send(frame(broadcast, mac(1), 100 + i, i));
      REQUIRE(b.receive().size() == 100 + i);
    }
  };
  const auto lengths = [](const Captured& captured) {
    return CaptureFile(captured.file).frames({"frame.interface_name", "frame.len"});
  };
  const auto expected = [](unsigned last) {
    std::vector<std::string> all;
    for (unsigned i = 0; i < last; ++i) all.push_back("web.1|" + std::to_string(100 + i));
    return all;
  };
  send(0, 50);
  Captured first(daemon, verb);
  first.take_all();
  CHECK(lengths(first) == expected(50));
  send(50, 60);
  verb.set_count(100);
  Captured second(daemon, verb);
  send(60, 100);
  second.take_all();
  CHECK(lengths(second) == expected(100));
  a.close();  // its name is still known
  (void)daemon.process.await_down("web.1");
  verb.clear_count();
  Captured third(daemon, verb);
  third.take_all();
  CHECK(lengths(third) == expected(100));
  daemon.set_rewind(0);
  CHECK_FALSE(refusal(daemon.control, verb).empty());
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("a capture that cannot be is refused with what is wrong, and nothing stays of it") {
  Daemon daemon("epoll");
  v1::Capture unknown_port, unknown_network, both, direction, filter;
  unknown_port.add_ports("wbe");
  unknown_network.set_network("lna");
  both.add_ports("web");
  both.set_network("lan");
  direction.set_direction("up");
  filter.set_filter("tcp port port");
  CHECK(refusal(daemon.control, unknown_port).find("wbe") != std::string::npos);
  CHECK(refusal(daemon.control, unknown_network).find("lna") != std::string::npos);
  CHECK(refusal(daemon.control, both).find("not both") != std::string::npos);
  CHECK(refusal(daemon.control, direction).find("direction: expected in or out") != std::string::npos);
  for (int i = 0; i < 40; ++i)  // more than there may be streams or captures
    REQUIRE(refusal(daemon.control, filter).find("filter: ") != std::string::npos);
  {
    std::vector<std::unique_ptr<Captured>> captures;
    while (captures.size() < limits::taps_max) captures.push_back(std::make_unique<Captured>(daemon, v1::Capture()));
    CHECK(refusal(daemon.control, {}).find("16 captures") != std::string::npos);
  }
  const Deadline deadline;  // those clients have gone, and with them their captures
  std::string error = "none yet";
  v1::Capture one;
  one.set_duration_ms(1);
  while (!error.empty() && !deadline.passed()) error = refusal(daemon.control, one);
  CHECK(error.empty());
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("a mirror is added, listed, used and removed; it follows its listener's connections") {
  ON_EVERY_REAL_ENGINE;
  Daemon daemon(engine, {"web=tcp-listen:127.0.0.1:0", "probe=tcp-listen:127.0.0.1:0,network=watch"});
  Peer a = join(daemon.process, "web.1");
  Peer probe = join(daemon.process, "probe.1");
  CHECK(mirror(daemon.control, "probe.1", {"web"}, {}, "in").done().count() == 1);
  Peer b = join(daemon.process, "web.2");
  const std::string from_a = frame(broadcast, mac(1), 100), from_b = frame(mac(1), mac(2), 200);
  a.send(from_a);
  CHECK(b.receive() == from_a);
  CHECK(probe.receive() == from_a);
  b.send(from_b);
  CHECK(a.receive() == from_b);
  CHECK(probe.receive() == from_b);
  const v1::Mirrors listed = mirrors(daemon.control);
  REQUIRE(listed.mirrors_size() == 1);
  CHECK((listed.mirrors(0).to() == "probe.1" && listed.mirrors(0).ports(0) == "web"));
  CHECK(listed.mirrors(0).direction() == "in");

  CHECK(mirror(daemon.control, "probe.1", {"web"}).error().code() == v1::Error::CONFLICT);
  CHECK(mirror(daemon.control, "probe", {"web"}).error().message().find("such as probe.1") != std::string::npos);
  CHECK(mirror(daemon.control, "web.1", {"web.1"}).error().code() == v1::Error::INVALID);
  CHECK(mirror(daemon.control, "web.1", {}).error().code() == v1::Error::INVALID);
  CHECK(mirror(daemon.control, "web.9", {"web"}).error().code() == v1::Error::NOT_FOUND);

  SECTION("removed") {
    v1::Request remove;
    remove.mutable_remove_mirror()->set_to("probe.1");
    CHECK(daemon.control.ask(remove).done().count() == 1);
    CHECK(daemon.control.ask(remove).error().code() == v1::Error::NOT_FOUND);
    a.send(from_a);
    CHECK(b.receive() == from_a);
    CHECK(mirror(daemon.control, "probe.1", {}, "lan", "in").has_done());
    b.send(from_b);
    CHECK(probe.receive() == from_b);  // the next it gets
  }
  SECTION("its end goes") {
    probe.close();
    (void)daemon.process.await_down("probe.1");
    CHECK(mirrors(daemon.control).mirrors_size() == 0);
    a.send(from_a);
    CHECK(b.receive() == from_a);
  }
  CHECK(ledger_mistakes(daemon.process.stats()).empty());
  CHECK(daemon.process.stop() == 0);
}

TEST_CASE("a network that is removed takes its mirrors and its past with it") {
  Daemon daemon("epoll", {"web=tcp-listen:127.0.0.1:0"});
  Peer a = join(daemon.process, "web.1");
  Peer b = join(daemon.process, "web.2");
  v1::Request add, remove, rewind;
  add.mutable_add_network()->set_name("lab");
  remove.mutable_remove_network()->set_name("lab");
  rewind.mutable_set_network()->set_name("lab");
  rewind.mutable_set_network()->set_rewind_mib(1);
  REQUIRE(daemon.control.ask(add).has_done());
  REQUIRE(daemon.control.ask(rewind).has_networks());
  REQUIRE(mirror(daemon.control, "web.1", {}, "lab").has_done());
  REQUIRE(daemon.control.ask(remove).has_done());
  CHECK(mirrors(daemon.control).mirrors_size() == 0);
  REQUIRE(daemon.control.ask(add).has_done());
  v1::Capture verb;
  verb.set_network("lab");
  verb.set_last_ms(1000);
  CHECK(refusal(daemon.control, verb) == "last_ms: network lab keeps nothing of its past; set rewind_mib first");
  a.send(frame(broadcast, mac(1)));
  (void)b.receive();
  CHECK(daemon.process.stop() == 0);
}

}  // namespace process_control_capture_test
