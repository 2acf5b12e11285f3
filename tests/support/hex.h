// Bytes as people write them, in pairs of hexadecimal digits with spaces wherever they help.
#pragma once

#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lanyard {

inline std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits.push_back(c);
  REQUIRE(digits.size() % 2 == 0);
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(at, 2), nullptr, 16)));
  return bytes;
}

}  // namespace lanyard
