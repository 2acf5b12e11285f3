// When to wait a little for more frames. Where they come one or a few at a time, as fast as the switch can take them,
// each turn is for so few: its system calls, not the frames, are then what the switch spends its time on. So it lets
// them gather, as network cards do (interrupt coalescing): after a row of such turns in which they came so fast that a
// wait will bring enough of them, it waits up to 50 us for more than the first.
//
// Waiting is worth it where senders go on meanwhile. Where they all wait for answers it is not, and looks alike: many
// small turns. So it goes on only while frames come as fast as they did in the row, or three quarters so; where they do
// not, the next row has to be twice as long. Now and then it stops to look at a row again, as what trickled may have
// become a flood, which needs no waiting.
//
// All ports count together: beside a trickle, or where many ports with little to say come close together, a frame of
// any port may be up to 50 us late. Pure; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace lanyard {

class Gathering {
 public:
  static constexpr std::uint64_t wait_ns = 50'000;    // at most
  static constexpr unsigned wait_receives = 16;       // that end it early; a socket may count as one, whatever it has
  static constexpr std::uint64_t close_ns = 20'000;   // two turns of a row are less apart
  static constexpr std::size_t many_frames = 8;       // as many are no trickle
  static constexpr std::size_t worth_frames = 4;      // fewer were not worth a wait
  static constexpr unsigned row_min = 8, row_max = 4096;  // turns
  // In a row: to be worth it at all; to see whether frames come as fast; until it stops to look.
  static constexpr unsigned waits_min = 3, waits_judged = 8, waits_max = 64;

  // Should the next wait be for more than one frame?
  [[nodiscard]] bool is_on() const { return on_; }

  // The turn that began at `woke_ns` found `frames` frames; `gathered`: after a wait for more than one.
  void woke(std::uint64_t woke_ns, std::size_t frames, bool gathered) {
    if (on_) {
      if (gathered) judge(woke_ns, frames);
    } else if (frames > 0) {  // none: something was sent, or asked by another thread
      const bool is_trickle = frames < many_frames && woke_ns - last_ns_ < close_ns;
      if (!is_trickle) begin(woke_ns);
      else frames_ += frames;
      row_ = is_trickle ? row_ + 1 : 0;
      if (row_ >= needed_) end_row(woke_ns);
    }
    if (frames > 0) last_ns_ = woke_ns;
  }

  // A port took frames again that was full before: perhaps already a while ago. Full for good, it does not matter.
  void kept_waiting(std::uint64_t now_ns) {
    if (on_) turn_off(now_ns, 2 * needed_);
  }

 private:
  // What is counted from here on: frames, and since when.
  void begin(std::uint64_t now_ns) {
    frames_ = 0;
    since_ns_ = until_ns_ = now_ns;
  }
  // Long enough, and at its pace a wait brings enough?
  void end_row(std::uint64_t now_ns) {
    row_ = 0;
    row_frames_ = frames_;
    row_ns_ = std::max<std::uint64_t>(now_ns - since_ns_, 1);
    on_ = row_frames_ * wait_ns >= worth_frames * row_ns_;
    waits_ = 0;
    begin(now_ns);
  }
  void turn_off(std::uint64_t now_ns, unsigned needed) {
    needed_ = std::clamp(needed, row_min, row_max);
    on_ = false;
    row_ = 0;
    begin(now_ns);
  }
  void judge(std::uint64_t now_ns, std::size_t frames) {
    ++waits_;
    if (frames < worth_frames)
      return turn_off(now_ns, waits_ < waits_min ? 2 * needed_ : is_slower() ? needed_ : needed_ / 2);
    frames_ += frames;
    until_ns_ = now_ns;
    if (waits_ % waits_judged == 0 && is_slower()) return turn_off(now_ns, 2 * needed_);
    if (waits_ == waits_max) turn_off(now_ns, needed_ / 2);
  }
  // Less than three quarters of the frames in the same time: their senders wait, too.
  [[nodiscard]] bool is_slower() const { return 4 * frames_ * row_ns_ < 3 * row_frames_ * (until_ns_ - since_ns_); }

  bool on_ = false;
  unsigned row_ = 0;             // turns so far
  unsigned needed_ = row_min;    // of them
  unsigned waits_ = 0;           // since it is on
  std::uint64_t frames_ = 0, since_ns_ = 0, until_ns_ = 0;
  std::uint64_t row_frames_ = 0, row_ns_ = 0;  // of the last row
  std::uint64_t last_ns_ = 0;
};
static_assert(Gathering::wait_ns / Gathering::worth_frames < Gathering::close_ns);
static_assert(Gathering::waits_judged < Gathering::waits_max && Gathering::row_min <= Gathering::row_max);

}  // namespace lanyard
