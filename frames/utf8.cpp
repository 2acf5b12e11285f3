// UTF-8; see the header.
#include "frames/utf8.h"

#include <algorithm>

namespace lanyard {

std::size_t utf8_character_bytes(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t bytes = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (bytes == 0 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  const bool overlong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  const bool surrogate = first == 0xED && byte(1) >= 0xA0;
  const bool beyond = first == 0xF4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : bytes;
}

// Of what is no UTF-8, every byte is a place to cut; at most three bytes that follow another belong to one character.
std::string_view cut_text(std::string_view text, std::size_t bytes_max) {
  constexpr std::size_t following_bytes_max = 3;
  if (text.size() <= bytes_max) return text;
  for (std::size_t back = 0; back <= std::min(following_bytes_max, bytes_max); ++back) {
    const std::size_t start = bytes_max - back;
    if ((static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) continue;
    return text.substr(0, utf8_character_bytes(text.substr(start)) > back ? start : bytes_max);
  }
  return text.substr(0, bytes_max);
}

std::string as_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = utf8_character_bytes(text);
    if (bytes > 0) clean += text.substr(0, bytes);
    else clean += "\xEF\xBF\xBD";
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return clean;
}

std::optional<TextPlace> find_invalid_utf8(std::string_view text) {
  TextPlace place;
  while (!text.empty()) {
    const std::size_t bytes = utf8_character_bytes(text);
    if (bytes == 0) return place;
    place.column = text.front() == '\n' ? 1 : place.column + bytes;
    if (text.front() == '\n') ++place.line;
    text.remove_prefix(bytes);
  }
  return std::nullopt;
}

}  // namespace lanyard
