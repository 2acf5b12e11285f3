// Why a frame or a copy of it was not delivered: one table, the same names in logs, statistics and documents. Every
// dropped frame has exactly one reason.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lanyard {

enum class DropReason : std::uint8_t {
  // at ingress
  runt,
  oversize,
  bad_length,
  no_buffer,
  unknown_source,
  echo,
  same_port,
  no_destination,
  reserved_mac,
  // at egress
  egress_full,
  mtu,
  send_error,
  port_down,
};
inline constexpr std::size_t drop_reason_count = static_cast<std::size_t>(DropReason::port_down) + 1;

enum class DropSide : std::uint8_t { ingress, egress };

struct DropReasonInfo {
  DropReason reason;
  DropSide side;
  std::string_view name;  // as in logs, JSON and documents
  std::string_view text;  // one sentence for people
};

inline constexpr std::array<DropReasonInfo, drop_reason_count> drop_reasons = {{
    {DropReason::runt, DropSide::ingress, "runt", "shorter than an Ethernet header (14 bytes)"},
    {DropReason::oversize, DropSide::ingress, "oversize", "longer than the port's max-frame"},
    {DropReason::bad_length, DropSide::ingress, "bad_length",
     "a stream announced a frame of 0 or more than 69632 bytes and was closed"},
    {DropReason::no_buffer, DropSide::ingress, "no_buffer", "no receive buffer was free"},
    {DropReason::unknown_source, DropSide::ingress, "unknown_source",
     "a datagram from a sender that is not allowed, or for whom there is no room"},
    {DropReason::echo, DropSide::ingress, "echo", "counted as echoed_frames, and no longer here"},
    {DropReason::same_port, DropSide::ingress, "same_port", "the destination is behind the port it came from"},
    {DropReason::no_destination, DropSide::ingress, "no_destination", "no other port is in the network"},
    {DropReason::reserved_mac, DropSide::ingress, "reserved_mac",
     "addressed to 01:80:C2:00:00:01-0F (stp=consume: 00, too), which bridges do not forward (IEEE 802.1Q)"},
    {DropReason::egress_full, DropSide::egress, "egress_full", "the port's queue was full"},
    {DropReason::mtu, DropSide::egress, "mtu", "the port cannot carry a frame this long"},
    {DropReason::send_error, DropSide::egress, "send_error", "the kernel refused the send"},
    {DropReason::port_down, DropSide::egress, "port_down", "the port went away before the frame was sent"},
}};

[[nodiscard]] constexpr const DropReasonInfo& info(DropReason reason) {
  return drop_reasons[static_cast<std::size_t>(reason)];
}

static_assert([] {
  for (std::size_t i = 0; i < drop_reason_count; ++i)
    if (static_cast<std::size_t>(drop_reasons[i].reason) != i) return false;
  return true;
}(), "the table is in the order of the enumeration");

}  // namespace lanyard
