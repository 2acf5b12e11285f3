// From records of frames to a file: the past of several networks in order, and what tshark makes of it.
#include "switchd/control/capture_encoder.h"

#include <catch2/catch.hpp>

#include "switchd/control/past.h"
#include "tests/support/frames.h"
#include "tests/support/tshark.h"

namespace capture_encoder_test {

using namespace lanyard;
using namespace lanyard::control;
using namespace lanyard::test;

namespace {

FrameRecord record(std::uint64_t unix_ns, std::uint64_t port, std::uint16_t network = 0) {
  FrameRecord made;
  made.unix_ns = unix_ns;
  made.port = port;
  made.network = network;
  made.original_bytes = 60;
  return made;
}

void append(Rewind& rewind, const FrameRecord& what) {
  const std::string bytes = frame(broadcast, mac(static_cast<unsigned>(what.port)));
  rewind.append(what, std::as_bytes(std::span(bytes.data(), bytes.size())));
}

std::string name_of_port(std::uint64_t port) { return "web." + std::to_string(port); }

CaptureSpec everything() {
  CaptureSpec spec;
  spec.ports.all = true;
  return spec;
}

std::vector<std::uint64_t> stamps(Past& past) {
  std::vector<std::uint64_t> all;
  for (auto view = past.next(); view; view = past.next()) {
    all.push_back(view->record.unix_ns);
    past.pop();
  }
  CHECK(past.is_over());
  return all;
}

}  // namespace

TEST_CASE("the past of several networks is told in order of time, between two moments") {
  const auto first = std::make_shared<Rewind>(limits::mebi), later = std::make_shared<Rewind>(limits::mebi);
  const auto other = std::make_shared<Rewind>(limits::mebi), empty = std::make_shared<Rewind>(limits::mebi);
  for (std::uint64_t at = 0; at < 100; at += 2) append(*(at < 50 ? first : later), record(at, 1));
  for (std::uint64_t at = 1; at < 100; at += 2) append(*other, record(at, 2, 1));
  CaptureSpec spec = everything();
  const auto told = [&](std::uint64_t from, std::uint64_t to) {
    Past past(spec, from, to);
    past.add({first, later});
    past.add({other});
    past.add({empty});
    return stamps(past);
  };
  const auto all = told(0, 99);
  REQUIRE(all.size() == 100);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == i);
  CHECK(told(49, 51) == std::vector<std::uint64_t>{49, 50, 51});
  CHECK(told(100, 200).empty());
  spec.ports = {};
  spec.ports.ports = {2};
  CHECK(told(0, 9) == std::vector<std::uint64_t>{1, 3, 5, 7, 9});
  spec.ports = {};
  spec.ports.networks = {0};
  CHECK(told(0, 9) == std::vector<std::uint64_t>{0, 2, 4, 6, 8});
}

TEST_CASE("much that is not wanted is passed over in several steps") {
  const auto rewind = std::make_shared<Rewind>(64 * limits::mebi);
  constexpr std::uint64_t frames = 200'000;
  for (std::uint64_t at = 1; at <= frames; ++at) append(*rewind, record(at, 1));
  Past past(everything(), frames, frames);
  past.add({rewind});
  int steps = 1;
  auto view = past.next();
  for (; !view && !past.is_over(); view = past.next()) ++steps;
  REQUIRE(view);
  CHECK(view->record.unix_ns == frames);
  CHECK(steps > 2);
}

TEST_CASE("a capture can be read from its first header on, and each port is introduced before its first frame") {
  CaptureEncoder encoder(name_of_port, 0);
  v1::CaptureData first, second, third;
  CaptureEncoder::begin(first);
  const std::string bytes = frame(broadcast, mac(1));
  const auto view = [&](FrameRecord what) {
    what.captured_bytes = 60;
    return RecordView{what, std::as_bytes(std::span(bytes.data(), bytes.size()))};
  };
  encoder.add(view(record(1'000'000'000, 7)), second);
  FrameRecord dropped = record(2'000'000'000, 8);
  dropped.direction = FrameRecord::Direction::outbound;
  dropped.drop = static_cast<std::uint8_t>(DropReason::egress_full);
  encoder.add(view(dropped), third);
  encoder.add(view(record(3'000'000'000, 7)), third);
  CHECK((second.frames() == 1 && third.frames() == 2));
  const std::vector<std::string> fields{"frame.interface_name", "frame.packet_flags_direction", "frame.comment"};

  const CaptureFile nothing(first.header());
  CHECK(nothing.frames(fields).empty());
  const CaptureFile whole(first.header() + second.header() + second.records() + third.header() + third.records());
  CHECK(whole.frames(fields) == std::vector<std::string>{"web.7|0x00000001|", "web.8|0x00000002|drop: egress_full",
                                                         "web.7|0x00000001|"});
  const CaptureFile continued(first.header() + second.header() + third.header() + third.records());
  CHECK(continued.frames({"frame.interface_name"}) == std::vector<std::string>{"web.8", "web.7"});
}

}  // namespace capture_encoder_test
