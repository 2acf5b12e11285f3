// `status` for people; see the header.
#include "tools/lanyard/status_text.h"

#include <fmt/format.h>

#include <numeric>

#include "switchd/control/words.h"
#include "tools/lanyard/units.h"

namespace lanyard::cli {

namespace {

constexpr std::size_t label_width = 10;
constexpr std::uint64_t us_per_ms = 1000;

std::string loop_text(const v1::Loop& loop) {
  if (loop.turns() == 0) return "no turn yet";
  const auto per_turn = [&](std::uint64_t count) { return static_cast<double>(count) / static_cast<double>(loop.turns()); };
  return fmt::format("{} turns, {} frames ({:.1f} a turn), {} system calls ({:.1f} a turn)", count_text(loop.turns()),
                     count_text(loop.frames()), per_turn(loop.frames()), count_text(loop.syscalls()),
                     per_turn(loop.syscalls()));
}

std::string short_time(std::uint64_t us) {
  return us < us_per_ms ? fmt::format("{} us", us) : fmt::format("{:.1f} ms", static_cast<double>(us) / us_per_ms);
}

std::string turn_time_text(const v1::Loop& loop) {
  return fmt::format("half below {}, 99 % below {}, 99.9 % below {}", short_time(turn_us_below(loop, 0.5)),
                     short_time(turn_us_below(loop, 0.99)), short_time(turn_us_below(loop, 0.999)));
}

std::string pool_text(const v1::Pool& pool) {
  const double share = pool.capacity() == 0 ? 0 : static_cast<double>(pool.used()) / static_cast<double>(pool.capacity());
  return fmt::format("{} of {} used ({:.0f} %)", pool.used(), pool.capacity(), share * 100);
}

}  // namespace

std::string status_text(const v1::Status& status, Style style) {
  std::string text = fmt::format("switchd {}, process {}, {}, up {} (since {})\n", printable(status.version()), status.pid(),
                                 printable(status.engine()), duration_text(status.uptime_ms()),
                                 date_text(status.started_unix_ns()));
  const auto add = [&](std::string_view label, const std::string& value) {
    text += painted(fmt::format("{:<{}}", label, label_width), Colour::bold, style) + value + "\n";
  };
  for (const std::string& control : status.control()) add("control", printable(control));
  add("networks", fmt::format("{}", status.networks()));
  add("ports", fmt::format("{}, {} up", status.ports(), status.ports_up()));
  add("loop", loop_text(status.loop()));
  if (status.loop().turns() > 0) add("turns", turn_time_text(status.loop()));
  add("chunks", pool_text(status.chunks()));
  add("slots", pool_text(status.slots()));
  add("memory", bytes_text(status.resident_bytes()));
  return text;
}

std::uint64_t turn_us_below(const v1::Loop& loop, double share) {
  const auto& buckets = loop.turn_time();
  const std::uint64_t all = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
  if (all == 0) return 0;
  std::uint64_t counted = 0;
  int bucket = 0;
  for (; bucket < buckets.size(); ++bucket) {
    counted += buckets[bucket];
    if (static_cast<double>(counted) >= share * static_cast<double>(all)) break;
  }
  return std::uint64_t{1} << bucket;
}

}  // namespace lanyard::cli
