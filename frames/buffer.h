// Reference-counted frame memory. A FramePool cuts one region into buffers of equal size; the last used is taken
// first, so that a lightly used pool stays in the cache and touches few pages. One thread, no atomics.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "frames/check.h"

namespace lanyard {

class FramePool;

// One buffer: `size()` bytes at `memory()`. Alive while references remain; then it goes back to its pool.
class Buffer {
 public:
  [[nodiscard]] std::byte* memory() const { return memory_; }
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] FramePool& pool() const { return *pool_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }  // position in its pool
  [[nodiscard]] bool shared() const { return references_ > 1; }
  void add_reference() { ++references_; }
  inline void release();

 private:
  friend class FramePool;
  std::byte* memory_ = nullptr;
  FramePool* pool_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint32_t references_ = 0;
};

class FramePool {
 public:
  // `memory` outlives the pool; it is cut into as many buffers of `buffer_bytes` as fit. While no more than
  // `reserve` are free, under_pressure() is true.
  FramePool(std::span<std::byte> memory, std::size_t buffer_bytes, std::size_t reserve = 0);
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  // A buffer with one reference, or nullptr when none is free.
  [[nodiscard]] Buffer* take() {
    if (free_count_ == 0) return nullptr;
    Buffer& buffer = buffers_[free_[--free_count_]];
    buffer.references_ = 1;
    return &buffer;
  }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t free_count() const { return free_count_; }
  [[nodiscard]] std::size_t buffer_bytes() const { return buffer_bytes_; }
  [[nodiscard]] bool under_pressure() const { return free_count_ <= reserve_; }
  [[nodiscard]] Buffer& at(std::uint32_t index) {
    LANYARD_CHECK(index < capacity_);
    return buffers_[index];
  }

 private:
  friend class Buffer;
  void give_back(std::uint32_t index) { free_[free_count_++] = index; }

  std::size_t buffer_bytes_;
  std::size_t capacity_;
  std::size_t reserve_;
  std::size_t free_count_;
  std::unique_ptr<Buffer[]> buffers_;
  std::unique_ptr<std::uint32_t[]> free_;  // a stack: the last given back is taken first
};

inline std::size_t Buffer::size() const { return pool_->buffer_bytes(); }

inline void Buffer::release() {
  LANYARD_CHECK(references_ > 0);
  if (--references_ == 0) pool_->give_back(index_);
}

// One reference, held for a scope. Move-only; `reset` gives it back early.
class BufferRef {
 public:
  BufferRef() = default;
  // Takes over a reference that the caller already has.
  explicit BufferRef(Buffer* adopted) : buffer_(adopted) {}
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef&& other) noexcept {
    if (this != &other) {
      reset();
      buffer_ = std::exchange(other.buffer_, nullptr);
    }
    return *this;
  }
  ~BufferRef() { reset(); }

  void reset() {
    if (buffer_ != nullptr) std::exchange(buffer_, nullptr)->release();
  }
  // Hands the reference to the caller.
  [[nodiscard]] Buffer* release() { return std::exchange(buffer_, nullptr); }
  [[nodiscard]] Buffer* get() const { return buffer_; }
  Buffer* operator->() const { return buffer_; }
  explicit operator bool() const { return buffer_ != nullptr; }

 private:
  Buffer* buffer_ = nullptr;
};

}  // namespace lanyard
