// A tap: frames on their way through the data plane, copied out for somebody who watches. One producer, the data
// thread; one consumer, the control thread; between them a bounded ring of records (frames/frame_record.h).
//
//   data thread     offer()  wanted?  ──▶  cut, copied  ──▶  ring, or lost() where that is full
//   control thread  next()   ──▶  read  ──▶  pop()
//
// The producer never waits, never allocates, and wakes nobody: the consumer looks every few milliseconds
// (limits::capture_look_ns), for which the ring has room enough. When it is slow, records are lost and counted;
// frames never are.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "frames/frame_record.h"
#include "switchd/packet_filter.h"
#include "transports/memory.h"
#include "transports/port.h"

namespace lanyard {

// Whose frames: of ports that match one of these, those that come later included.
struct PortSelection {
  bool all = false;
  std::vector<NetworkIndex> networks;
  std::vector<std::uint32_t> owners;  // configured ports, with their connections and peers
  std::vector<std::uint64_t> ports;   // single ones, by PortCounters::serial

  [[nodiscard]] bool includes(NetworkIndex network, std::uint32_t owner, std::uint64_t port) const;
  [[nodiscard]] bool includes(const Port& port) const {
    return includes(port.network, port.owner, port.counters->serial);
  }
};

// What a capture wants of them.
struct CaptureSpec {
  PortSelection ports;
  bool inbound = true;
  bool outbound = true;
  bool drops = false;            // copies that were dropped too. Frames dropped at ingress were received in any case
  std::uint32_t snap_bytes = 0;  // of each frame; 0: whole
  std::optional<PacketFilter> filter{};

  // Is a frame wanted, of a port that is? `record` is as it will be kept, `bytes` all there are.
  [[nodiscard]] bool wants(const FrameRecord& record, std::span<const std::byte> bytes) const;
  [[nodiscard]] std::uint32_t cut(std::size_t bytes) const;
};

class Tap {
 public:
  explicit Tap(CaptureSpec spec, std::size_t ring_bytes = limits::tap_ring_bytes);

  [[nodiscard]] const CaptureSpec& spec() const { return spec_; }

  // --- Data thread.
  // Keeps a frame of a selected port if it is wanted. `record.captured_bytes` is set here.
  void offer(FrameRecord record, std::span<const std::byte> bytes);
  // It is in place; frames with later stamps are offered to it.
  void begin(std::uint64_t unix_ns) { begun_unix_ns_.store(unix_ns, std::memory_order_release); }

  // --- Control thread.
  // The oldest record, which stays until pop(); nothing: there is none now.
  [[nodiscard]] std::optional<RecordView> next();
  void pop();
  [[nodiscard]] std::uint64_t lost() const { return lost_.get(); }  // ever, for lack of room
  [[nodiscard]] std::uint64_t begun_unix_ns() const {               // 0: not yet
    return begun_unix_ns_.load(std::memory_order_acquire);
  }

 private:
  const CaptureSpec spec_;
  MemoryRegion region_;
  RecordMemory memory_;
  Counter lost_;
  std::atomic<std::uint64_t> begun_unix_ns_{0};
  alignas(64) std::atomic<std::uint64_t> head_{0};  // the consumer's: what is before it was read
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // the producer's: what is before it can be read
  std::uint64_t head_seen_ = 0;                     // the producer's last look at it
};

}  // namespace lanyard
