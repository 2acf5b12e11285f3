// What the data plane does besides for those who watch (switchd/observers.h). Slower than what it does else, frame by
// frame, and entered for observed ports only: one look for each run of frames. Data thread.
#include <optional>

#include "switchd/dataplane.h"

namespace lanyard {

void Dataplane::observe_received(Port& in, std::span<const Frame> frames, const Verdict& verdict) {
  const bool dropped = verdict.action == Verdict::Action::drop;
  observers_.received(in, frames, dropped ? std::optional(verdict.reason) : std::nullopt, now_ns_);
  observers_.for_each_mirror(in, FrameRecord::Direction::inbound, in.index, [&](Port& to) { mirror(to, frames); });
}

// As send_to. What is queued is mirrored; what the port's queue refused never left.
void Dataplane::send_observed(Port& port, std::span<const Frame> frames) {
  for (; !frames.empty(); frames = frames.subspan(1)) {
    const std::span<const Frame> frame = frames.first(1);
    if (!queue_observed(port, frame)) continue;
    observers_.for_each_mirror(port, FrameRecord::Direction::outbound, frame.front().ingress,
                               [&](Port& to) { mirror(to, frame); });
  }
}

bool Dataplane::queue_observed(Port& port, std::span<const Frame> frame) {
  const bool queued = queue_copies(port, frame) > 0;
  std::optional<DropReason> drop;
  if (!queued) drop = frame.front().bytes > port.max_frame_bytes ? DropReason::mtu : DropReason::egress_full;
  observers_.copied(port, frame.front(), drop, now_ns_);
  return queued;
}

// A mirror's copies are seen by taps, not by mirrors.
void Dataplane::mirror(Port& to, std::span<const Frame> frames) {
  if (!to.observed) return void(queue_copies(to, frames));
  for (; !frames.empty(); frames = frames.subspan(1)) queue_observed(to, frames.first(1));
}

}  // namespace lanyard
