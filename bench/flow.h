// Flows of frames through the program under test, each from one station to another, driven by one thread.
//
// A flow keeps a window: never more frames under way than the queues on the way hold, because a switch drops
// and does not wait. Within it as much as possible is sent before anything is received, so that the program
// under test, not the load, decides how full its batches are. Frames of which nothing was heard for a while
// are given up, so that a loss costs the window nothing for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/round_trip.h"
#include "bench/station.h"
#include "bench/traffic.h"

namespace lanyard::bench {

// How two stations find each other before anything is measured: each is greeted by the other until it has
// heard it, so the switch knows both and floods neither. Ends the program when nothing gets through for ten
// seconds.
void introduce(Station& a, Station& b);

// Waits until `station` is readable, at most `longest`.
bool wait_readable(const Station& station, Clock::duration longest);

class Flow {
 public:
  // Of each frame `copies` arrive, where the sink is a crowd; then copies are what is counted, as sent too.
  Flow(std::unique_ptr<Station> source, std::unique_ptr<Station> sink, std::vector<Burst> bursts,
       std::uint64_t window_frames, std::uint64_t copies = 1);

  Station& source() { return *source_; }
  Station& sink() { return *sink_; }

  // Sends up to `bursts_max` bursts as far as window and socket let it; true when it sent any. With none, it
  // only finishes a burst that was cut short.
  bool fill(std::size_t bursts_max);
  // Receives once; true when something was there.
  bool collect() { return sink_->receive(received_); }
  void give_up_missing();

  [[nodiscard]] bool cut_short() const { return cut_short_; }  // waits for the source to be writable
  [[nodiscard]] bool complete() const { return !cut_short_ && received_.frames + given_up_ >= sent_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] const Tally& received() const { return received_; }

 private:
  [[nodiscard]] bool has_room(std::size_t frames) const;
  [[nodiscard]] std::uint64_t under_way() const;  // copies

  std::unique_ptr<Station> source_;
  std::unique_ptr<Station> sink_;
  std::vector<Burst> bursts_;
  std::uint64_t window_;  // copies
  std::uint64_t copies_;
  std::size_t next_burst_ = 0;
  bool cut_short_ = false;
  std::uint64_t sent_ = 0;
  std::uint64_t given_up_ = 0;
  Tally received_;
};

// One stretch of traffic over all flows, with round trips beside them where there are any.
struct Stretch {
  std::uint64_t frames_max = 0;  // copies sent, over all flows
  Clock::duration longest{};     // for the sending; what is under way then is waited for
  double frames_per_second = 0;  // 0: as fast as the windows allow; else one burst of each flow in turn
  bool receives = true;          // false: sinks never read, there is no window, and nothing is waited for
  std::span<RoundTrips> trips;   // the stretch also ends when all of them have been started
};

struct Outcome {
  std::uint64_t sent = 0;
  Tally received;
  double seconds = 0;  // to the last arrival
};

[[nodiscard]] Outcome run_stretch(std::vector<Flow>& flows, const Stretch& stretch);

}  // namespace lanyard::bench
