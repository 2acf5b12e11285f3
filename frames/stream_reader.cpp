// Stream framing; see the header for the theory.
#include "frames/stream_reader.h"

#include <algorithm>
#include <cstring>

#include "frames/bytes.h"

namespace lanyard {

namespace {

using limits::chunk_headroom_bytes;
using limits::chunk_receive_bytes;
using limits::frame_bytes_max;
using limits::frame_bytes_min;
using limits::length_header_bytes;

// A head this short is copied to the base of a chunk that is free for reuse: staying in warm memory is worth more.
constexpr std::size_t short_head_bytes = 4096;

[[nodiscard]] bool breaks_framing(std::uint32_t length) { return length == 0 || length > frame_bytes_max; }

}  // namespace

StreamReader::Window StreamReader::window(FramePool& chunks, std::span<std::byte> scratch) {
  heads_copied_ = 0;
  if (discarding_) {
    Buffer* chunk = skip_bytes_ == 0 ? chunks.take() : nullptr;
    if (chunk == nullptr) {
      scratch_ = scratch.data();
      return {scratch.data(), scratch.size()};
    }
    stop_discarding(chunk);
    return room_in_chunk();
  }
  if (chunk_ && !chunk_->shared()) {
    rewind_to_base();
    return room_in_chunk();
  }
  const bool in_place = chunk_ && partial_bytes() > 0 && room_in_chunk().bytes >= chunk_receive_bytes / 2;
  if (in_place || move_to(chunks.take())) return room_in_chunk();
  if (chunk_ && room_in_chunk().bytes >= chunk_headroom_bytes) return room_in_chunk();
  start_discarding();
  scratch_ = scratch.data();
  return {scratch.data(), scratch.size()};
}

StreamReader::Result StreamReader::received(std::size_t bytes, PortIndex ingress, FrameBatch& batch) {
  if (discarding_) return discard(bytes);
  Result result;
  result.heads_copied = heads_copied_;
  end_ += bytes;
  std::byte* at = begin_;
  const std::byte* const end = end_;
  Buffer* const chunk = chunk_.get();
  const std::size_t longest = max_frame_bytes_;
  std::uint32_t lengths = 0;
  FrameBatch::Writer writer(batch);
  while (static_cast<std::size_t>(end - at) >= length_header_bytes) {
    const std::uint32_t length = load_be32(at);
    const bool takes_part = length - frame_bytes_min <= longest - frame_bytes_min;  // wraps below the minimum
    if (!takes_part && breaks_framing(length)) [[unlikely]] {
      result.bad_length = true;
      break;
    }
    std::byte* next = at + length_header_bytes + length;
    if (next > end) break;
    if (takes_part) [[likely]] writer.push({at + length_header_bytes, chunk, length, ingress, true});
    else ++(length < frame_bytes_min ? result.runts : result.oversize);
    ++lengths;
    at = next;
  }
  result.frames = lengths - result.runts - result.oversize;
  result.bytes = static_cast<std::size_t>(at - begin_) - lengths * length_header_bytes;
  begin_ = at;
  return result;
}

void StreamReader::reset() {
  chunk_.reset();
  begin_ = end_ = nullptr;
  discarding_ = false;
  skip_bytes_ = header_bytes_ = 0;
}

// The chunk is ours alone: use its warm beginning again, unless a long head would have to move and there is room.
void StreamReader::rewind_to_base() {
  std::byte* base = chunk_->memory() + chunk_headroom_bytes;
  const std::size_t partial = partial_bytes();
  if (partial > short_head_bytes && room_in_chunk().bytes >= chunk_headroom_bytes) return;
  if (end_ == base) return;
  if (partial > 0) {
    std::memmove(base - partial, begin_, partial);
    ++heads_copied_;
  }
  begin_ = base - partial;
  end_ = base;
}

// Goes on in `chunk` (adopted), with the head of the cut frame in front of its base. False when it is null.
bool StreamReader::move_to(Buffer* chunk) {
  if (chunk == nullptr) return false;
  std::byte* base = chunk->memory() + chunk_headroom_bytes;
  const std::size_t partial = partial_bytes();
  if (partial > 0) {
    std::memcpy(base - partial, begin_, partial);
    ++heads_copied_;
  }
  chunk_ = BufferRef(chunk);
  begin_ = base - partial;
  end_ = base;
  return true;
}

StreamReader::Window StreamReader::room_in_chunk() const {
  const std::byte* limit = chunk_->memory() + chunk_->size();
  return {end_, std::min(static_cast<std::size_t>(limit - end_), chunk_receive_bytes)};
}

void StreamReader::start_discarding() {
  const std::size_t partial = partial_bytes();
  header_bytes_ = skip_bytes_ = 0;
  if (partial >= length_header_bytes) {
    const std::uint32_t length = load_be32(begin_);  // received() has seen that it is sound
    skip_bytes_ = length_header_bytes + length - partial;
    skip_length_ = length;
  } else if (partial > 0) {
    std::memcpy(header_.data(), begin_, partial);
    header_bytes_ = partial;
  }
  chunk_.reset();
  begin_ = end_ = nullptr;
  discarding_ = true;
}

void StreamReader::stop_discarding(Buffer* chunk) {
  chunk_ = BufferRef(chunk);
  end_ = chunk->memory() + chunk_headroom_bytes;
  begin_ = end_ - header_bytes_;
  if (header_bytes_ > 0) std::memcpy(begin_, header_.data(), header_bytes_);
  header_bytes_ = 0;
  discarding_ = false;
}

// Keeps count of frames in bytes that were read into scratch.
StreamReader::Result StreamReader::discard(std::size_t bytes) {
  Result result;
  const std::byte* at = scratch_;
  const std::byte* end = scratch_ + bytes;
  while (at < end) {
    if (skip_bytes_ > 0) {
      const std::size_t skipped = std::min(skip_bytes_, static_cast<std::size_t>(end - at));
      at += skipped;
      skip_bytes_ -= skipped;
      if (skip_bytes_ == 0) count_discarded(skip_length_, result);
      continue;
    }
    header_[header_bytes_++] = *at++;
    if (header_bytes_ < length_header_bytes) continue;
    const std::uint32_t length = load_be32(header_.data());
    header_bytes_ = 0;
    if (breaks_framing(length)) {
      result.bad_length = true;
      return result;
    }
    skip_bytes_ = skip_length_ = length;
  }
  return result;
}

// Books a frame for what it is; memory is the reason only where there is no other.
void StreamReader::count_discarded(std::uint32_t length, Result& result) const {
  result.bytes += length;
  if (length < frame_bytes_min) ++result.runts;
  else if (length > max_frame_bytes_) ++result.oversize;
  else ++result.discarded;
}

}  // namespace lanyard
