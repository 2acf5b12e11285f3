// lanyard-gateway as a child of switchd: how it is started, and what its descriptors are. Control thread only.
//
// Both sides are one build. The channels: a stream of frames, and messages of one JSON document each: the configuration
// down; up {"ready": true} or {"error": TEXT, "errno": N} once, {"event": TEXT, "kind": NAME} at any time and, after
// each further configuration, {"applied": BOOL, "error": TEXT}. It is asked now and then whether it is well, and has to
// say so (gateway_ping). The gateway ends when either channel does. What it says is not trusted: it has met guests.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>

#include "switchd/child_process.h"
#include "switchd/gateway/gateway_config.h"
#include "transports/fd.h"
#include "transports/open_sockets.h"

namespace lanyard {

inline constexpr int gateway_stream_fd = 3;
inline constexpr int gateway_control_fd = 4;

inline constexpr const char* gateway_ping = R"({"ping":true})";

// Reports of these kinds are events of the same name (switchd/events.h); others are lines in the log.
inline constexpr std::array<std::string_view, 3> gateway_events{"name_moved", "address_in_use", "other_gateway"};
[[nodiscard]] constexpr bool is_gateway_event(std::string_view kind) {
  return std::ranges::find(gateway_events, kind) != gateway_events.end();
}

// What a gateway finds when it starts, as the next one will: told once for each port and text.
inline constexpr std::array<std::string_view, 4> reports_told_once{"lease folder", "lease lock", "leases left out",
                                                                   "dns"};
[[nodiscard]] constexpr bool is_told_once(std::string_view kind) {
  return std::ranges::find(reports_told_once, kind) != reports_told_once.end();
}

struct GatewayProcess {
  ChildProcess child;
  Fd stream;   // nonblocking
  Fd control;  // nonblocking, SOCK_SEQPACKET
};

// Starts the program that lies beside this one, and hands it the configuration. Does not wait for it.
[[nodiscard]] Opened<GatewayProcess> start_gateway(const GatewayConfig& config);

}  // namespace lanyard
