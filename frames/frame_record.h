// Frames as they were observed, one behind the other in a ring of bytes: each a FrameRecord and as many of the frame's
// bytes as were captured. Taps (switchd/tap.h) and rewinds (switchd/rewind.h) both write this, so that one reader reads
// both.
//
// A record lies contiguous. One that does not fit in front of the end of the memory begins at its beginning, and a
// record of a frame of no bytes says so where it would have been. Positions only grow; a place is the position modulo
// the size of the memory. Whoever owns the ring says between which positions there are records.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "frames/check.h"
#include "frames/drop_reason.h"
#include "frames/limits.h"

namespace lanyard {

struct FrameRecord {
  enum class Direction : std::uint8_t { inbound, outbound };  // from the VM; towards it

  std::uint64_t unix_ns = 0;
  std::uint64_t port = 0;    // PortCounters::serial
  std::uint32_t owner = 0;   // Port::owner
  std::uint32_t original_bytes = 0;
  std::uint32_t captured_bytes = 0;
  std::uint16_t network = 0;
  Direction direction = Direction::inbound;
  std::uint8_t drop = no_drop;  // a DropReason, as a number

  static constexpr std::uint8_t no_drop = 0xFF;
};
static_assert(sizeof(FrameRecord) == 32 && drop_reason_count < FrameRecord::no_drop);
static_assert(limits::networks_max <= 0x10000);

struct RecordView {
  FrameRecord record;
  std::span<const std::byte> bytes;  // captured
};

class RecordMemory {
 public:
  // REQUIRES: memory aligned as a FrameRecord and of a multiple of its size, which outlives this; room for the longest
  // record wherever it begins, what is passed over in front of the end included.
  explicit RecordMemory(std::span<std::byte> memory) : memory_(memory) {
    LANYARD_CHECK(memory.size() % sizeof(FrameRecord) == 0);
    LANYARD_CHECK(memory.size() >= 2 * bytes_for(limits::frame_bytes_max));
  }
  [[nodiscard]] std::size_t size() const { return memory_.size(); }

  // From `position` to behind a record of so many captured bytes that is written there, the end of the memory where it
  // has to be passed over included.
  [[nodiscard]] std::size_t bytes_to_write(std::uint64_t position, std::size_t captured_bytes) const {
    return skipped(position, captured_bytes) + bytes_for(captured_bytes);
  }
  // Writes them. REQUIRES: nobody needs what is there.
  void write(std::uint64_t position, const FrameRecord& record, const std::byte* bytes) {
    if (const std::size_t end = skipped(position, record.captured_bytes); end > 0) {
      const FrameRecord nothing;
      std::memcpy(place(position), &nothing, sizeof nothing);
      position += end;
    }
    std::byte* to = place(position);
    std::memcpy(to, &record, sizeof record);
    std::memcpy(to + sizeof record, bytes, record.captured_bytes);
  }
  // REQUIRES: a record was written at `position`, or the end of the memory is passed over there.
  [[nodiscard]] bool is_end(std::uint64_t position) const { return record_at(position).original_bytes == 0; }
  [[nodiscard]] RecordView view(std::uint64_t position) const {
    const FrameRecord& record = record_at(position);
    return {record, {place(position) + sizeof record, record.captured_bytes}};
  }
  // From `position` to the next record.
  [[nodiscard]] std::size_t bytes_at(std::uint64_t position) const {
    return is_end(position) ? bytes_to_end(position) : bytes_for(record_at(position).captured_bytes);
  }

 private:
  // Whole multiples of the head's size: so that wherever a record ends, a head fits.
  [[nodiscard]] static constexpr std::size_t bytes_for(std::size_t captured_bytes) {
    return sizeof(FrameRecord) + (captured_bytes + sizeof(FrameRecord) - 1) / sizeof(FrameRecord) * sizeof(FrameRecord);
  }
  [[nodiscard]] std::size_t bytes_to_end(std::uint64_t position) const { return size() - position % size(); }
  [[nodiscard]] std::size_t skipped(std::uint64_t position, std::size_t captured_bytes) const {
    const std::size_t to_end = bytes_to_end(position);
    return to_end < bytes_for(captured_bytes) ? to_end : 0;
  }
  [[nodiscard]] std::byte* place(std::uint64_t position) const { return memory_.data() + position % size(); }
  [[nodiscard]] const FrameRecord& record_at(std::uint64_t position) const {
    return *reinterpret_cast<const FrameRecord*>(place(position));
  }

  std::span<std::byte> memory_;
};

}  // namespace lanyard
