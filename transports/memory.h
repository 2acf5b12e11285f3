// A region of anonymous memory for frame buffers: address space now, pages when frames touch them. Not dumped into
// core files, since it holds the guests' traffic.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <span>

#include "frames/check.h"

namespace lanyard {

class MemoryRegion {
 public:
  explicit MemoryRegion(std::size_t bytes) : bytes_(bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    LANYARD_CHECK(memory != MAP_FAILED);
    ::madvise(memory, bytes, MADV_DONTDUMP);
    ::madvise(memory, bytes, MADV_NOHUGEPAGE);  // a touched byte must cost a page, not two megabytes
    memory_ = static_cast<std::byte*>(memory);
  }
  MemoryRegion(const MemoryRegion&) = delete;
  MemoryRegion& operator=(const MemoryRegion&) = delete;
  ~MemoryRegion() { ::munmap(memory_, bytes_); }
  [[nodiscard]] std::span<std::byte> span() const { return {memory_, bytes_}; }

 private:
  std::byte* memory_ = nullptr;
  std::size_t bytes_;
};

}  // namespace lanyard
