// The egress queue; see the header for the theory.
#include "frames/egress_queue.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "frames/bytes.h"

namespace lanyard {

using limits::length_header_bytes;

EgressQueue::EgressQueue(Wire wire, std::size_t frames_max, FramePool& copies)
    : wire_(wire),
      frames_max_(frames_max),
      copies_(&copies),
      mask_(std::bit_ceil(frames_max) - 1),
      segments_(std::make_unique_for_overwrite<Segment[]>(mask_ + 1)) {
  LANYARD_CHECK(frames_max > 0 && frames_max <= limits::queue_frames_max);
}

void EgressQueue::set_frames_max(std::size_t frames_max) {
  LANYARD_CHECK(frames_max > 0 && frames_max <= limits::queue_frames_max);
  frames_max_ = frames_max;
  if (frames_max <= mask_ + 1) return;
  const std::size_t count = segment_count();
  const std::size_t mask = std::bit_ceil(frames_max) - 1;
  auto segments = std::make_unique_for_overwrite<Segment[]>(mask + 1);
  for (std::size_t i = 0; i < count; ++i) segments[i] = segment(i);
  segments_ = std::move(segments);
  mask_ = mask;
  head_ = 0;
  tail_ = count;
}

bool EgressQueue::push(const Frame& frame) {
  const std::uint32_t header = wire_ == Wire::stream ? static_cast<std::uint32_t>(length_header_bytes) : 0;
  const std::uint32_t bytes = frame.bytes + header;
  if (frames_ >= frames_max_ || bytes_ + bytes > limits::queue_bytes_max) return false;
  if (!pin(frame, header) && !copy_out(frame, header)) return false;
  ++frames_;
  bytes_ += bytes;
  return true;
}

std::size_t EgressQueue::extend(std::span<const Frame> frames, std::size_t frame_bytes_max) {
  if (wire_ != Wire::stream || empty()) return 0;
  Segment& last = segments_[(tail_ - 1) & mask_];
  const std::byte* const begin = last.data + last.bytes;
  const std::byte* end = begin;
  const std::size_t room = limits::queue_bytes_max - bytes_;
  const std::size_t most = std::min(frames.size(), frames_max_ - frames_);
  std::size_t count = 0;
  for (; count < most; ++count) {
    const Frame& frame = frames[count];
    const bool adjacent = frame.owner == last.owner && frame.data == end + length_header_bytes && frame.length_header;
    if (!adjacent || frame.bytes > frame_bytes_max) break;
    const std::byte* next = frame.data + frame.bytes;
    if (static_cast<std::size_t>(next - begin) > room) break;
    end = next;
  }
  const auto bytes = static_cast<std::uint32_t>(end - begin);
  last.bytes += bytes;
  last.frames += static_cast<std::uint32_t>(count);
  frames_ += static_cast<std::uint32_t>(count);
  bytes_ += bytes;
  return count;
}

// What many frames share is looked at once: how much the queue may still keep, and whether a pool is under pressure,
// which does not change here, since nothing is taken from it.
std::size_t EgressQueue::pin_each(std::span<const Frame> frames, std::size_t frame_bytes_max) {
  if (frames.empty()) return 0;
  const bool stream = wire_ == Wire::stream;
  const auto header = static_cast<std::uint32_t>(stream ? length_header_bytes : 0);
  const FramePool& pool = frames.front().owner->pool();
  if (pool.under_pressure()) return 0;
  const std::size_t buffer_bytes = pool.buffer_bytes();
  const std::size_t most = std::min(frames.size(), frames_max_ - frames_);
  const Buffer* last_owner = empty() ? nullptr : segments_[(tail_ - 1) & mask_].owner;
  const std::byte* last_end = nullptr;
  std::size_t pinned = pinned_bytes_;
  std::size_t bytes = bytes_;
  std::size_t count = 0;
  for (; count < most; ++count) {
    const Frame& frame = frames[count];
    Buffer& owner = *frame.owner;
    const std::uint32_t segment_bytes = header + frame.bytes;
    std::byte* const data = frame.data - header;
    if (frame.bytes > frame_bytes_max || bytes + segment_bytes > limits::queue_bytes_max) break;
    if (stream && (frame.no_headroom || data == last_end)) break;
    if (&owner != last_owner) {
      if (&owner.pool() != &pool || pinned + buffer_bytes > limits::queue_pinned_bytes_max) break;
      pinned += buffer_bytes;
      last_owner = &owner;
    }
    if (stream && !frame.length_header) store_be32(data, frame.bytes);
    owner.add_reference();
    segments_[(tail_ + count) & mask_] = {&owner, data, segment_bytes, 1};
    bytes += segment_bytes;
    last_end = data + segment_bytes;
  }
  tail_ += count;
  frames_ += static_cast<std::uint32_t>(count);
  bytes_ = bytes;
  pinned_bytes_ = pinned;
  return count;
}

// Keeps the frame where it is, with its length in front of it where `header` bytes are wanted for that. False when
// there is no room in front of it, or when the queue holds too many buffers.
bool EgressQueue::pin(const Frame& frame, std::uint32_t header) {
  const bool stream = header > 0;
  if (stream && frame.no_headroom) return false;
  if (stream && !frame.length_header) store_be32(frame.data - length_header_bytes, frame.bytes);
  std::byte* data = frame.data - header;
  const std::uint32_t bytes = header + frame.bytes;
  if (extend_back(frame.owner, data, bytes)) return true;
  if (!may_pin(*frame.owner)) return false;
  frame.owner->add_reference();
  append(frame.owner, data, bytes);
  return true;
}

// A segment the kernel is sending may grow too, since what was sent is told in bytes.
bool EgressQueue::extend_back(const Buffer* owner, const std::byte* data, std::uint32_t bytes) {
  if (wire_ != Wire::stream || empty()) return false;
  Segment& last = segments_[(tail_ - 1) & mask_];
  if (last.owner != owner || last.data + last.bytes != data) return false;
  last.bytes += bytes;
  ++last.frames;
  return true;
}

// Whether the queue may keep a buffer from its pool for one more frame.
bool EgressQueue::may_pin(const Buffer& owner) const {
  if (empty()) return true;
  if (segments_[(tail_ - 1) & mask_].owner == &owner) return true;
  return pinned_bytes_ + owner.size() <= limits::queue_pinned_bytes_max && !owner.pool().under_pressure();
}

// Copies a frame behind those copied before, in a buffer of the queue's own, with its length header where `header`
// bytes are wanted for one.
bool EgressQueue::copy_out(const Frame& frame, std::uint32_t header) {
  const std::uint32_t bytes = header + frame.bytes;
  if (!spill_ || spill_used_ + bytes > spill_->size()) {
    if (copies_->under_pressure()) return false;
    spill_ = BufferRef(copies_->take());
    spill_used_ = 0;
  }
  std::byte* copy = spill_->memory() + spill_used_;
  if (header > 0) store_be32(copy, frame.bytes);
  std::memcpy(copy + header, frame.data, frame.bytes);
  if (!extend_back(spill_.get(), copy, bytes)) {
    spill_->add_reference();
    append(spill_.get(), copy, bytes);
  }
  spill_used_ += bytes;
  ++copied_out_;
  return true;
}

// Adds a segment of one frame; takes over one reference on `owner`.
void EgressQueue::append(Buffer* owner, std::byte* data, std::uint32_t bytes) {
  if (empty() || segments_[(tail_ - 1) & mask_].owner != owner) pinned_bytes_ += owner->size();
  segments_[tail_++ & mask_] = {owner, data, bytes, 1};
}

EgressQueue::Left EgressQueue::sent(std::size_t bytes) {
  LANYARD_CHECK(bytes <= bytes_);
  Left left;
  while (bytes > 0) {
    const std::size_t rest = segment(0).bytes - front_offset_;
    if (bytes < rest) {
      front_offset_ += bytes;
      bytes_ -= bytes;
      break;
    }
    bytes -= rest;
    const Left front = pop_front();
    left.frames += front.frames;
    left.bytes += front.bytes;
  }
  return left;
}

EgressQueue::Left EgressQueue::pop_front(std::size_t segments) {
  LANYARD_CHECK(segments <= segment_count());
  Left left;
  const std::size_t end = head_ + segments;
  for (std::size_t at = head_; at < end; ++at) {
    const Segment& segment = segments_[at & mask_];
    left.frames += segment.frames;
    left.bytes += segment.bytes;
    Buffer* const owner = segment.owner;
    if (at + 1 == tail_ || segments_[(at + 1) & mask_].owner != owner) pinned_bytes_ -= owner->size();
    owner->release();
  }
  head_ = end;
  frames_ -= left.frames;
  bytes_ -= left.bytes - front_offset_;
  if (segments > 0) front_offset_ = 0;
  if (empty()) {
    head_ = tail_ = 0;  // stay in the warm beginning of the ring
    spill_.reset();
  }
  if (wire_ == Wire::stream) left.bytes -= length_header_bytes * left.frames;
  return left;
}

EgressQueue::Left EgressQueue::clear() { return pop_front(segment_count()); }

}  // namespace lanyard
