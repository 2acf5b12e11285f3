// A 48-bit MAC address (IEEE 802-2014 clause 8) as a number, first byte most significant: compares and hashes as one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "frames/bytes.h"

namespace lanyard {

class MacAddress {
 public:
  constexpr MacAddress() = default;
  constexpr explicit MacAddress(std::uint64_t value) : value_(value & 0xFFFF'FFFF'FFFFULL) {}
  // REQUIRES: 6 readable bytes.
  [[nodiscard]] static MacAddress read(const std::byte* bytes) {
    return MacAddress(std::uint64_t{load_be32(bytes)} << 16 | load_be16(bytes + 4));
  }
  // REQUIRES: 6 writable bytes.
  void write(std::byte* bytes) const {
    store_be16(bytes, static_cast<std::uint16_t>(value_ >> 32));
    store_be32(bytes + 2, static_cast<std::uint32_t>(value_));
  }
  [[nodiscard]] constexpr std::uint64_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_group() const { return ((value_ >> 40) & 1) != 0; }  // multicast or broadcast
  // 01:80:C2:00:00:00-0F, not forwarded by bridges (IEEE 802.1Q-2018 table 8-1).
  [[nodiscard]] constexpr bool is_reserved() const { return (value_ >> 4) == 0x0180'C200'000ULL; }
  friend constexpr bool operator==(MacAddress, MacAddress) = default;

 private:
  std::uint64_t value_ = 0;
};

[[nodiscard]] std::string to_string(MacAddress address);  // "52:54:00:12:34:56"
[[nodiscard]] std::optional<MacAddress> parse_mac(std::string_view text);

}  // namespace lanyard
