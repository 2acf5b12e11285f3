// The names that a gateway knows itself; see the header.
#include "switchd/gateway/local_names.h"

#include <algorithm>

namespace lanyard {

namespace {

constexpr std::uint32_t ttl_seconds = 10;  // guests come and go
constexpr std::string_view gateway_label = "gateway";

}  // namespace

LocalNames::LocalNames(const GatewayConfig& config, const LeaseTable& leases, const Neighbours<Ipv6Bytes>& neighbours6)
    : config_(config), leases_(leases), neighbours6_(neighbours6), prefix6_(prefix6_of(config)) {}

std::optional<DnsAnswer> LocalNames::answer(const DnsQuery& query, std::int64_t now_s) const {
  if (query.type_class != 1) return std::nullopt;
  if (const auto address = parse_reverse4(query.name)) {
    if (!config_.network.contains(*address)) return std::nullopt;
    if (*address == config_.router)
      return DnsAnswer{DnsCode::ok, {}, {}, std::string(gateway_label) + "." + config_.domain, ttl_seconds};
    return name_of(leases_.find(*address, now_s));
  }
  if (const auto address = parse_reverse6(query.name)) {
    if (!prefix6_ || !same_prefix64(*address, *prefix6_)) return std::nullopt;
    const auto mac = neighbours6_.find(*address);
    return name_of(mac ? leases_.find(*mac, now_s) : nullptr);
  }
  const std::string suffix = "." + config_.domain;
  if (query.name == config_.domain) return DnsAnswer{};
  if (query.name.ends_with(suffix)) return host(query.name.substr(0, query.name.size() - suffix.size()), now_s);
  if (query.name.find('.') != std::string::npos) return std::nullopt;
  DnsAnswer known = host(query.name, now_s);
  return known.code == DnsCode::ok ? std::optional(std::move(known)) : std::nullopt;
}

DnsAnswer LocalNames::host(const std::string& label, std::int64_t now_s) const {
  DnsAnswer answer;
  answer.ttl_seconds = ttl_seconds;
  if (label == gateway_label) {
    answer.addresses = {config_.router};
    return answer;
  }
  const Lease* lease = leases_.find_name(label, now_s);
  if (lease == nullptr) {
    answer.code = DnsCode::no_such_name;
    return answer;
  }
  answer.addresses = {lease->address};
  if (!prefix6_) return answer;
  for (const Ipv6Bytes& address : neighbours6_.addresses_of(lease->mac))
    if (same_prefix64(address, *prefix6_)) answer.addresses6.push_back(address);
  constexpr std::size_t addresses_max = 8;
  answer.addresses6.resize(std::min(answer.addresses6.size(), addresses_max));
  return answer;
}

DnsAnswer LocalNames::name_of(const Lease* lease) const {
  DnsAnswer answer;
  answer.ttl_seconds = ttl_seconds;
  if (lease == nullptr || lease->name.empty() || lease->name == gateway_label) answer.code = DnsCode::no_such_name;
  else answer.name = lease->name + "." + config_.domain;
  return answer;
}

}  // namespace lanyard
