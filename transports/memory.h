// A region of anonymous memory for frame buffers: address space now, pages when frames touch them. Not dumped into
// core files, since it holds the guests' traffic.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>

#include "frames/limits.h"

namespace lanyard {

class MemoryRegion {
 public:
  // Throws std::system_error when a limit forbids it.
  explicit MemoryRegion(std::size_t bytes) : bytes_(bytes) {
    void* memory =
        ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
      throw std::system_error(errno, std::generic_category(),
                              std::to_string(bytes / limits::mebi) + " MiB of address space for frames");
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
