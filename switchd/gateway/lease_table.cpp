// The lease table; see the header for the theory.
#include "switchd/gateway/lease_table.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace lanyard {

namespace {

constexpr std::int64_t offer_seconds = 30;
constexpr std::int64_t used_seconds = 600;
constexpr std::int64_t end_soon_seconds = 2;  // kept before it ends, so that nobody finds it ended and then not
constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t label_bytes_max = 63;

}  // namespace

std::string dns_label(const std::string& host_name) {
  std::string label;
  for (const char c : host_name.substr(0, host_name.find('.'))) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool separates = c == '-' || c == '_' || c == ' ';
    if (separates && !label.empty()) label.push_back('-');
    else if (upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
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

bool LeaseTable::is_reserved(const std::string& name) const {
  return std::any_of(options_.reservations.begin(), options_.reservations.end(),
                     [&](const Reservation& each) { return !name.empty() && each.name == name; });
}

// May `mac` have it now?
bool LeaseTable::is_free(Ipv4Address address, MacAddress mac, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return in_pool(address);
  const Lease& lease = known->second;
  return lease.mac == mac || (lease.expires_s <= now_s && find(address, now_s) == nullptr);
}

std::optional<Ipv4Address> LeaseTable::find_free(MacAddress mac, std::int64_t now_s) {
  std::optional<Ipv4Address> longest_expired;
  std::int64_t expired_s = now_s;
  for (std::uint64_t value = options_.first.value(); value <= options_.last.value(); ++value) {
    const Ipv4Address address(static_cast<std::uint32_t>(value));
    const auto known = leases_.find(address);
    if (known == leases_.end()) return address;
    if (known->second.state == Lease::State::used && known->second.mac == mac) return address;  // it has it already
    pass_over(known->second, now_s);
    if (known->second.expires_s > expired_s || !is_free(address, mac, now_s)) continue;
    if (longest_expired && known->second.expires_s == expired_s) continue;
    longest_expired = address;
    expired_s = known->second.expires_s;
  }
  return longest_expired;
}

void LeaseTable::pass_over(Lease& lease, std::int64_t now_s) {
  if (lease.state != Lease::State::used || lease.expires_s <= now_s || lease.is_told) return;
  lease.is_told = true;
  passed_over_.push_back(lease);
}

std::vector<Lease> LeaseTable::take_passed_over() { return std::exchange(passed_over_, {}); }

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
  if (const auto other = leases_.find(wanted.value_or(Ipv4Address())); other != leases_.end() && wanted != address)
    pass_over(other->second, now_s);
  if (!address) return std::nullopt;
  const auto known = leases_.find(*address);
  if (known != leases_.end() && known->second.mac == mac && find(*address, now_s) != nullptr) {
    known->second.expires_s = std::max(known->second.expires_s, now_s + offer_seconds);
    return address;
  }
  Lease& lease = put(mac, *address);
  if (lease.state != Lease::State::offered || lease.expires_s <= now_s) lease.is_probed = false;
  lease.state = Lease::State::offered;
  lease.expires_s = now_s + offer_seconds;
  return address;
}

std::optional<Ipv4Address> LeaseTable::to_probe(MacAddress mac, std::int64_t now_s) const {
  const auto own = by_mac_.find(mac.value());
  if (own == by_mac_.end()) return std::nullopt;
  const Lease& lease = leases_.at(own->second);
  if (lease.expires_s == forever) return std::nullopt;  // it is given whatever anybody does
  const bool is_bound = find(lease.address, now_s) != nullptr;
  return (is_bound ? lease.intruder == MacAddress() : lease.is_probed) ? std::nullopt : std::optional(lease.address);
}

void LeaseTable::probed(MacAddress mac, Ipv4Address address) {
  Lease* lease = of_mac(mac);
  if (lease == nullptr || lease->address != address) return;
  lease->is_probed = true;
  lease->intruder = MacAddress();
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
  if (lease.expires_s == forever) {
    if (!host_name.empty()) lease.host_name = host_name;
    return true;
  }
  lease.expires_s = now_s + options_.lease_seconds;
  lease.afterwards = Lease::Afterwards::unasked;
  next_end_s_ = std::min(next_end_s_, lease.expires_s);
  take_name(lease, host_name, now_s);
  return true;
}

bool LeaseTable::is_anothers(const std::string& name, const Lease& lease, std::int64_t now_s) const {
  return std::any_of(leases_.begin(), leases_.end(), [&](const auto& entry) {
    const Lease& other = entry.second;
    return other.name == name && &other != &lease && find(other.address, now_s) != nullptr;
  });
}

// A name that another has stays the other's for now, also where this one had it before its lease ended.
void LeaseTable::take_name(Lease& lease, const std::string& host_name, std::int64_t now_s) {
  if (is_anothers(lease.name, lease, now_s)) lease.name.clear();
  if (host_name.empty()) return;
  lease.host_name = host_name;
  lease.claim.clear();
  const std::string label = dns_label(host_name);
  if (label.empty() || is_special_name(host_name) || is_reserved(label)) return;
  if (!is_anothers(label, lease, now_s)) {
    lease.name = label;
  } else {
    lease.claim = label;
    lease.claim_number = ++claims_;
  }
}

void LeaseTable::release(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.expires_s == forever) return;
  if (known->second.state == Lease::State::used) return;
  known->second.expires_s = std::min(known->second.expires_s, now_s);
  known->second.afterwards = Lease::Afterwards::released;
  ++changes_;
}

bool LeaseTable::decline(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.state == Lease::State::used) return false;
  return use(address, MacAddress(), now_s, true);
}

bool LeaseTable::use(Ipv4Address address, MacAddress by, std::int64_t now_s, bool is_told) {
  const auto known = leases_.find(address);
  if (!in_pool(address) || (known != leases_.end() && known->second.expires_s == forever)) return false;
  const bool was_bound = known != leases_.end() && known->second.state == Lease::State::bound;
  is_told = is_told || (known != leases_.end() && known->second.is_told);
  erase(address);
  Lease& used = leases_[address];
  used.address = address;
  used.mac = by;
  used.state = Lease::State::used;
  used.expires_s = now_s + used_seconds;
  used.is_told = is_told;
  if (was_bound) ++changes_;
  return true;
}

bool LeaseTable::hear(Ipv4Address address, MacAddress mac, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end()) {
    (void)use(address, mac, now_s);
    return false;
  }
  Lease& lease = known->second;
  const bool is_current = find(address, now_s) != nullptr;
  if (lease.mac == mac && lease.state != Lease::State::used) {
    lease.intruder = MacAddress();
    const bool has_ended = lease.state == Lease::State::bound && !is_current;
    if (!has_ended || lease.afterwards == Lease::Afterwards::released) return false;
    lease.afterwards = Lease::Afterwards::kept;
    if (is_anothers(lease.name, lease, now_s)) lease.name.clear();
    return false;
  }
  if (!is_current) {
    (void)use(address, mac, now_s);
    return false;
  }
  return std::exchange(lease.intruder, mac) == MacAddress();
}

std::vector<Lease> LeaseTable::end_soon(std::int64_t now_s) {
  const std::int64_t before_s = now_s + end_soon_seconds;
  std::vector<Lease> ending;
  if (before_s < next_end_s_) return ending;
  next_end_s_ = forever;
  for (auto& [address, lease] : leases_) {
    if (lease.state != Lease::State::bound || lease.afterwards != Lease::Afterwards::unasked) continue;
    if (lease.expires_s <= before_s) {
      lease.afterwards = Lease::Afterwards::kept;
      if (is_anothers(lease.name, lease, now_s)) lease.name.clear();  // given away since it ended
      ending.push_back(lease);
    } else {
      next_end_s_ = std::min(next_end_s_, lease.expires_s);
    }
  }
  return ending;
}

std::vector<Lease> LeaseTable::to_ask(std::int64_t now_s) const {
  std::set<std::string> claimed;
  for (const auto& [address, lease] : leases_)
    if (find(address, now_s) != nullptr) claimed.insert(lease.claim);
  claimed.erase(std::string());
  std::vector<Lease> asked;
  for (const auto& [address, lease] : leases_) {
    if (find(address, now_s) == nullptr || lease.expires_s == forever) continue;
    if (lease.afterwards == Lease::Afterwards::kept || claimed.contains(lease.name)) asked.push_back(lease);
  }
  return asked;
}

const Lease* LeaseTable::claimed_from(MacAddress mac, std::int64_t now_s) const {
  const Lease* lease = find(mac, now_s);
  return lease == nullptr ? nullptr : find_name(lease->claim, now_s);
}

void LeaseTable::silent(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.state != Lease::State::bound) return;
  Lease& lease = known->second;
  if (lease.expires_s == forever) return;
  if (lease.afterwards == Lease::Afterwards::kept) lease.afterwards = Lease::Afterwards::silent;
  Lease* heir = lease.name.empty() ? nullptr : latest_claim(lease.name, now_s);
  if (heir != nullptr) give(std::exchange(lease.name, std::string()), *heir, mac);
}

// Who called itself so last is the most likely to be there.
Lease* LeaseTable::latest_claim(const std::string& name, std::int64_t now_s) {
  Lease* latest = nullptr;
  for (auto& [address, lease] : leases_)
    if (lease.claim == name && find(address, now_s) != nullptr &&
        (latest == nullptr || lease.claim_number > latest->claim_number))
      latest = &lease;
  return latest;
}

void LeaseTable::give(const std::string& name, Lease& to, MacAddress from) {
  to.name = name;
  to.claim.clear();
  moves_.push_back({name, from, to.mac, to.address});
  ++changes_;
}

std::vector<NameMove> LeaseTable::take_moves(std::int64_t now_s) {
  for (auto& [address, lease] : leases_) {
    const std::string wanted = lease.claim;
    if (wanted.empty() || find(address, now_s) == nullptr || find_name(wanted, now_s) != nullptr) continue;
    give(wanted, *latest_claim(wanted, now_s), MacAddress());
  }
  return std::exchange(moves_, {});
}

Lease* LeaseTable::of_mac(MacAddress mac) {
  const auto own = by_mac_.find(mac.value());
  return own == by_mac_.end() ? nullptr : &leases_.at(own->second);
}

const Lease* LeaseTable::find(Ipv4Address address, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return nullptr;
  const Lease& lease = known->second;
  const bool lasts = lease.expires_s > now_s || lease.afterwards == Lease::Afterwards::kept;
  return lease.state == Lease::State::bound && lasts ? &lease : nullptr;
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

void LeaseTable::load(const std::vector<Lease>& leases, std::int64_t now_s) {
  next_end_s_ = 0;
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
    if (kept.expires_s <= now_s) kept.afterwards = Lease::Afterwards::silent;
  }
}

}  // namespace lanyard
