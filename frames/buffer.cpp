// The set-up half of frame memory; the hot half is inline in the header.
#include "frames/buffer.h"

namespace lanyard {

FramePool::FramePool(std::span<std::byte> memory, std::size_t buffer_bytes, std::size_t reserve)
    : buffer_bytes_(buffer_bytes),
      capacity_(memory.size() / buffer_bytes),
      reserve_(reserve),
      free_count_(capacity_),
      buffers_(std::make_unique<Buffer[]>(capacity_)),
      free_(std::make_unique<std::uint32_t[]>(capacity_)) {
  LANYARD_CHECK(capacity_ > 0 && capacity_ <= 0xFFFFFFFFu);
  for (std::size_t i = 0; i < capacity_; ++i) {
    buffers_[i].memory_ = memory.data() + i * buffer_bytes_;
    buffers_[i].pool_ = this;
    buffers_[i].index_ = static_cast<std::uint32_t>(i);
    free_[i] = static_cast<std::uint32_t>(capacity_ - 1 - i);  // buffer 0 is taken first
  }
}

}  // namespace lanyard
