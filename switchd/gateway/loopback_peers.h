// Programs on the host that reach guests by a UDP forward from the host's own loopback. Guests see them as the router, and
// answer to that; but what guests send to the router is to them the host's loopback, which libslirp keeps closed (unless
// host-loopback opens it), and with it their answers. So whoever came in is remembered here, and answers to those, and
// nothing else, are let through. As bounded as libslirp's own memory of UDP: what was silent for that long is forgotten,
// and of too many the one that was silent longest. Pure; one thread.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>

#include "frames/ipv4_address.h"

namespace lanyard {

// A guest's end of such a flow, and the port of the other.
struct LoopbackFlow {
  std::uint32_t guest = 0;  // its address
  std::uint16_t guest_port = 0;
  std::uint16_t peer_port = 0;
  friend auto operator<=>(const LoopbackFlow&, const LoopbackFlow&) = default;
};

class LoopbackPeers {
 public:
  static constexpr std::size_t flows_max = 4096;
  static constexpr std::uint64_t silent_s_max = 240;  // SO_EXPIRE of libslirp (socket.h)

  void came_in(const LoopbackFlow& flow, std::uint64_t now_s) {
    if (heard_s_.size() == flows_max && !heard_s_.contains(flow))
      heard_s_.erase(std::min_element(heard_s_.begin(), heard_s_.end(),
                                      [](const auto& a, const auto& b) { return a.second < b.second; }));
    heard_s_[flow] = now_s;
  }
  [[nodiscard]] bool may_answer(const LoopbackFlow& flow, std::uint64_t now_s) {
    const auto known = heard_s_.find(flow);
    if (known == heard_s_.end()) return false;
    if (now_s - known->second <= silent_s_max) return true;
    heard_s_.erase(known);
    return false;
  }

  // No forward leads to this port of a guest any more.
  void forget(std::uint16_t guest_port) {
    std::erase_if(heard_s_, [&](const auto& known) { return known.first.guest_port == guest_port; });
  }

 private:
  std::map<LoopbackFlow, std::uint64_t> heard_s_;
};

}  // namespace lanyard
