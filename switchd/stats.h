// The daemon's statistics as one line of JSON, and in short for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "frames/mac_address.h"
#include "switchd/port_registry.h"

namespace lanyard {

struct StationStats {
  MacAddress station;
  std::string port;
  std::uint64_t age_s = 0;
};

struct NetworkStats {
  std::string name;
  std::string kind;
  std::vector<StationStats> macs;
};

struct Stats {
  std::string engine;
  std::vector<NetworkStats> networks;
};

// Ports and their counters as of now, with `stats`. One line, no line end.
[[nodiscard]] std::string stats_json(const Stats& stats, const PortRegistry& ports);

// For people, one line: frames, drops by reason, ports, since the start.
[[nodiscard]] std::string summary_text(const PortRegistry& ports);

}  // namespace lanyard
