// One network: decides for each frame where it goes, and learns where stations are. Decisions only; queues and
// sockets are elsewhere.
//
//   switch  learns sources, known unicast to one port, everything else to all others; consumes the addresses that
//           bridges do not forward (IEEE 802.1Q-2018 table 8-1, 01:80:C2:00:00:00-0F), but for the first, that of
//           spanning tree, which it passes unless told otherwise: it runs none itself, and bridges that do find each
//           other's loops only where they hear each other
//   wire    transparent: no learning, every frame to all others, reserved addresses included
//   hub     a repeater: as wire, for any number of ports
//
// Not thread-safe: a network lives on one data thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "frames/drop_reason.h"
#include "frames/frame.h"
#include "frames/mac_table.h"

namespace lanyard {

enum class NetworkKind : std::uint8_t { learning_switch, wire, hub };
[[nodiscard]] std::string_view name_of(NetworkKind kind);  // "switch", "wire", "hub"

// What a switch does with frames to 01:80:C2:00:00:00, the BPDUs of bridges around it.
enum class SpanningTree : std::uint8_t { pass, consume };

// How a network deals with frames.
struct NetworkOptions {
  NetworkKind kind = NetworkKind::learning_switch;
  SpanningTree stp = SpanningTree::pass;
  std::uint64_t ageing_ns = limits::mac_ageing_ns_default;
};

// What to do with one frame.
struct Verdict {
  enum class Action : std::uint8_t { unicast, flood, drop };
  Action action = Action::drop;
  DropReason reason = DropReason::no_destination;  // where action is drop; always one of the ingress side
  PortIndex port = no_port;                        // where action is unicast

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// A station that came by another port than before.
struct Move {
  MacAddress station;
  PortIndex from = no_port;
  PortIndex to = no_port;
};

class Bridge {
 public:
  Bridge(NetworkKind kind, const MacTable::Options& options);
  Bridge(const NetworkOptions& network, const MacTable::Options& options);  // its ageing is the network's

  // What was learned is forgotten where the kind changes.
  void set_kind(NetworkKind kind);
  void set_options(const NetworkOptions& network);

  // REQUIRES: not a member already / a member. Removing a port forgets every station learned on it.
  void add_port(PortIndex port);
  void remove_port(PortIndex port);
  // In the order they were added.
  [[nodiscard]] std::span<const PortIndex> members() const { return members_; }

  // Decides for frames that all came in by members of this network, in order, each at least 14 bytes long; learns
  // their sources. `verdicts` is as long as `frames`. `now_ns` is monotonic.
  void classify(std::span<const Frame> frames, std::span<Verdict> verdicts, std::uint64_t now_ns);

  // A bounded step of forgetting stations not heard of for the ageing time; call now and then.
  void age(std::uint64_t now_ns);

  [[nodiscard]] NetworkKind kind() const { return kind_; }
  [[nodiscard]] const MacTable& macs() const { return macs_; }
  [[nodiscard]] MacTable& macs() { return macs_; }

  // Those since the last clear_moves(), at most moves_max of them; macs().moves() counts all.
  static constexpr std::size_t moves_max = 16;
  [[nodiscard]] std::span<const Move> moves() const { return moves_; }
  void clear_moves() { moves_.clear(); }

 private:
  Verdict decide(MacAddress destination, MacAddress source, PortIndex ingress, std::uint64_t now_ns);
  [[nodiscard]] Verdict decide_reserved(MacAddress destination) const;
  [[nodiscard]] Verdict to_all_others() const;

  NetworkKind kind_;
  SpanningTree stp_ = SpanningTree::pass;
  std::vector<PortIndex> members_;
  MacTable macs_;
  std::vector<Move> moves_;
};

}  // namespace lanyard
