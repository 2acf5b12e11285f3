// What waits to leave by one port: segments of bytes in the buffers where they were received, each holding one
// reference. A switch drops and never waits: a full queue refuses the copy.
//
// Stream wire: the 4-byte length in front of a received frame is already the header that the peer needs, so frames
// that lie behind one another in one chunk leave as one segment, and one iovec entry (the fast case). A frame that
// came in a datagram gets its length written into the headroom of its slot.
// Datagram wire: one segment per frame.
//
// Pinning: a small frame that waits keeps a whole buffer from its pool. The buffers a queue may hold are bounded
// (queue_pinned_bytes_max, and none beyond one while the pool is under pressure); beyond that, frames are copied out
// into a buffer of the queue's own, one behind the other, and counted.
//
// Invariants: queued_frames() = frames pushed - frames sent - frames dropped by clear(). One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "frames/buffer.h"
#include "frames/drop_reason.h"
#include "frames/frame.h"
#include "frames/limits.h"

namespace lanyard {

enum class Wire : std::uint8_t { stream, datagram };

// A stretch of bytes that leaves as one iovec entry.
struct Segment {
  Buffer* owner;         // one reference held by the queue
  std::byte* data;       // stream wire: begins with a length header
  std::uint32_t bytes;
  std::uint32_t frames;  // whole frames in it
};

class EgressQueue {
 public:
  // `copies` gives the buffers that waiting frames are copied out to; outlives the queue.
  EgressQueue(Wire wire, std::size_t frames_max, FramePool& copies);
  EgressQueue(const EgressQueue&) = delete;
  EgressQueue& operator=(const EgressQueue&) = delete;
  ~EgressQueue() { clear(); }

  // Queues one copy. False: the queue is full, nothing was kept.
  [[nodiscard]] bool push(const Frame& frame);
  // Queues the frames at the front that lie right behind the last segment, without a gap: one segment grows, and
  // nothing else is done for each of them. Returns how many; stops at one of more than `frame_bytes_max` bytes, and
  // where the queue is full.
  [[nodiscard]] std::size_t extend(std::span<const Frame> frames, std::size_t frame_bytes_max);

  // Queues the frames at the front, each where it lies and as a segment of its own, with little done for each. Returns
  // how many; stops at one of more than `frame_bytes_max` bytes, and at one that push() or extend() treats otherwise.
  [[nodiscard]] std::size_t pin_each(std::span<const Frame> frames, std::size_t frame_bytes_max);

  // From now on so many frames may wait. What waits already stays, be it more.
  void set_frames_max(std::size_t frames_max);

  [[nodiscard]] bool empty() const { return head_ == tail_; }
  [[nodiscard]] std::size_t segment_count() const { return tail_ - head_; }
  [[nodiscard]] const Segment& segment(std::size_t i) const { return segments_[(head_ + i) & mask_]; }
  [[nodiscard]] std::uint32_t queued_frames() const { return frames_; }
  [[nodiscard]] std::size_t queued_bytes() const { return bytes_; }
  // Bytes of segment 0 that an earlier short write has already sent (stream wire).
  [[nodiscard]] std::size_t front_offset() const { return front_offset_; }

  struct Left {
    std::uint32_t frames = 0;
    std::uint64_t bytes = 0;  // of those frames, without length headers
  };
  // Stream wire: the peer took `bytes` more bytes. Returns what thereby left whole.
  Left sent(std::size_t bytes);
  // Takes the first segments off, sent or given up. REQUIRES: there are so many.
  Left pop_front(std::size_t segments = 1);
  // Drops everything. REQUIRES: the kernel is not reading any of it.
  Left clear();

  [[nodiscard]] std::uint64_t copied_out() const { return copied_out_; }  // frames, ever

 private:
  [[nodiscard]] bool may_pin(const Buffer& owner) const;
  [[nodiscard]] bool pin(const Frame& frame, std::uint32_t header);
  [[nodiscard]] bool copy_out(const Frame& frame, std::uint32_t header);
  [[nodiscard]] bool extend_back(const Buffer* owner, const std::byte* data, std::uint32_t bytes);
  void append(Buffer* owner, std::byte* data, std::uint32_t bytes);

  Wire wire_;
  std::size_t frames_max_;
  FramePool* copies_;
  std::size_t mask_;
  std::unique_ptr<Segment[]> segments_;  // a ring; head_ and tail_ only grow, and start over when it is empty
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::uint32_t frames_ = 0;
  std::size_t bytes_ = 0;
  std::size_t front_offset_ = 0;
  std::size_t pinned_bytes_ = 0;  // buffers held, counted once per run of segments in the same buffer
  BufferRef spill_;               // frames copied out go here
  std::size_t spill_used_ = 0;
  std::uint64_t copied_out_ = 0;
};

}  // namespace lanyard
