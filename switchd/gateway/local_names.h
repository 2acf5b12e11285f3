// What the gateway's DNS knows itself: guests that have a lease or a reservation, and the gateway. NAME and
// NAME.DOMAIN, IPv4, IPv6 (addresses that the guest uses in the gateway's prefix) and back. What is below the
// domain, or an address of the network, and is not known here, does not exist; everything else is for the
// host's resolvers.
//
// With the host's own table of names (hosts_file.h), its names are known, too, those without a dot also in the domain, and
// come before what guests call themselves; the gateway and reservations come before it. One thread.
#pragma once

#include <cstdint>
#include <optional>

#include "frames/dns.h"
#include "frames/ndp.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/hosts_file.h"
#include "switchd/gateway/lease_table.h"
#include "switchd/gateway/neighbours.h"

namespace lanyard {

class LocalNames {
 public:
  LocalNames(const GatewayConfig& config, const LeaseTable& leases, const Neighbours<Ipv6Bytes>& neighbours6);

  // From now on. It must live as long.
  void use(HostsFile& hosts) { hosts_ = &hosts; }

  // Nothing: not ours to answer.
  [[nodiscard]] std::optional<DnsAnswer> answer(const DnsQuery& query, std::int64_t now_s) const;

 private:
  [[nodiscard]] std::optional<DnsAnswer> find(const DnsQuery& query, std::int64_t now_s) const;
  [[nodiscard]] DnsAnswer host(const std::string& label, std::int64_t now_s) const;
  [[nodiscard]] DnsAnswer of_lease(const Lease& lease) const;
  [[nodiscard]] std::optional<DnsAnswer> of_hosts(const std::string& name, std::int64_t now_s) const;
  template <typename Address>
  [[nodiscard]] std::optional<DnsAnswer> name_of(const Lease* lease, const Address& address, std::int64_t now_s) const;
  [[nodiscard]] std::string zone_of(const std::string& name) const;

  const GatewayConfig& config_;
  const LeaseTable& leases_;
  const Neighbours<Ipv6Bytes>& neighbours6_;
  std::optional<Ipv6Bytes> prefix6_;  // 8 bytes of it count
  HostsFile* hosts_ = nullptr;
};

}  // namespace lanyard
