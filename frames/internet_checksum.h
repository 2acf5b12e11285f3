// The Internet checksum (RFC 1071): the sum of 16-bit words in ones' complement, and its complement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "frames/bytes.h"

namespace lanyard {

// Of `bytes`, going on from `sum`, which is not folded yet.
[[nodiscard]] inline std::uint64_t checksum_add(std::uint64_t sum, std::span<const std::byte> bytes) {
  while (bytes.size() >= 2) {
    sum += load_be16(bytes.data());
    bytes = bytes.subspan(2);
  }
  if (!bytes.empty()) sum += std::to_integer<std::uint64_t>(bytes[0]) << 8;
  return sum;
}

[[nodiscard]] inline std::uint16_t checksum_finish(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace lanyard
