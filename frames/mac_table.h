// Which port a station was last heard on. (Contract; the implementation documents its own theory.)
#pragma once

#include <cstddef>
#include <cstdint>

#include "frames/frame.h"
#include "frames/limits.h"
#include "frames/mac_address.h"

namespace lanyard {

class MacTable {
 public:
  struct Options {
    std::size_t capacity = limits::macs_default;  // stations at most
    std::uint64_t ageing_ns = limits::mac_ageing_ns_default;
    std::uint64_t seed = 0;  // of the hash, so that nobody outside can aim at one bucket
  };
  explicit MacTable(const Options& options);
  // Learns or refreshes; true when the station was known on another port (it moved).
  bool learn(MacAddress station, PortIndex port, std::uint64_t now_ns);
  // The port, or no_port when unknown or aged.
  [[nodiscard]] PortIndex look_up(MacAddress station, std::uint64_t now_ns) const;
  // Forgets everything learned on `port`; work proportional to what it had.
  void forget_port(PortIndex port);
  void age(std::uint64_t now_ns);
  [[nodiscard]] std::size_t size() const;
};

}  // namespace lanyard
