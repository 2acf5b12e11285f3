// When to wait a little for more frames. Frames that come one at a time, as fast as the switch can take them, cost a turn
// each: its system calls, not the frames, are then what the switch spends its time on. So it lets them gather, as
// network cards do (interrupt coalescing): after a row of such turns it waits for some more frames to come, but no longer than
// 50 us, and goes on so while that brings any. Frames that come now and then are never waited for: a turn counts for
// the row only if it follows close on the one before. Question and answer between two fast peers may look alike for a
// moment; where waiting brought nothing, the next row has to be twice as long.
//
// Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lanyard {

class Gathering {
 public:
  static constexpr std::uint64_t wait_ns = 50'000;    // at most
  static constexpr unsigned wait_receives = 16;       // that end it early
  static constexpr std::uint64_t close_ns = 10'000;   // between two turns of a row
  static constexpr std::size_t few_frames = 8;        // and more are no trickle
  static constexpr std::size_t worth_frames = 4;      // that make it worth waiting again
  static constexpr unsigned row_min = 8, row_max = 4096;  // turns

  // Should the next wait be for more than one frame?
  [[nodiscard]] bool is_on() const { return on_; }

  // The wait that ended at `woke_ns` brought `frames` frames.
  void woke(std::uint64_t woke_ns, std::size_t frames) {
    if (on_) {
      on_ = frames >= worth_frames;
      needed_ = on_ ? row_min : std::min(2 * needed_, row_max);
      row_ = 0;
    } else if (frames > 0) {  // none: something was sent, or asked by another thread
      const bool is_trickle = frames < few_frames && woke_ns - last_ns_ < close_ns;
      row_ = is_trickle ? row_ + 1 : 0;
      on_ = row_ >= needed_;
    }
    if (frames > 0) last_ns_ = woke_ns;
  }

 private:
  bool on_ = false;
  unsigned row_ = 0;
  unsigned needed_ = row_min;
  std::uint64_t last_ns_ = 0;
};

}  // namespace lanyard
