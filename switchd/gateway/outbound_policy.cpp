// Where guests may go; see the header.
#include "switchd/gateway/outbound_policy.h"

#include <algorithm>

#include "frames/bytes.h"

namespace lanyard {

namespace {

// 64:ff9b::/96: IPv4 addresses for a translator on the way (RFC 6052, 2.1)
constexpr std::array<std::byte, 12> nat64 = {std::byte{0}, std::byte{0x64}, std::byte{0xFF}, std::byte{0x9B}};

}  // namespace

OutboundPolicy::OutboundPolicy(const GatewayConfig& config)
    : network_(config.network),
      router_(config.router),
      dns_(config.dns),
      prefix6_(prefix6_of(config)),
      outbound_(config.outbound) {
  for (const std::string& prefix : config.outbound_prefixes)
    if (const auto cidr = parse_cidr(prefix)) prefixes_.push_back(*cidr);
}

OutboundPolicy::Decision OutboundPolicy::decide(Ipv4Address to) const {
  if (to == router_) return Decision::pass;
  if (to == dns_) return Decision::dns;
  if (network_.contains(to)) return Decision::ignore;
  if (!to.is_single_host()) return Decision::ignore;
  std::array<std::byte, 4> address;
  store_be32(address.data(), to.value());
  return by_list(false, address.data());
}

OutboundPolicy::Decision OutboundPolicy::decide(const Ipv6Bytes& to) const {
  const bool group = to[0] == std::byte{0xFF};
  const bool link_local = to[0] == std::byte{0xFE} && (to[1] & std::byte{0xC0}) == std::byte{0x80};
  if (group || link_local) return Decision::link;
  const bool of_network = prefix6_ && same_prefix64(to, *prefix6_);
  if (of_network) return Decision::pass;  // as above, or the host's loopback
  // ::/96 with :: and ::1, and ::ffff:0:0/96: IPv4 addresses in other clothes (RFC 4291, 2.5.5)
  if (std::all_of(to.begin(), to.begin() + 10, [](std::byte byte) { return byte == std::byte{0}; }))
    return Decision::ignore;
  if (std::equal(nat64.begin(), nat64.end(), to.begin())) return decide(Ipv4Address(load_be32(&to[nat64.size()])));
  return by_list(true, to.data());
}

OutboundPolicy::Decision OutboundPolicy::by_list(bool v6, const std::byte* address) const {
  if (outbound_ == Outbound::any) return Decision::pass;
  const bool listed = outbound_ == Outbound::listed &&
                      std::any_of(prefixes_.begin(), prefixes_.end(), [&](const Cidr& prefix) {
                        return prefix.contains(v6, reinterpret_cast<const std::uint8_t*>(address));
                      });
  return listed ? Decision::pass : Decision::refuse;
}

}  // namespace lanyard
