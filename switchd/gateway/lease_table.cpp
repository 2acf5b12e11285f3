// The lease table; see the header for the theory.
#include "switchd/gateway/lease_table.h"

#include <algorithm>
#include <limits>
#include <set>

namespace lanyard {

namespace {

constexpr std::int64_t offer_seconds = 30;
constexpr std::int64_t declined_seconds = 600;
constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t label_bytes_max = 63;

}  // namespace

std::string dns_label(const std::string& host_name) {
  std::string label;
  for (const char c : host_name.substr(0, host_name.find('.'))) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && !label.empty()))
      label.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
  }
  label.resize(std::min(label.size(), label_bytes_max));
  while (label.ends_with('-')) label.pop_back();
  return label;
}

bool is_special_name(const std::string& host_name) {
  const std::string label = dns_label(host_name);
  const std::string_view whole = std::string_view(host_name).substr(0, host_name.find_last_not_of('.') + 1);
  const std::string top = dns_label(std::string(whole.substr(whole.rfind('.') + 1)));
  return label == "localhost" || label == "wpad" || label == "isatap" || top == "localhost";
}

LeaseTable::LeaseTable(LeaseOptions options) : options_(std::move(options)) {
  for (const Reservation& reserved : options_.reservations) {
    Lease& lease = put(reserved.mac, reserved.address);
    lease.name = reserved.name;
    lease.state = Lease::State::bound;
    lease.expires_s = forever;
  }
}

std::size_t LeaseTable::capacity() const { return options_.last.value() - options_.first.value() + 1; }

bool LeaseTable::in_pool(Ipv4Address address) const { return address >= options_.first && address <= options_.last; }

// May `mac` have it now?
bool LeaseTable::is_free(Ipv4Address address, MacAddress mac, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return in_pool(address);
  const Lease& lease = known->second;
  return (lease.mac == mac && lease.state != Lease::State::declined) || lease.expires_s <= now_s;
}

std::optional<Ipv4Address> LeaseTable::find_free(MacAddress mac, std::int64_t now_s) const {
  std::optional<Ipv4Address> longest_expired;
  std::int64_t expired_s = now_s;
  for (std::uint64_t value = options_.first.value(); value <= options_.last.value(); ++value) {
    const Ipv4Address address(static_cast<std::uint32_t>(value));
    const auto known = leases_.find(address);
    if (known == leases_.end()) return address;
    if (known->second.expires_s > expired_s || !is_free(address, mac, now_s)) continue;
    if (longest_expired && known->second.expires_s == expired_s) continue;
    longest_expired = address;
    expired_s = known->second.expires_s;
  }
  return longest_expired;
}

// The one entry of an address, which is the one of its MAC, too.
Lease& LeaseTable::put(MacAddress mac, Ipv4Address address) {
  if (const auto before = by_mac_.find(mac.value()); before != by_mac_.end() && before->second != address)
    erase(before->second);
  if (const auto known = leases_.find(address); known != leases_.end() && known->second.mac != mac) erase(address);
  by_mac_[mac.value()] = address;
  Lease& lease = leases_[address];
  lease.mac = mac;
  lease.address = address;
  return lease;
}

void LeaseTable::erase(Ipv4Address address) {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return;
  const auto of_mac = by_mac_.find(known->second.mac.value());
  if (of_mac != by_mac_.end() && of_mac->second == address) by_mac_.erase(of_mac);
  leases_.erase(known);
}

std::optional<Ipv4Address> LeaseTable::offer(MacAddress mac, std::optional<Ipv4Address> wanted, std::int64_t now_s) {
  std::optional<Ipv4Address> address;
  if (const auto own = by_mac_.find(mac.value()); own != by_mac_.end() && is_free(own->second, mac, now_s))
    address = own->second;
  else if (wanted && in_pool(*wanted) && is_free(*wanted, mac, now_s))
    address = wanted;
  else
    address = find_free(mac, now_s);
  if (!address) return std::nullopt;
  const auto known = leases_.find(*address);
  if (known != leases_.end() && known->second.mac == mac && find(*address, now_s) != nullptr) {
    known->second.expires_s = std::max(known->second.expires_s, now_s + offer_seconds);
    return address;
  }
  Lease& lease = put(mac, *address);
  lease.state = Lease::State::offered;
  lease.expires_s = now_s + offer_seconds;
  return address;
}

bool LeaseTable::bind(MacAddress mac, Ipv4Address address, const std::string& host_name, std::int64_t now_s) {
  const auto own = by_mac_.find(mac.value());
  if (own != by_mac_.end() && own->second != address) {
    const auto reserved = leases_.find(own->second);
    if (reserved != leases_.end() && reserved->second.expires_s == forever) return false;  // it has its own
  }
  if (!is_free(address, mac, now_s)) return false;
  Lease& lease = put(mac, address);
  lease.state = Lease::State::bound;
  ++changes_;
  if (lease.expires_s == forever) return true;
  lease.expires_s = now_s + options_.lease_seconds;
  take_name(lease, host_name, now_s);
  return true;
}

// A name that another has stays the other's, also where this one had it before its lease ended.
void LeaseTable::take_name(Lease& lease, const std::string& host_name, std::int64_t now_s) {
  const auto is_anothers = [&](const std::string& name) {
    return std::any_of(leases_.begin(), leases_.end(), [&](const auto& entry) {
      const Lease& other = entry.second;
      return other.name == name && &other != &lease && find(other.address, now_s) != nullptr;
    });
  };
  if (is_anothers(lease.name)) lease.name.clear();
  lease.wants_special_name = is_special_name(host_name);
  const std::string label = dns_label(host_name);
  if (!label.empty() && !lease.wants_special_name && !is_anothers(label)) lease.name = label;
}

void LeaseTable::release(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.expires_s == forever) return;
  if (known->second.state == Lease::State::declined) return;
  known->second.expires_s = std::min(known->second.expires_s, now_s);
  ++changes_;
}

bool LeaseTable::decline(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.expires_s == forever) return false;
  Lease& lease = known->second;
  by_mac_.erase(mac.value());
  lease.mac = MacAddress();
  lease.name.clear();
  lease.state = Lease::State::declined;
  lease.expires_s = now_s + declined_seconds;
  ++changes_;
  return true;
}

const Lease* LeaseTable::find(Ipv4Address address, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return nullptr;
  const Lease& lease = known->second;
  return lease.state == Lease::State::bound && lease.expires_s > now_s ? &lease : nullptr;
}

const Lease* LeaseTable::find(MacAddress mac, std::int64_t now_s) const {
  const auto own = by_mac_.find(mac.value());
  return own == by_mac_.end() ? nullptr : find(own->second, now_s);
}

const Lease* LeaseTable::find_name(const std::string& name, std::int64_t now_s) const {
  for (const auto& [address, lease] : leases_)
    if (lease.name == name && !name.empty() && find(address, now_s) != nullptr) return &lease;
  return nullptr;
}

std::vector<Lease> LeaseTable::bound() const {
  std::vector<Lease> all;
  for (const auto& [address, lease] : leases_)
    if (lease.state == Lease::State::bound && lease.expires_s != forever) all.push_back(lease);
  return all;
}

void LeaseTable::load(const std::vector<Lease>& leases) {
  std::set<std::string> names;
  for (const auto& [address, lease] : leases_) names.insert(lease.name);
  for (const Lease& lease : leases) {
    const bool taken = leases_.contains(lease.address) || by_mac_.contains(lease.mac.value());
    if (taken || !in_pool(lease.address) || lease.mac.is_group() || lease.mac == MacAddress()) continue;
    Lease& kept = put(lease.mac, lease.address);
    kept = lease;
    kept.name = dns_label(lease.name);
    if (is_special_name(kept.name) || !names.insert(kept.name).second) kept.name.clear();
    kept.state = Lease::State::bound;
    kept.expires_s = std::min(lease.expires_s, forever - 1);
  }
}

}  // namespace lanyard
