// Reading and printing IPv4 addresses.
#include "frames/ipv4_address.h"

#include <charconv>

namespace lanyard {

namespace {

// A decimal number of at most `most`, without a leading zero, taken off the front of `text`.
[[nodiscard]] std::optional<unsigned> take_number(std::string_view& text, unsigned most) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || number > most || (digits > 1 && text.front() == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

}  // namespace

std::string to_string(Ipv4Address address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string(address.value() >> shift & 0xFF);
  }
  return text;
}

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (text.empty() || text.front() != '.') return std::nullopt;
      text.remove_prefix(1);
    }
    const auto number = take_number(text, 255);
    if (!number) return std::nullopt;
    value = value << 8 | *number;
  }
  if (!text.empty()) return std::nullopt;
  return Ipv4Address(value);
}

std::string to_string(const Ipv4Network& network) {
  return to_string(network.address).append("/").append(std::to_string(network.prefix));
}

std::optional<Ipv4Network> parse_ipv4_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ipv4(text.substr(0, slash));
  std::string_view rest = text.substr(slash + 1);
  const auto prefix = take_number(rest, 32);
  if (!address || !prefix || !rest.empty()) return std::nullopt;
  Ipv4Network network;
  network.prefix = static_cast<std::uint8_t>(*prefix);
  network.address = Ipv4Address(address->value() & network.mask().value());
  return network;
}

}  // namespace lanyard
