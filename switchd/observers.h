// Who watches the frames of the data plane: taps (switchd/tap.h), rewinds (switchd/rewind.h) and mirrors. Data thread
// only.
//
// Theory: nearly always nobody does, and then a frame must not pay for it. Each port therefore says in one flag whether
// it is observed at all (Port::observed), and by whom in two sets of bits. They are worked out here when a port joins
// and when an observer comes or goes; the frame path looks at the flag once for each run of frames.
//
//   inbound   a frame as it was received from the VM, with the reason where the bridge dropped it
//   outbound  a copy made for the port; dropped ones (egress_full, mtu) with their reason, where asked for
// What a transport drops before there is a frame for the bridge (runt, oversize, unknown_source, no_buffer) is
// only counted: some of it has no bytes any more, none of it a place in the network.
//
// A mirror's port gets a copy of each frame of the ports that it mirrors. It stays a port as others are; but its own
// traffic is not mirrored to it: neither what it receives, in whatever port that leaves, nor what it is sent; and a
// mirror's copies are not mirrored again by another.
//
// Stamps: the monotonic time of the turn and an offset to the clock on the wall. The two clocks are slewed alike, so
// the offset only changes when somebody sets the clock or the machine sleeps; it is looked at once a second, and a
// difference of less than a millisecond is taken for our own delay in reading them, so that stamps never go back
// but for a clock that did.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "frames/frame.h"
#include "switchd/rewind.h"
#include "switchd/tap.h"
#include "transports/port_table.h"

namespace lanyard {

struct Mirror {
  PortSelection to;     // the first port of it that is up
  PortSelection ports;  // whose frames
  bool inbound = true;
  bool outbound = true;
};

class Observers {
 public:
  explicit Observers(const PortTable& ports) : ports_(ports) {}

  // --- Changes. `now_ns` is the turn's time.
  // REQUIRES: fewer than taps_max.
  void add_tap(std::shared_ptr<Tap> tap, std::uint64_t now_ns);
  void remove_tap(const Tap* tap);
  // Instead of those there were. REQUIRES: no more than mirrors_max.
  void set_mirrors(std::vector<Mirror> mirrors);
  // Exchanges a network's rewind for another; either may be null.
  void swap_rewind(NetworkIndex network, std::unique_ptr<Rewind>& rewind);
  // A port is in its network from now on; it is leaving it.
  void joined(Port& port);
  void left(Port& port);
  // Looks at the clock on the wall, which says `unix_ns` at `now_ns`.
  void set_clock(std::uint64_t now_ns, std::uint64_t unix_ns);

  // --- Frames. REQUIRES: the port is observed.
  void received(const Port& port, std::span<const Frame> frames, std::optional<DropReason> drop, std::uint64_t now_ns);
  void copied(const Port& port, const Frame& frame, std::optional<DropReason> drop, std::uint64_t now_ns);

  // Calls `send` with each port that gets copies of what `port` receives, or is sent; not with `origin`.
  template <class Send>
  void for_each_mirror(const Port& port, FrameRecord::Direction direction, PortIndex origin, Send send) const {
    for (unsigned bits = port.mirrors; bits != 0; bits &= bits - 1) {
      const Placed& mirror = mirrors_[static_cast<std::size_t>(std::countr_zero(bits))];
      const bool wanted = direction == FrameRecord::Direction::inbound ? mirror.what.inbound : mirror.what.outbound;
      if (wanted && mirror.to != nullptr && mirror.to->index != origin) send(*mirror.to);
    }
  }

 private:
  struct Placed {
    Mirror what;
    Port* to = nullptr;  // while there is one
  };

  void keep(const Port& port, FrameRecord record, const Frame& frame);
  [[nodiscard]] FrameRecord record_of(const Port& port, FrameRecord::Direction direction,
                                      std::optional<DropReason> drop, std::uint64_t now_ns) const;
  void look_at(Port& port) const;
  void look_at_all() const;
  [[nodiscard]] Rewind* rewind_of(NetworkIndex network) const;

  const PortTable& ports_;
  std::array<std::shared_ptr<Tap>, limits::taps_max> taps_;
  std::vector<Placed> mirrors_;
  std::vector<std::unique_ptr<Rewind>> rewinds_;  // by network
  std::uint64_t unix_offset_ns_ = 0;              // modulo 2 to the power of 64
};

static_assert(limits::taps_max <= 16 && limits::mirrors_max <= 16, "the bits of a Port");

}  // namespace lanyard
