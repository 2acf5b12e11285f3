// Ethernet frames for tests: addresses by number, a payload that tells one frame from another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "frames/bytes.h"

namespace lanyard::test {

inline std::string mac(unsigned n) {
  return {'\x52', '\x54', '\0', static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)};
}
inline const std::string broadcast(6, '\xff');

// A frame of `bytes` (at least 14), filled with a pattern that depends on `tag`.
inline std::string frame(const std::string& to, const std::string& from, std::size_t bytes = 60, unsigned tag = 0) {
  std::string made = to + from + std::string("\x88\xb5", 2);  // IEEE 802 local experimental EtherType
  for (std::size_t i = made.size(); i < bytes; ++i) made.push_back(static_cast<char>(tag + i * 7));
  if (bytes >= 18) {
    std::byte number[4];
    store_be32(number, tag);
    made.replace(14, 4, reinterpret_cast<const char*>(number), 4);
  }
  return made;
}

// The frame as a stream carries it.
inline std::string on_stream(const std::string& frame) {
  std::byte header[4];
  store_be32(header, static_cast<std::uint32_t>(frame.size()));
  return std::string(reinterpret_cast<const char*>(header), 4) + frame;
}

}  // namespace lanyard::test
