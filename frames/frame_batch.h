// The frames of one turn of the loop, in order of arrival: a fixed array that is filled, read and cleared. It never
// grows, and its pages are touched only as far as turns get busy.
#pragma once

#include <memory>
#include <span>

#include "frames/check.h"
#include "frames/frame.h"
#include "frames/limits.h"

namespace lanyard {

class FrameBatch {
  struct alignas(Frame) Storage {  // trivially constructible, so that a large batch touches no memory when made
    std::byte bytes[sizeof(Frame)];
  };

 public:
  // Appends to a batch, which it completes when it goes. In a loop it keeps in registers what FrameBatch::push would
  // load and store for each frame.
  class Writer {
   public:
    explicit Writer(FrameBatch& batch)
        : batch_(batch), at_(batch.frames_.get() + batch.size_), end_(batch.frames_.get() + batch.capacity_) {}
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { batch_.size_ = static_cast<std::size_t>(at_ - batch_.frames_.get()); }

    void push(const Frame& frame) {
      LANYARD_CHECK(at_ < end_);
      ::new (static_cast<void*>(at_++)) Frame(frame);
    }

   private:
    FrameBatch& batch_;
    Storage* at_;
    Storage* const end_;
  };

  explicit FrameBatch(std::size_t capacity = limits::batch_frames_max)
      : frames_(std::make_unique_for_overwrite<Storage[]>(capacity)), capacity_(capacity) {}

  void push(const Frame& frame) { Writer(*this).push(frame); }
  void clear() { size_ = 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t room() const { return capacity_ - size_; }
  [[nodiscard]] std::span<const Frame> frames() const {
    return {reinterpret_cast<const Frame*>(frames_.get()), size_};
  }

 private:
  std::unique_ptr<Storage[]> frames_;
  std::size_t capacity_;
  std::size_t size_ = 0;
};

}  // namespace lanyard
