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

// REQUIRES: 2 readable (writable) bytes at `bytes`.
[[nodiscard]] inline std::uint16_t load_be16(const std::byte* bytes) {
  std::uint16_t value;
  __builtin_memcpy(&value, bytes, 2);
  return __builtin_bswap16(value);
}
inline void store_be16(std::byte* bytes, std::uint16_t value) {
  value = __builtin_bswap16(value);
  __builtin_memcpy(bytes, &value, 2);
}

}  // namespace lanyard
