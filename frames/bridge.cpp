// Forwarding decisions (IEEE 802.1Q-2018, 8.6.3 frame filtering and 8.7 learning, with one VLAN for all).
//
// Theory: a batch is decided frame by frame in order, because a frame may be addressed to a station learned
// from the one before it. Frames come in runs from one station to another, and within a batch a repeated
// frame can neither teach anything nor be decided otherwise, so its verdict is copied: 3-5 ns instead of
// 10-50. (Asking for headers and slots some frames ahead was measured and gained nothing: consecutive
// decisions overlap in the processor as it is.)
//
// Reserved addresses: a frame to 01:80:C2:00:00:00-0F ends here, or is a BPDU that passes, and teaches nothing either
// way. The standard lets
// a bridge learn from such frames, but they speak of the neighbour on the link rather than of a station to be
// reached through it (a guest's own bridge sends them with one address on many links), and before 802.1X has
// let a station in, its EAPOL frames should not make it known. A station that wants to be reached sends
// something else.
#include "frames/bridge.h"

#include <algorithm>
#include <cstring>

#include "frames/check.h"

namespace lanyard {
namespace {

// Destination and source as they lie in a frame, to be compared only.
struct Addresses {
  std::uint64_t first;  // eight bytes
  std::uint32_t last;   // and four
  friend bool operator==(const Addresses&, const Addresses&) = default;
};

Addresses addresses_of(const Frame& frame) {
  Addresses addresses;
  std::memcpy(&addresses.first, frame.data, sizeof addresses.first);
  std::memcpy(&addresses.last, frame.data + sizeof addresses.first, sizeof addresses.last);
  return addresses;
}

Verdict drop(DropReason reason) { return {Verdict::Action::drop, reason, no_port}; }

// A source that can be a destination: neither a group nor the all-zero address, which says "none".
bool can_be_learned(MacAddress source) { return !source.is_group() && source != MacAddress(); }

}  // namespace

std::string_view name_of(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::learning_switch:
      return "switch";
    case NetworkKind::wire:
      return "wire";
    case NetworkKind::hub:
      return "hub";
  }
  check_failed(__FILE__, __LINE__, "a network kind");
}

Bridge::Bridge(NetworkKind kind, const MacTable::Options& options) : kind_(kind), macs_(options) {
  moves_.reserve(moves_max);
}

Bridge::Bridge(const NetworkOptions& network, const MacTable::Options& options) : Bridge(network.kind, options) {
  set_options(network);
}

void Bridge::set_options(const NetworkOptions& network) {
  set_kind(network.kind);
  stp_ = network.stp;
  macs_.set_ageing(network.ageing_ns);
}

void Bridge::set_kind(NetworkKind kind) {
  if (kind == kind_) return;
  kind_ = kind;
  macs_.clear();
}

void Bridge::classify(std::span<const Frame> frames, std::span<Verdict> verdicts, std::uint64_t now_ns) {
  LANYARD_CHECK(frames.size() == verdicts.size());
  if (kind_ != NetworkKind::learning_switch) {
    std::fill(verdicts.begin(), verdicts.end(), to_all_others());
    return;
  }
  Addresses previous{};
  PortIndex ingress = no_port;
  Verdict verdict;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const Addresses addresses = addresses_of(frame);
    if (addresses != previous || frame.ingress != ingress) {
      verdict = decide(MacAddress::read(frame.data), MacAddress::read(frame.data + 6), frame.ingress, now_ns);
      previous = addresses;
      ingress = frame.ingress;
    }
    verdicts[i] = verdict;
  }
}

Verdict Bridge::decide(MacAddress destination, MacAddress source, PortIndex ingress, std::uint64_t now_ns) {
  if (destination.is_reserved()) [[unlikely]] return decide_reserved(destination);
  if (can_be_learned(source) && macs_.learn(source, ingress, now_ns) && moves_.size() < moves_max) [[unlikely]]
    moves_.push_back({source, macs_.moved_from(), ingress});
  if (destination.is_group()) return to_all_others();
  const PortIndex port = macs_.look_up(destination, now_ns);
  if (port == no_port) return to_all_others();
  if (port == ingress) return drop(DropReason::same_port);
  return {Verdict::Action::unicast, DropReason::no_destination, port};
}

Verdict Bridge::decide_reserved(MacAddress destination) const {
  constexpr MacAddress bridge_group(0x0180'C200'0000ULL);
  return destination == bridge_group && stp_ == SpanningTree::pass ? to_all_others() : drop(DropReason::reserved_mac);
}

Verdict Bridge::to_all_others() const {
  if (members_.size() < 2) return drop(DropReason::no_destination);
  return {Verdict::Action::flood, DropReason::no_destination, no_port};
}

void Bridge::add_port(PortIndex port) {
  LANYARD_CHECK(port < limits::ports_max);
  LANYARD_CHECK(std::find(members_.begin(), members_.end(), port) == members_.end());
  members_.push_back(port);
}

void Bridge::remove_port(PortIndex port) {
  const auto member = std::find(members_.begin(), members_.end(), port);
  LANYARD_CHECK(member != members_.end());
  members_.erase(member);  // the others keep their order
  macs_.forget_port(port);
}

void Bridge::age(std::uint64_t now_ns) { macs_.age(now_ns); }

}  // namespace lanyard
