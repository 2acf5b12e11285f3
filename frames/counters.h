// What happened on a port, counted by the data thread and read by any other: one writer, relaxed stores (plain moves
// on the machine), each port in cache lines of its own. The ledger of a port:
//   received    = unicast + flooded + echoed + dropped at ingress
//   copies made = sent + queued + dropped at egress
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "frames/drop_reason.h"

namespace lanyard {

// A counter with one writer thread; readers elsewhere see a recent value.
class Counter {
 public:
  void add(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct alignas(64) PortCounters {
  // Tells the port from all others there ever were in this process, also when it has gone.
  const std::uint64_t serial = next_serial();

  // ingress
  Counter received_frames;
  Counter received_bytes;
  Counter unicast;
  Counter flooded;
  Counter echoed_frames;  // our own, which a multicast group gave back: they have been delivered, and end here
  // egress
  Counter copies;
  Counter sent_frames;
  Counter sent_bytes;
  Counter queued_frames;      // now, not ever
  Counter queued_frames_max;  // the most that have had to wait, ever
  // both
  std::array<Counter, drop_reason_count> drops;
  // beside the ledger
  Counter receives;       // batches: turns of the loop in which it brought frames
  Counter sends;          // batches: times that frames were queued while none were
  Counter moves;          // stations that came here from another port
  Counter heads_copied;   // heads of frames cut by the end of a chunk, copied to lie contiguous
  Counter copied_out;     // frames copied out of a large buffer while they waited on a slow port
  Counter kernel_drops;   // frames the kernel dropped before we saw them: SO_MEMINFO; of a TAP its interface's tx_dropped,
                          // written by the control thread alone
  Counter dns_refused;    // of a gateway: queries of guests that had too many waiting; by the control thread alone

  void drop(DropReason reason, std::uint64_t frames = 1) { drops[static_cast<std::size_t>(reason)].add(frames); }
  [[nodiscard]] std::uint64_t dropped(DropSide side) const {
    std::uint64_t sum = 0;
    for (const DropReasonInfo& entry : drop_reasons)
      if (entry.side == side) sum += drops[static_cast<std::size_t>(entry.reason)].get();
    return sum;
  }

 private:
  static std::uint64_t next_serial() {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
  }
};

// Of a network. One writer, as above.
struct alignas(64) NetworkCounters {
  Counter macs;       // stations known; as of the last second
  Counter macs_max;   // for how many there is room
  Counter moves;      // stations that changed their port, ever
  Counter evictions;  // stations pushed out of a full table, ever
};

// Of the data plane's loop.
struct alignas(64) LoopCounters {
  static constexpr std::size_t turn_times = 20;
  Counter turns;
  Counter frames;
  Counter syscalls;      // of the engine: waiting, receiving, sending
  Counter chunks_used;   // buffers in use at the end of the last turn
  Counter slots_used;
  // Turns by how long they took from the end of the wait: [i] of less than 2^i us and no earlier one; the last: longer.
  std::array<Counter, turn_times> turn_time;
  Counter busy_ns;
};

}  // namespace lanyard
