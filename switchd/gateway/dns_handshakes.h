// Guests' connections to the DNS server that are begun and not established. libslirp has 256 KiB for each, for as long
// as 75 s (TCPTV_KEEP_INIT, tcp_timer.h), and opens its descriptor, by which others are bounded, only when it is
// established; so these are counted here: by the segments that go to libslirp and come from it, of which only one that
// acknowledges what libslirp sent establishes a connection.
//
// Bounded: together, and of one guest; what would be one more is dropped, and the guest sends it again. `now_s` is
// monotonic. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "frames/mac_address.h"

namespace lanyard {

class DnsHandshakes {
 public:
  static constexpr std::size_t handshakes_max = 1024;
  static constexpr std::size_t handshakes_of_guest_max = 512;  // a burst of honest ones is no more
  static constexpr std::uint64_t seconds_max = 80;  // libslirp has given up by then

  // A segment of `guest` for libslirp, behind an IPv4 header; false: it would be one connection too many.
  [[nodiscard]] bool may_pass(std::uint32_t address, std::span<const std::byte> segment, MacAddress guest,
                              std::uint64_t now_s);
  // A segment of the DNS server's, from libslirp.
  void answered(std::uint32_t address, std::span<const std::byte> segment);

  [[nodiscard]] std::size_t size() const { return begun_.size(); }

 private:
  using Key = std::pair<std::uint32_t, std::uint16_t>;  // the guest's address and port
  struct Begun {
    MacAddress guest;
    std::uint64_t since_s = 0;
    std::optional<std::uint32_t> expected{};  // what the guest acknowledges that has heard from libslirp
  };

  std::map<Key, Begun> begun_;
};

}  // namespace lanyard
