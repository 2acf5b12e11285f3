// The names that a gateway knows itself; see the header.
#include "switchd/gateway/local_names.h"

#include <algorithm>

namespace lanyard {

namespace {

constexpr std::uint32_t ttl_seconds = 10;  // guests come and go
constexpr std::string_view gateway_label = "gateway";

DnsAnswer named(std::string name) {
  DnsAnswer answer;
  answer.name = std::move(name);
  return answer;
}

DnsAnswer no_such_name() {
  DnsAnswer answer;
  answer.code = DnsCode::no_such_name;
  return answer;
}

}  // namespace

LocalNames::LocalNames(const GatewayConfig& config, const LeaseTable& leases, const Neighbours<Ipv6Bytes>& neighbours6)
    : config_(config), leases_(leases), neighbours6_(neighbours6), prefix6_(prefix6_of(config)) {}

std::optional<DnsAnswer> LocalNames::answer(const DnsQuery& query, std::int64_t now_s) const {
  if (query.type_class != 1) return std::nullopt;
  std::optional<DnsAnswer> known = find(query, now_s);
  if (!known) return std::nullopt;
  known->ttl_seconds = ttl_seconds;
  known->zone = zone_of(query.name);
  known->domain = config_.domain;
  return known;
}

std::optional<DnsAnswer> LocalNames::find(const DnsQuery& query, std::int64_t now_s) const {
  if (const auto address = parse_reverse4(query.name)) {
    const bool ours = config_.network.contains(*address);
    if (ours && *address == config_.router) return named(std::string(gateway_label) + "." + config_.domain);
    if (auto known = name_of(ours ? leases_.find(*address, now_s) : nullptr, *address, now_s)) return known;
    return ours ? std::optional(no_such_name()) : std::nullopt;
  }
  if (const auto address = parse_reverse6(query.name)) {
    const bool ours = prefix6_ && same_prefix64(*address, *prefix6_);
    const auto mac = ours ? neighbours6_.find(*address) : std::nullopt;
    if (auto known = name_of(mac ? leases_.find(*mac, now_s) : nullptr, *address, now_s)) return known;
    return ours ? std::optional(no_such_name()) : std::nullopt;
  }
  const std::string suffix = "." + config_.domain;
  if (query.name == config_.domain) return DnsAnswer{};
  if (query.name.ends_with(suffix)) return host(query.name.substr(0, query.name.size() - suffix.size()), now_s);
  const bool has_dot = query.name.find('.') != std::string::npos;
  if (has_dot && query.type != dns_types::a && query.type != dns_types::aaaa) return std::nullopt;
  if (has_dot) return of_hosts(query.name, now_s);
  DnsAnswer known = host(query.name, now_s);
  return known.code == DnsCode::ok ? std::optional(std::move(known)) : std::nullopt;
}

// `label` is what is before the domain.
DnsAnswer LocalNames::host(const std::string& label, std::int64_t now_s) const {
  if (label == gateway_label) {
    DnsAnswer answer;
    answer.addresses = {config_.router};
    return answer;
  }
  const Lease* lease = leases_.find_name(label, now_s);
  if (lease != nullptr && leases_.is_reserved(label)) return of_lease(*lease);
  if (auto known = of_hosts(label + "." + config_.domain, now_s)) return *known;
  if (auto known = of_hosts(label, now_s); known && label.find('.') == std::string::npos) return *known;
  return lease != nullptr ? of_lease(*lease) : no_such_name();
}

DnsAnswer LocalNames::of_lease(const Lease& lease) const {
  DnsAnswer answer;
  answer.addresses = {lease.address};
  if (!prefix6_) return answer;
  for (const Ipv6Bytes& address : neighbours6_.addresses_of(lease.mac))
    if (same_prefix64(address, *prefix6_)) answer.addresses6.push_back(address);
  constexpr std::size_t addresses_max = 8;
  answer.addresses6.resize(std::min(answer.addresses6.size(), addresses_max));
  return answer;
}

// A name at the host's loopback is at the router's address, where guests may reach that, and else not known.
std::optional<DnsAnswer> LocalNames::of_hosts(const std::string& name, std::int64_t now_s) const {
  const HostNames::Entry* entry = hosts_ == nullptr ? nullptr : hosts_->current(now_s).find(name);
  if (entry == nullptr) return std::nullopt;
  DnsAnswer answer;
  answer.addresses = entry->addresses;
  answer.addresses6 = entry->addresses6;
  const bool is_known = !answer.addresses.empty() || !answer.addresses6.empty();
  if (!is_known && !config_.host_loopback) return std::nullopt;
  if (answer.addresses.empty() && entry->loopback && config_.host_loopback) answer.addresses = {config_.router};
  return answer;
}

// The name of an address: its guest's, or the host's for it.
template <typename Address>
std::optional<DnsAnswer> LocalNames::name_of(const Lease* lease, const Address& address, std::int64_t now_s) const {
  if (lease != nullptr && !lease->name.empty() && lease->name != gateway_label)
    return named(lease->name + "." + config_.domain);
  const std::string* name = hosts_ == nullptr ? nullptr : hosts_->current(now_s).name_of(address);
  if (name == nullptr) return std::nullopt;
  return named(name->find('.') == std::string::npos ? *name + "." + config_.domain : *name);
}

// What a negative answer is about, for its SOA record: the domain, the network's part of the reverse tree (at least: it is
// cut at whole labels), and else the name itself.
std::string LocalNames::zone_of(const std::string& name) const {
  if (name == config_.domain || name.ends_with("." + config_.domain)) return config_.domain;
  const auto without_labels = [&](std::size_t labels) {
    std::size_t at = 0;
    for (; labels > 0; --labels) at = name.find('.', at) + 1;
    return name.substr(at);
  };
  const auto address4 = parse_reverse4(name);
  if (address4 && config_.network.contains(*address4)) return without_labels(4 - config_.network.prefix / 8U);
  const auto address6 = parse_reverse6(name);
  if (address6 && prefix6_ && same_prefix64(*address6, *prefix6_)) return without_labels(16);
  return name;
}

}  // namespace lanyard
