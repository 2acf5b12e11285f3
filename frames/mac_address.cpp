// MAC addresses as text, for people and configuration: six pairs of hexadecimal digits (IEEE 802-2014, 8.1).
// Written with colons in lower case; read in either case, with colons or with the standard's own hyphens, but
// not mixed.
#include "frames/mac_address.h"

namespace lanyard {
namespace {

constexpr std::size_t text_bytes = 17;  // "52:54:00:12:34:56"

// The value of a hexadecimal digit, or -1. By hand, because the library's functions depend on the locale.
int digit(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'a' && character <= 'f') return character - 'a' + 10;
  if (character >= 'A' && character <= 'F') return character - 'A' + 10;
  return -1;
}

}  // namespace

std::string to_string(MacAddress address) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text(text_bytes, ':');
  for (std::size_t byte = 0; byte < 6; ++byte) {
    const std::uint64_t value = address.value() >> (40 - 8 * byte);
    text[3 * byte] = digits[(value >> 4) & 15];
    text[3 * byte + 1] = digits[value & 15];
  }
  return text;
}

std::optional<MacAddress> parse_mac(std::string_view text) {
  if (text.size() != text_bytes) return std::nullopt;
  const char separator = text[2];
  if (separator != ':' && separator != '-') return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t byte = 0; byte < 6; ++byte) {
    const int high = digit(text[3 * byte]);
    const int low = digit(text[3 * byte + 1]);
    if (high < 0 || low < 0 || (byte < 5 && text[3 * byte + 2] != separator)) return std::nullopt;
    value = (value << 8) | static_cast<std::uint64_t>(high * 16 + low);
  }
  return MacAddress(value);
}

}  // namespace lanyard
