// An IPv4 address as a number, and a network of them (CIDR, RFC 4632).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard {

class Ipv4Address {
 public:
  constexpr Ipv4Address() = default;
  constexpr explicit Ipv4Address(std::uint32_t value) : value_(value) {}  // 10.0.2.15 is 0x0A00020F
  [[nodiscard]] constexpr std::uint32_t value() const { return value_; }
  [[nodiscard]] constexpr bool is_unspecified() const { return value_ == 0; }  // 0.0.0.0, "none"
  [[nodiscard]] constexpr bool is_multicast() const { return value_ >> 28 == 0xE; }
  [[nodiscard]] constexpr bool is_broadcast() const { return value_ == 0xFFFF'FFFFu; }
  // One that a packet may come from or go to beyond this host: neither 0/8, loopback, a group, class E nor broadcast.
  [[nodiscard]] constexpr bool is_single_host() const {
    const std::uint32_t first = value_ >> 24;
    return first != 0 && first != 127 && first < 224;
  }
  friend constexpr auto operator<=>(Ipv4Address, Ipv4Address) = default;

 private:
  std::uint32_t value_ = 0;
};

[[nodiscard]] std::string to_string(Ipv4Address address);  // "10.0.2.15"
// Four decimal numbers without leading zeros, as inet_pton(3) takes them.
[[nodiscard]] std::optional<Ipv4Address> parse_ipv4(std::string_view text);

struct Ipv4Network {
  Ipv4Address address;      // its first: no bits set behind the prefix
  std::uint8_t prefix = 0;  // 0 to 32

  [[nodiscard]] constexpr Ipv4Address mask() const {
    return Ipv4Address(prefix == 0 ? 0 : 0xFFFF'FFFFu << (32 - prefix));
  }
  [[nodiscard]] constexpr bool contains(Ipv4Address other) const {
    return (other.value() & mask().value()) == address.value();
  }
  [[nodiscard]] constexpr Ipv4Address broadcast() const { return Ipv4Address(address.value() | ~mask().value()); }
  friend constexpr bool operator==(const Ipv4Network&, const Ipv4Network&) = default;
};

[[nodiscard]] std::string to_string(const Ipv4Network& network);  // "10.0.2.0/24"
// ADDRESS/PREFIX; bits behind the prefix are cleared.
[[nodiscard]] std::optional<Ipv4Network> parse_ipv4_network(std::string_view text);

}  // namespace lanyard
