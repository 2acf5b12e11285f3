// Where guests may go. Apart from what the configuration says, some places are never reached through a gateway: the
// host's own loopback by its own addresses, "this host" (0.0.0.0), groups, and guests' addresses, which are reached
// directly. Pure; one thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/ndp.h"
#include "switchd/config.h"
#include "switchd/gateway/gateway_config.h"

namespace lanyard {

class OutboundPolicy {
 public:
  explicit OutboundPolicy(const GatewayConfig& config);

  enum class Decision : std::uint8_t {
    pass,
    dns,     // our DNS server: TCP to its port is for libslirp to bring to us, echo we answer, nothing else (it would
             // go outside)
    link,    // of this link: neighbour discovery is for us, nothing goes out (libslirp would let it)
    ignore,  // not for us
    refuse,  // the guest is told
  };
  [[nodiscard]] Decision decide(Ipv4Address to) const;
  [[nodiscard]] Decision decide(const Ipv6Bytes& to) const;

 private:
  [[nodiscard]] Decision by_list(bool v6, const std::byte* address) const;

  Ipv4Network network_;
  Ipv4Address router_;
  Ipv4Address dns_;
  std::optional<Ipv6Bytes> prefix6_;  // 8 bytes of it count
  Outbound outbound_;
  std::vector<Cidr> prefixes_;
};

}  // namespace lanyard
