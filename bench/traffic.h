// What the load sends: real Ethernet frames between two stations, in bursts made once and sent again and
// again, so that the generator costs little more than its system calls.
//
// A frame carries the EtherType for local experiments (IEEE 802-2014, 9.2.3), then one byte that tells
// measured frames from the greetings by which the switch learns where the stations are. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "frames/mac_address.h"

namespace lanyard::bench {

enum class FrameKind : std::uint8_t { greeting = 1, measured = 2 };

inline constexpr std::size_t traffic_frame_bytes_min = 60;  // what an Ethernet carries without padding
inline constexpr std::size_t greeting_bytes = traffic_frame_bytes_min;

// The sizes of frames in the order sent, over and over: "imix" is 7 of 64, 4 of 594 and 1 of 1514 bytes, well
// mixed; a number is that size alone. None when it is neither.
[[nodiscard]] std::optional<std::vector<std::size_t>> parse_mix(std::string_view text);

// The stations of a flow. The first byte marks a locally administered unicast address.
[[nodiscard]] constexpr MacAddress station_mac(std::uint32_t number) {
  return MacAddress(0x02'4C'00'00'00'00ULL | number);
}

inline constexpr MacAddress everybody{0xFFFF'FFFF'FFFFULL};

struct Route {
  MacAddress from;
  MacAddress to;
};

// Frames that are written together: one after the other as a stream carries them, each after its length, and
// as views of each alone. Can only be moved: the views of a copy would be of the original.
struct Burst {
  Burst() = default;
  Burst(Burst&&) = default;
  Burst& operator=(Burst&&) = default;

  std::vector<std::byte> wire;
  std::vector<std::span<std::byte>> frames;
};

// The fewest bursts of `frames_per_burst` after which the mix begins anew.
[[nodiscard]] std::vector<Burst> make_bursts(const Route& route, std::span<const std::size_t> mix,
                                             std::size_t frames_per_burst);
[[nodiscard]] Burst make_greeting(const Route& route);

// What arrived at a station.
struct Tally {
  std::uint64_t frames = 0;  // measured ones for this station or for everybody
  std::uint64_t bytes = 0;   // of those frames
  std::uint64_t greetings = 0;
  std::uint64_t strays = 0;  // for others (flooded), or not ours
};

// REQUIRES: at least traffic_frame_bytes_min readable bytes in `frame`; shorter ones are strays.
void count_frame(std::span<const std::byte> frame, MacAddress station, Tally& tally);

}  // namespace lanyard::bench
