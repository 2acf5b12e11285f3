// What the gateway's DNS knows itself: guests that have a lease or a reservation, and the gateway. NAME and
// NAME.DOMAIN, IPv4, IPv6 (addresses that the guest uses in the gateway's prefix) and back. What is below the
// domain, or an address of the network, and is not known here, does not exist; everything else is for the
// host's resolvers. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "frames/dns.h"
#include "frames/ndp.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/lease_table.h"
#include "switchd/gateway/neighbours.h"

namespace lanyard {

class LocalNames {
 public:
  LocalNames(const GatewayConfig& config, const LeaseTable& leases, const Neighbours<Ipv6Bytes>& neighbours6);

  // Nothing: not ours to answer.
  [[nodiscard]] std::optional<DnsAnswer> answer(const DnsQuery& query, std::int64_t now_s) const;

 private:
  [[nodiscard]] DnsAnswer host(const std::string& label, std::int64_t now_s) const;
  [[nodiscard]] DnsAnswer name_of(const Lease* lease) const;

  const GatewayConfig& config_;
  const LeaseTable& leases_;
  const Neighbours<Ipv6Bytes>& neighbours6_;
  std::optional<Ipv6Bytes> prefix6_;  // 8 bytes of it count
};

}  // namespace lanyard
