// When to wait a little for more frames. Where they come one or a few at a time, as fast as the switch can take them,
// each turn is for so few: its system calls, not the frames, are then what the switch spends its time on. So it lets
// them gather, as network cards do (interrupt coalescing), for up to 50 us. There are two reasons to.
//
// A trickle: after a row of such turns in which frames came so fast that a wait will bring enough of them, it waits for
// more than the first. That is worth it where senders go on meanwhile. Where they all wait for answers it is not, and
// looks alike: many small turns. So it goes on only while frames come as fast as they did in the row, or three quarters
// so; where they do not, the next row has to be twice as long, which is forgotten by half every 0.13 s. Now and then it
// stops to look at a row again, as what trickled may have become a flood, which needs no waiting.
//
// Held up: a turn brought a few frames, and all of them only wait, because the ports that they are for take no more. To
// fetch more of them a few at a time helps nobody, so it waits until such a port takes some again. Not where anything
// else is sent while a port takes no more, be it by the same sender: within 10 ms of that there is no such wait, so
// that a slow port costs others nothing. And a full port holds up nothing: what comes for it is dropped.
//
// All ports count together: beside a trickle, or where many ports with little to say come close together, a frame of
// any port may be up to 50 us late, and so may the first in 10 ms beside a port that holds up. Pure; one thread.
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
  static constexpr std::size_t held_frames_max = 16;  // more are fetched together as they are
  static constexpr std::uint64_t others_ns = 10'000'000;
  static constexpr unsigned row_min = 8, row_max = 4096;  // turns
  static constexpr unsigned half_life_log2_ns = 27;   // of what makes a row longer than row_min
  // In a row: to be worth it at all; to see whether frames come as fast; until it stops to look.
  static constexpr unsigned waits_min = 3, waits_judged = 8, waits_max = 64;

  // Should the next wait be for more than one frame?
  [[nodiscard]] bool is_on() const { return on_; }
  // Should it be until a port takes more?
  [[nodiscard]] bool is_held_up() const { return few_ && kept_ && !gave_ && woke_ns_ >= quiet_ns_; }

  // The turn that began at `woke_ns` found `frames` frames; `gathered`: after a whole wait for more than one.
  void woke(std::uint64_t woke_ns, std::size_t frames, bool gathered) {
    woke_ns_ = woke_ns;
    few_ = frames > 0 && frames <= held_frames_max;
    kept_ = gave_ = false;
    if (on_) {
      judge(woke_ns, frames, gathered);
    } else if (frames > 0) {  // none: something was sent, or asked by another thread
      const bool is_trickle = frames < many_frames && woke_ns - last_ns_ < close_ns;
      if (!is_trickle) begin(woke_ns);
      else frames_ += frames;
      row_ = is_trickle ? row_ + 1 : 0;
      if (row_ >= needed_turns(woke_ns)) end_row(woke_ns);
    }
    if (frames > 0) last_ns_ = woke_ns;
  }

  // Of this turn: some of what waits to be sent was given to the kernel.
  void gave() {
    gave_ = true;
    if (blocked_ports_ > 0) quiet_ns_ = woke_ns_ + others_ns;
  }
  // Of this turn: some was kept, as a port takes no more.
  void kept() { kept_ = true; }
  // A port takes no more; it does again, or is gone.
  void port_blocked() { ++blocked_ports_; }
  void port_unblocked() { --blocked_ports_; }

  // A port that takes frames again did so perhaps already a while ago: of an engine that cannot wait for that while
  // frames gather.
  void kept_waiting(std::uint64_t now_ns) {
    if (on_) turn_off(now_ns, 2 * needed_turns(now_ns));
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
  // How long a row has to be by now.
  [[nodiscard]] unsigned needed_turns(std::uint64_t now_ns) const {
    const std::uint64_t halvings = (now_ns - needed_since_ns_) >> half_life_log2_ns;
    return halvings < 16 ? std::max(needed_ >> halvings, row_min) : row_min;
  }
  void turn_off(std::uint64_t now_ns, unsigned needed) {
    needed_ = std::clamp(needed, row_min, row_max);
    needed_since_ns_ = now_ns;
    on_ = false;
    row_ = 0;
    begin(now_ns);
  }
  void judge(std::uint64_t now_ns, std::size_t frames, bool gathered) {
    const unsigned needed = needed_turns(now_ns);
    if (gathered) ++waits_;
    if (gathered && frames < worth_frames)
      return turn_off(now_ns, waits_ < waits_min ? 2 * needed : is_slower() ? needed : needed / 2);
    frames_ += frames;
    until_ns_ = now_ns;
    if (!gathered) return;
    if (waits_ % waits_judged == 0 && is_slower()) return turn_off(now_ns, 2 * needed);
    if (waits_ == waits_max) turn_off(now_ns, needed / 2);
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
  std::uint64_t needed_since_ns_ = 0;
  bool few_ = false, kept_ = false, gave_ = false;  // in the last turn
  std::uint64_t woke_ns_ = 0;
  std::size_t blocked_ports_ = 0;
  std::uint64_t quiet_ns_ = 0;  // from when on nothing has gone on beside them for long enough
};
static_assert(Gathering::wait_ns / Gathering::worth_frames < Gathering::close_ns);
static_assert(Gathering::waits_judged < Gathering::waits_max && Gathering::row_min <= Gathering::row_max);

}  // namespace lanyard
