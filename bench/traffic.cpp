// Making and recognising the frames of the load; see traffic.h.
#include "bench/traffic.h"

#include <charconv>
#include <numeric>

#include "frames/bytes.h"
#include "frames/limits.h"

namespace lanyard::bench {

namespace {

constexpr std::size_t ether_type_offset = 12;
constexpr std::size_t kind_offset = 14;
constexpr std::uint16_t ether_type = 0x88B5;

void fill_frame(std::span<std::byte> frame, const Route& route, FrameKind kind) {
  route.to.write(&frame[0]);
  route.from.write(&frame[6]);
  store_be16(&frame[ether_type_offset], ether_type);
  frame[kind_offset] = static_cast<std::byte>(kind);
  for (std::size_t i = kind_offset + 1; i < frame.size(); ++i) frame[i] = static_cast<std::byte>(i & 0xFF);
}

// `sizes` repeats until there are `count` frames, beginning with the one at `first`.
Burst make_burst(const Route& route, FrameKind kind, std::span<const std::size_t> sizes, std::size_t first,
                 std::size_t count) {
  Burst burst;
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i)
    total += limits::length_header_bytes + sizes[(first + i) % sizes.size()];
  burst.wire.resize(total);
  std::span<std::byte> rest = burst.wire;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t bytes = sizes[(first + i) % sizes.size()];
    store_be32(rest.data(), static_cast<std::uint32_t>(bytes));
    const std::span<std::byte> frame = rest.subspan(limits::length_header_bytes, bytes);
    fill_frame(frame, route, kind);
    burst.frames.push_back(frame);
    rest = rest.subspan(limits::length_header_bytes + bytes);
  }
  return burst;
}

}  // namespace

std::optional<std::vector<std::size_t>> parse_mix(std::string_view text) {
  if (text == "imix") return std::vector<std::size_t>{64, 594, 64, 64, 594, 64, 1514, 64, 594, 64, 594, 64};
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (bytes < traffic_frame_bytes_min || bytes > limits::frame_bytes_max) return std::nullopt;
  return std::vector<std::size_t>{bytes};
}

std::vector<Burst> make_bursts(const Route& route, std::span<const std::size_t> mix,
                               std::size_t frames_per_burst) {
  std::vector<Burst> bursts;
  const std::size_t frames = std::lcm(mix.size(), frames_per_burst);
  for (std::size_t first = 0; first < frames; first += frames_per_burst)
    bursts.push_back(make_burst(route, FrameKind::measured, mix, first, frames_per_burst));
  return bursts;
}

Burst make_greeting(const Route& route) {
  constexpr std::size_t bytes = greeting_bytes;
  return make_burst(route, FrameKind::greeting, {&bytes, 1}, 0, 1);
}

void count_frame(std::span<const std::byte> frame, MacAddress station, Tally& tally) {
  const MacAddress to = MacAddress::read(frame.data());
  const bool ours = frame.size() >= traffic_frame_bytes_min && (to == station || to == everybody) &&
                    load_be16(&frame[ether_type_offset]) == ether_type;
  if (!ours) {
    ++tally.strays;
  } else if (frame[kind_offset] == static_cast<std::byte>(FrameKind::greeting)) {
    ++tally.greetings;
  } else {
    ++tally.frames;
    tally.bytes += frame.size();
  }
}

}  // namespace lanyard::bench
