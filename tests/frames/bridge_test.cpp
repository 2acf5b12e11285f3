// Where a network sends its frames: learning, flooding, what it keeps to itself, and that batches do not
// matter.
#include "frames/bridge.h"

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <string>
#include <vector>

namespace bridge_test {

using namespace lanyard;

namespace {

using Action = Verdict::Action;
using Header = std::array<std::byte, 14>;

constexpr MacAddress alice(0x5254'0000'000AULL);
constexpr MacAddress bob(0x5254'0000'000BULL);
constexpr MacAddress broadcast(0xFFFF'FFFF'FFFFULL);
constexpr MacAddress lldp(0x0180'C200'000EULL);

Header header(MacAddress destination, MacAddress source) {
  Header bytes{};
  for (std::size_t i = 0; i < 6; ++i) {
    bytes[i] = static_cast<std::byte>(destination.value() >> (40 - 8 * i));
    bytes[6 + i] = static_cast<std::byte>(source.value() >> (40 - 8 * i));
  }
  return bytes;
}

Frame frame(Header& bytes, PortIndex ingress) {
  return {.data = bytes.data(), .bytes = 14, .ingress = ingress};
}

// A network with ports 1, 2 and 3.
struct Network {
  explicit Network(NetworkKind kind, const MacTable::Options& options = {}) : bridge(kind, options) {
    for (const PortIndex port : {1U, 2U, 3U}) bridge.add_port(port);
  }
  Verdict send(PortIndex ingress, MacAddress source, MacAddress destination, std::uint64_t now_ns = 0) {
    Header bytes = header(destination, source);
    const Frame one = frame(bytes, ingress);
    Verdict verdict;
    bridge.classify({&one, 1}, {&verdict, 1}, now_ns);
    return verdict;
  }
  Bridge bridge;
};

bool is_flood(const Verdict& verdict) { return verdict.action == Action::flood; }
bool is_unicast(const Verdict& verdict, PortIndex port) {
  return verdict.action == Action::unicast && verdict.port == port;
}
bool is_drop(const Verdict& verdict, DropReason reason) {
  return verdict.action == Action::drop && verdict.reason == reason;
}

}  // namespace

TEST_CASE("a switch floods until it has heard the destination, then sends to its port alone") {
  Network network(NetworkKind::learning_switch);
  CHECK(is_flood(network.send(1, alice, bob)));
  CHECK(is_unicast(network.send(2, bob, alice), 1));
  CHECK(is_unicast(network.send(1, alice, bob), 2));
}

TEST_CASE("a switch learns from the frames of the same batch") {
  Network network(NetworkKind::learning_switch);
  Header question = header(broadcast, alice);
  Header answer = header(alice, bob);
  const std::array frames = {frame(question, 1), frame(answer, 2)};
  std::array<Verdict, 2> verdicts;
  network.bridge.classify(frames, verdicts, 0);
  CHECK(is_flood(verdicts[0]));
  CHECK(is_unicast(verdicts[1], 1));
}

TEST_CASE("an empty batch is no trouble") {
  Network network(NetworkKind::learning_switch);
  network.bridge.classify({}, {}, 0);
  CHECK(network.bridge.macs().size() == 0);
}

TEST_CASE("a station that moves is followed by the very next frame, also within a run of equal addresses") {
  Network network(NetworkKind::learning_switch);
  network.send(3, bob, broadcast);
  Header to_bob = header(bob, alice);
  Header to_alice = header(alice, bob);
  const std::array frames = {frame(to_bob, 1), frame(to_bob, 1), frame(to_alice, 3),
                             frame(to_bob, 2), frame(to_bob, 2), frame(to_alice, 3)};
  std::array<Verdict, 6> verdicts;
  network.bridge.classify(frames, verdicts, 0);
  CHECK(is_unicast(verdicts[2], 1));
  CHECK(is_unicast(verdicts[5], 2));
  CHECK(network.bridge.macs().moves() == 1);
}

TEST_CASE("the same addresses from another port are judged anew") {
  Network network(NetworkKind::learning_switch);
  network.send(3, bob, broadcast);
  Header to_bob = header(bob, alice);
  const std::array frames = {frame(to_bob, 1), frame(to_bob, 3)};
  std::array<Verdict, 2> verdicts;
  network.bridge.classify(frames, verdicts, 0);
  CHECK(is_unicast(verdicts[0], 3));
  CHECK(is_drop(verdicts[1], DropReason::same_port));
  CHECK(network.bridge.macs().look_up(alice, 0) == 3);
}

TEST_CASE("broadcast and multicast are flooded") {
  Network network(NetworkKind::learning_switch);
  CHECK(is_flood(network.send(1, alice, broadcast)));
  CHECK(is_flood(network.send(1, alice, MacAddress(0x3333'0000'0001ULL))));
  CHECK(is_flood(network.send(1, alice, MacAddress(0x0180'C200'0010ULL))));
}

TEST_CASE("a frame for a station behind the port it came from goes nowhere") {
  Network network(NetworkKind::learning_switch);
  network.send(1, alice, broadcast);
  network.send(1, bob, broadcast);
  CHECK(is_drop(network.send(1, alice, bob), DropReason::same_port));
  CHECK(is_drop(network.send(1, alice, alice), DropReason::same_port));
}

TEST_CASE("a frame with nobody else to go to has no destination") {
  const NetworkKind kind = GENERATE(NetworkKind::learning_switch, NetworkKind::wire, NetworkKind::hub);
  CAPTURE(name_of(kind));
  Network network(kind);
  network.bridge.remove_port(2);
  network.bridge.remove_port(3);
  CHECK(is_drop(network.send(1, alice, bob), DropReason::no_destination));
  CHECK(is_drop(network.send(1, alice, broadcast), DropReason::no_destination));
}

TEST_CASE("a switch keeps the reserved addresses to itself and learns nothing from them") {
  Network network(NetworkKind::learning_switch);
  CHECK(is_drop(network.send(1, alice, lldp), DropReason::reserved_mac));
  CHECK(network.bridge.macs().size() == 0);
  network.send(1, alice, broadcast);
  network.send(2, alice, lldp);
  CHECK(network.bridge.macs().look_up(alice, 0) == 1);
}

TEST_CASE("of the reserved addresses a switch passes that of spanning tree alone, unless it consumes it too") {
  const SpanningTree stp = GENERATE(SpanningTree::pass, SpanningTree::consume);
  const NetworkKind kind = GENERATE(NetworkKind::learning_switch, NetworkKind::wire, NetworkKind::hub);
  CAPTURE(name_of(kind), stp == SpanningTree::pass);
  Network network(kind);
  network.bridge.set_options({.kind = kind, .stp = stp});
  for (std::uint64_t last = 0; last < 16; ++last) {
    CAPTURE(last);
    const Verdict verdict = network.send(1, alice, MacAddress(0x0180'C200'0000ULL + last));
    const bool passes = kind != NetworkKind::learning_switch || (last == 0 && stp == SpanningTree::pass);
    CHECK((passes ? is_flood(verdict) : is_drop(verdict, DropReason::reserved_mac)));
  }
  CHECK(network.bridge.macs().size() == 0);  // a BPDU speaks of the link
  network.bridge.remove_port(2);
  network.bridge.remove_port(3);
  CHECK(network.send(1, alice, MacAddress(0x0180'C200'0000ULL)).action == Action::drop);
}

TEST_CASE("options of a network count from then on, and what it has learned stays unless its kind changes") {
  Network network(NetworkKind::learning_switch);
  network.send(1, alice, broadcast, 0);
  network.bridge.set_options({.stp = SpanningTree::consume, .ageing_ns = 1000});
  CHECK(network.bridge.macs().look_up(alice, 999) == 1);
  CHECK(network.bridge.macs().look_up(alice, 1000) == no_port);
  network.bridge.set_options({.kind = NetworkKind::hub});
  CHECK(network.bridge.macs().size() == 0);
}

TEST_CASE("a switch does not learn sources that nobody can send to") {
  Network network(NetworkKind::learning_switch);
  CHECK(is_flood(network.send(1, broadcast, bob)));
  CHECK(is_flood(network.send(1, MacAddress(0x0100'5E00'0001ULL), bob)));
  CHECK(is_flood(network.send(1, MacAddress(), bob)));
  CHECK(network.bridge.macs().size() == 0);
  CHECK(is_flood(network.send(2, bob, MacAddress())));
}

TEST_CASE("wires and hubs send everything to all others and learn nothing") {
  const NetworkKind kind = GENERATE(NetworkKind::wire, NetworkKind::hub);
  CAPTURE(name_of(kind));
  Network network(kind);
  CHECK(is_flood(network.send(1, alice, broadcast)));
  CHECK(is_flood(network.send(2, bob, alice)));
  CHECK(is_flood(network.send(1, alice, bob)));
  CHECK(is_flood(network.send(1, alice, lldp)));
  CHECK(network.bridge.macs().size() == 0);
}

TEST_CASE("a station that falls silent is flooded to again") {
  Network network(NetworkKind::learning_switch, {.ageing_ns = 1000});
  network.send(2, bob, broadcast, 0);
  CHECK(is_unicast(network.send(1, alice, bob, 999), 2));
  CHECK(is_flood(network.send(1, alice, bob, 1000)));
  for (std::uint64_t now = 2000; now < 3000; now += 10) network.bridge.age(now);
  CHECK(network.bridge.macs().size() == 0);
}

TEST_CASE("a port that leaves takes its stations with it") {
  Network network(NetworkKind::learning_switch);
  network.send(2, bob, broadcast);
  network.send(3, alice, broadcast);
  network.bridge.remove_port(2);
  CHECK(is_flood(network.send(1, MacAddress(77), bob)));
  CHECK(is_unicast(network.send(1, MacAddress(77), alice), 3));
  network.bridge.add_port(2);
  CHECK(is_flood(network.send(1, MacAddress(77), bob)));
}

TEST_CASE("members are listed in the order they were added") {
  Network network(NetworkKind::hub);
  network.bridge.add_port(0);
  network.bridge.remove_port(2);
  network.bridge.add_port(2);
  const auto members = network.bridge.members();
  CHECK(std::vector<PortIndex>(members.begin(), members.end()) == std::vector<PortIndex>{1, 3, 0, 2});
}

TEST_CASE("kinds of networks are named as in the configuration") {
  CHECK(name_of(NetworkKind::learning_switch) == "switch");
  CHECK(name_of(NetworkKind::wire) == "wire");
  CHECK(name_of(NetworkKind::hub) == "hub");
}

namespace {

// Frames that arrive at one time: any cut of them into batches has the same `now_ns`.
struct Moment {
  std::uint64_t now_ns = 0;
  std::vector<Frame> frames;
};

struct Trace {
  std::deque<Header> headers;  // where the frames' bytes live
  std::vector<Moment> moments;
};

MacAddress random_address(std::mt19937_64& random) {
  switch (random() % 16) {
    case 0:
      return broadcast;
    case 1:
      return lldp;
    case 2:
      return MacAddress();
    default:
      return MacAddress(0x5254'0000'0000ULL + random() % 60);
  }
}

// Runs of equal frames between few stations, some of which move between ports, with pauses long enough to
// age.
Trace random_trace(std::mt19937_64& random) {
  Trace trace;
  std::uint64_t now_ns = 0;
  for (int moment = 0; moment < 300; ++moment) {
    now_ns += random() % 50 == 0 ? 1500 : random() % 30;
    std::vector<Frame> frames;
    for (auto runs = random() % 12; runs > 0; --runs) {
      Header& bytes = trace.headers.emplace_back(header(random_address(random), random_address(random)));
      const auto port = static_cast<PortIndex>(random() % 4);
      for (auto run = 1 + random() % 5; run > 0; --run) frames.push_back(frame(bytes, port));
    }
    trace.moments.push_back({now_ns, std::move(frames)});
  }
  return trace;
}

// The verdicts of a bridge fed with batches of 1 to `batch_max` frames, as text.
std::vector<std::string> outcome(const Trace& trace, std::size_t batch_max, std::mt19937_64& random) {
  Bridge bridge(NetworkKind::learning_switch, {.capacity = 40, .ageing_ns = 1000, .seed = 3});
  for (PortIndex port = 0; port < 4; ++port) bridge.add_port(port);
  std::vector<std::string> lines;
  for (const Moment& moment : trace.moments) {
    std::vector<Verdict> verdicts(moment.frames.size());
    for (std::size_t from = 0; from < verdicts.size();) {
      const std::size_t frames = std::min(verdicts.size() - from, 1 + random() % batch_max);
      bridge.classify({moment.frames.data() + from, frames}, {verdicts.data() + from, frames}, moment.now_ns);
      from += frames;
    }
    for (const Verdict& verdict : verdicts)
      lines.push_back(std::to_string(static_cast<int>(verdict.action)) + ' ' +
                      std::string(info(verdict.reason).name) + ' ' + std::to_string(verdict.port));
    bridge.age(moment.now_ns);
    lines.push_back("knows " + std::to_string(bridge.macs().size()) + " moves " +
                    std::to_string(bridge.macs().moves()) + " evictions " +
                    std::to_string(bridge.macs().evictions()));
  }
  return lines;
}

}  // namespace

TEST_CASE("what becomes of a frame does not depend on how the trace is cut into batches") {
  const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const Trace trace = random_trace(random);
  const std::vector<std::string> one_by_one = outcome(trace, 1, random);
  CHECK(one_by_one.back().find("evictions 0") == std::string::npos);  // the table was full at times
  CHECK(outcome(trace, 3, random) == one_by_one);
  CHECK(outcome(trace, 20, random) == one_by_one);
  CHECK(outcome(trace, 1'000'000, random) == one_by_one);
}

}  // namespace bridge_test
