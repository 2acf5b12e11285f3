// Connections that are begun; see the header.
#include "switchd/gateway/dns_handshakes.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/tcp_packet.h"

namespace lanyard {

bool DnsHandshakes::may_pass(std::uint32_t address, std::span<const std::byte> segment, MacAddress guest,
                             std::uint64_t now_s) {
  if (segment.size() < tcp_header_bytes_min) return true;  // libslirp has no use for it
  const auto known = begun_.find({address, load_be16(&segment[0])});
  if (!opens_connection(segment)) {
    const bool acknowledges = (segment[13] & tcp_ack) == tcp_ack;
    if (known != begun_.end() && acknowledges && known->second.expected == load_be32(&segment[8])) begun_.erase(known);
    return true;
  }
  if (known != begun_.end()) return true;  // sent again
  std::erase_if(begun_, [now_s](const auto& one) { return now_s - one.second.since_s > seconds_max; });
  const auto of_guest = std::count_if(begun_.begin(), begun_.end(),
                                      [guest](const auto& one) { return one.second.guest == guest; });
  if (begun_.size() >= handshakes_max || static_cast<std::size_t>(of_guest) >= handshakes_of_guest_max) return false;
  begun_[{address, load_be16(&segment[0])}] = {guest, now_s};
  return true;
}

void DnsHandshakes::answered(std::uint32_t address, std::span<const std::byte> segment) {
  constexpr std::byte both = tcp_syn | tcp_ack;
  if (segment.size() < tcp_header_bytes_min || (segment[13] & both) != both) return;
  if (const auto known = begun_.find({address, load_be16(&segment[2])}); known != begun_.end())
    known->second.expected = load_be32(&segment[4]) + 1;
}

}  // namespace lanyard
