// Numbers in network byte order, at any alignment.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard {

// REQUIRES: 4 readable (writable) bytes at `bytes`.
[[nodiscard]] inline std::uint32_t load_be32(const std::byte* bytes) {
  std::uint32_t value;
  __builtin_memcpy(&value, bytes, 4);
  return __builtin_bswap32(value);
}
inline void store_be32(std::byte* bytes, std::uint32_t value) {
  value = __builtin_bswap32(value);
  __builtin_memcpy(bytes, &value, 4);
}

}  // namespace lanyard
