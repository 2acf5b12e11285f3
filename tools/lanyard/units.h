// Numbers for people: "1.5 M", "1.5 MiB", "3 h 5 min", "09:30:00.250"; and durations as people type them. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lanyard::cli {

// Up to 9999 as it is, then three significant digits: "1234", "12.3 k", "1.50 M", "18.4 E".
[[nodiscard]] std::string count_text(std::uint64_t count);
// The same in powers of 1024: "1023 B", "1.50 MiB".
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
// "850 ms", "12 s", "5 min 3 s", "3 h 5 min", "12 d 3 h"
[[nodiscard]] std::string duration_text(std::uint64_t ms);
// Of a time since 1970: "2026-11-23 09:30:00", in the zone of this machine.
[[nodiscard]] std::string date_text(std::uint64_t unix_ns);
[[nodiscard]] std::string clock_text(std::uint64_t unix_ns);  // "09:30:00.250"

inline constexpr std::string_view duration_form = "a duration such as 500ms, 30s, 5m or 1h";
// In milliseconds. Nothing: it is none, or 0, or longer than ten years.
[[nodiscard]] std::optional<std::uint64_t> parse_duration_ms(std::string_view text);

}  // namespace lanyard::cli
