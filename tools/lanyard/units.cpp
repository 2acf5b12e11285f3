// Numbers for people; see the header.
#include "tools/lanyard/units.h"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "switchd/control/words.h"

namespace lanyard::cli {

namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;
constexpr std::uint64_t ms_per_s = 1000;
constexpr std::uint64_t ms_per_min = 60 * ms_per_s;
constexpr std::uint64_t ms_per_h = 60 * ms_per_min;
constexpr std::uint64_t ms_per_day = 24 * ms_per_h;
constexpr std::uint64_t duration_ms_max = 3653 * ms_per_day;

// Three significant digits in the largest unit that leaves something in front of the point. `units` begins with the one
// of `step`.
template <std::size_t count>
std::string scaled(double value, double step, const std::array<std::string_view, count>& units) {
  std::size_t unit = 0;
  value /= step;
  while (value >= step - step / 2000 && unit + 1 < count) {  // what would be rounded up to `step` is the next unit's
    value /= step;
    ++unit;
  }
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} {}", value, decimals, units[unit]);
}

struct ClockUnit {
  std::uint64_t ms;
  std::string_view name;
};

std::tm local_time(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / ns_per_s);
  std::tm time{};
  localtime_r(&seconds, &time);
  return time;
}

}  // namespace

std::string count_text(std::uint64_t count) {
  if (count < 10'000) return fmt::format("{}", count);
  constexpr std::array<std::string_view, 6> units = {"k", "M", "G", "T", "P", "E"};
  return scaled(static_cast<double>(count), 1000, units);
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array<std::string_view, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  return scaled(static_cast<double>(bytes), 1024, units);
}

std::string duration_text(std::uint64_t ms) {
  constexpr std::array<ClockUnit, 4> units = {{{ms_per_day, "d"}, {ms_per_h, "h"}, {ms_per_min, "min"}, {ms_per_s, "s"}}};
  if (ms < ms_per_s) return fmt::format("{} ms", ms);
  std::size_t first = 0;
  while (ms < units[first].ms) ++first;
  std::string text = fmt::format("{} {}", ms / units[first].ms, units[first].name);
  if (first + 1 == units.size()) return text;
  const ClockUnit second = units[first + 1];
  return fmt::format("{} {} {}", text, ms % units[first].ms / second.ms, second.name);
}

std::string date_text(std::uint64_t unix_ns) {
  const std::tm time = local_time(unix_ns);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", time.tm_year + 1900, time.tm_mon + 1, time.tm_mday,
                     time.tm_hour, time.tm_min, time.tm_sec);
}

std::string clock_text(std::uint64_t unix_ns) {
  const std::tm time = local_time(unix_ns);
  return fmt::format("{:02}:{:02}:{:02}.{:03}", time.tm_hour, time.tm_min, time.tm_sec,
                     unix_ns % ns_per_s / 1'000'000);
}

std::optional<std::uint64_t> parse_duration_ms(std::string_view text) {
  constexpr std::array<ClockUnit, 4> units = {{{1, "ms"}, {ms_per_s, "s"}, {ms_per_min, "m"}, {ms_per_h, "h"}}};
  const std::size_t digits = text.find_first_not_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  for (const ClockUnit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    const auto number = parse_number(text.substr(0, digits), 1, duration_ms_max / unit.ms);
    if (!number) return std::nullopt;
    return *number * unit.ms;
  }
  return std::nullopt;
}

}  // namespace lanyard::cli
