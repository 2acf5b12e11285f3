// The lease table; see the header for the theory.
#include "switchd/gateway/lease_table.h"

#include <algorithm>
#include <utility>

namespace lanyard {

namespace {

constexpr std::int64_t offer_seconds = 30;
constexpr std::int64_t used_seconds = 600;
constexpr std::int64_t end_soon_seconds = 2;  // kept before it ends, so that nobody finds it ended and then not
constexpr std::int64_t forever = Lease::forever;
constexpr std::size_t label_bytes_max = 63;

bool is_current(const Lease& lease, std::int64_t now_s) {
  const bool lasts = lease.expires_s > now_s || lease.afterwards == Lease::Afterwards::kept;
  return lease.state == Lease::State::bound && lasts;
}

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
  for (std::uint64_t value = options_.first.value(); value <= options_.last.value(); ++value)
    unused_.insert(unused_.end(), Ipv4Address(static_cast<std::uint32_t>(value)));
  for (const Reservation& reserved : options_.reservations) {
    if (!reserved.name.empty()) reserved_names_.insert(reserved.name);
    change(put(reserved.mac, reserved.address), [&](Lease& lease) {
      lease.name = reserved.name;
      lease.state = Lease::State::bound;
      lease.expires_s = forever;
    });
  }
}

std::size_t LeaseTable::capacity() const { return options_.last.value() - options_.first.value() + 1; }

bool LeaseTable::in_pool(Ipv4Address address) const { return address >= options_.first && address <= options_.last; }

bool LeaseTable::is_reserved(const std::string& name) const { return reserved_names_.contains(name); }

// May `mac` have it now?
bool LeaseTable::is_free(Ipv4Address address, MacAddress mac, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return in_pool(address);
  const Lease& lease = known->second;
  return lease.mac == mac || (lease.expires_s <= now_s && !is_current(lease, now_s));
}

// One that it has already, else one of which nothing is known, else the one whose lease ended longest ago.
std::optional<Ipv4Address> LeaseTable::find_free(MacAddress mac, std::int64_t now_s) {
  std::optional<Ipv4Address> address = index_.used_by(mac.value());
  if (!address && !unused_.empty()) address = *unused_.begin();
  pass_over_below(address, now_s);
  if (address) return address;
  const auto ended = index_.first_to_end();
  return ended && is_free(*ended, mac, now_s) ? ended : std::nullopt;
}

void LeaseTable::pass_over(Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.state != Lease::State::used || known->second.is_told) return;
  change(known->second, [](Lease& lease) { lease.is_told = true; });
  if (known->second.expires_s > now_s) passed_over_.push_back(known->second);
}

// All of them, where there is no such address.
void LeaseTable::pass_over_below(std::optional<Ipv4Address> address, std::int64_t now_s) {
  while (!index_.untold().empty() && (!address || *index_.untold().begin() < *address))
    pass_over(*index_.untold().begin(), now_s);
}

std::vector<Lease> LeaseTable::take_passed_over() { return std::exchange(passed_over_, {}); }

// The one entry of an address, which is the one of its MAC, too.
Lease& LeaseTable::put(MacAddress mac, Ipv4Address address) {
  if (const auto before = by_mac_.find(mac.value()); before != by_mac_.end() && before->second != address)
    erase(before->second);
  if (const auto known = leases_.find(address); known != leases_.end() && known->second.mac != mac) erase(address);
  by_mac_[mac.value()] = address;
  const auto [lease, is_new] = leases_.try_emplace(address);
  if (!is_new) return lease->second;
  unused_.erase(address);
  lease->second.mac = mac;
  lease->second.address = address;
  index_.put_in(lease->second);
  return lease->second;
}

void LeaseTable::erase(Ipv4Address address) {
  const auto known = leases_.find(address);
  if (known == leases_.end()) return;
  const auto of_mac = by_mac_.find(known->second.mac.value());
  if (of_mac != by_mac_.end() && of_mac->second == address) by_mac_.erase(of_mac);
  index_.take_out(known->second);
  leases_.erase(known);
  if (in_pool(address)) unused_.insert(address);
}

std::optional<Ipv4Address> LeaseTable::offer(MacAddress mac, std::optional<Ipv4Address> wanted, std::int64_t now_s) {
  std::optional<Ipv4Address> address;
  if (const auto own = by_mac_.find(mac.value()); own != by_mac_.end() && is_free(own->second, mac, now_s))
    address = own->second;
  else if (wanted && in_pool(*wanted) && is_free(*wanted, mac, now_s))
    address = wanted;
  else
    address = find_free(mac, now_s);
  if (wanted && wanted != address) pass_over(*wanted, now_s);
  if (!address) return std::nullopt;
  Lease& lease = put(mac, *address);
  const bool is_its_own = is_current(lease, now_s);
  change(lease, [&](Lease& each) {
    if (is_its_own) {
      each.expires_s = std::max(each.expires_s, now_s + offer_seconds);
      return;
    }
    if (each.state != Lease::State::offered || each.expires_s <= now_s) each.is_probed = false;
    each.state = Lease::State::offered;
    each.expires_s = now_s + offer_seconds;
  });
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
  ++changes_;
  if (lease.expires_s == forever) {
    if (!host_name.empty()) lease.host_name = host_name;
    return true;
  }
  change(lease, [&](Lease& each) {
    each.state = Lease::State::bound;
    each.expires_s = now_s + options_.lease_seconds;
    each.afterwards = Lease::Afterwards::unasked;
  });
  next_end_s_ = std::min(next_end_s_, lease.expires_s);
  take_name(lease, host_name, now_s);
  return true;
}

// A name that another has stays the other's for now, also where this one had it before its lease ended. One
// that it lost so it claims when it is back.
void LeaseTable::take_name(Lease& lease, const std::string& host_name, std::int64_t now_s) {
  const bool says_it_again = host_name.empty() && lease.name.empty() && lease.claim.empty();
  if (host_name.empty() && !says_it_again) return;
  if (!host_name.empty()) lease.host_name = host_name;
  const std::string label = dns_label(lease.host_name);
  change(lease, [](Lease& each) { each.claim.clear(); });
  if (label.empty() || is_special_name(lease.host_name) || is_reserved(label)) return;
  const Lease* holder = find_name(label, now_s);
  if (holder == nullptr || holder == &lease) return name(lease, label);
  change(lease, [&](Lease& each) {
    each.claim = label;
    each.claim_number = ++claims_;
  });
}

// Who had it before has it no more: its lease is over.
void LeaseTable::name(Lease& lease, const std::string& name) {
  if (lease.name == name) return;
  if (const auto before = index_.holder(name))
    change(leases_.at(*before), [](Lease& each) { each.name.clear(); });
  change(lease, [&](Lease& each) { each.name = name; });
  ++changes_;
}

void LeaseTable::release(MacAddress mac, Ipv4Address address, std::int64_t now_s) {
  const auto known = leases_.find(address);
  if (known == leases_.end() || known->second.mac != mac || known->second.expires_s == forever) return;
  if (known->second.state == Lease::State::used) return;
  change(known->second, [&](Lease& lease) {
    lease.expires_s = std::min(lease.expires_s, now_s);
    lease.afterwards = Lease::Afterwards::released;
    lease.claim.clear();
  });
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
  unused_.erase(address);
  Lease& used = leases_[address];
  used.address = address;
  used.mac = by;
  used.state = Lease::State::used;
  used.expires_s = now_s + used_seconds;
  used.is_told = is_told;
  index_.put_in(used);
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
  const bool lasts = is_current(lease, now_s);
  if (lease.mac == mac && lease.state != Lease::State::used) {
    lease.intruder = MacAddress();
    const bool has_ended = lease.state == Lease::State::bound && !lasts;
    if (!has_ended || lease.afterwards == Lease::Afterwards::released) return false;
    change(lease, [](Lease& each) { each.afterwards = Lease::Afterwards::kept; });
    take_name(lease, "", now_s);
    return false;
  }
  if (!lasts) {
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
      change(lease, [](Lease& each) { each.afterwards = Lease::Afterwards::kept; });
      ending.push_back(lease);
    } else {
      next_end_s_ = std::min(next_end_s_, lease.expires_s);
    }
  }
  return ending;
}

std::vector<Lease> LeaseTable::to_ask(std::int64_t now_s) const {
  const auto is_claimed = [&](const std::string& name) {
    const LeaseIndex::Claims* claims = index_.claims(name);
    return claims != nullptr && std::any_of(claims->begin(), claims->end(), [&](const auto& claim) {
             return find(claim.second, now_s) != nullptr;
           });
  };
  std::vector<Lease> asked;
  for (const auto& [address, lease] : leases_) {
    if (!is_current(lease, now_s) || lease.expires_s == forever) continue;
    if (lease.afterwards == Lease::Afterwards::kept || is_claimed(lease.name)) asked.push_back(lease);
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
  change(lease, [&](Lease& each) {
    if (each.afterwards == Lease::Afterwards::kept) each.afterwards = Lease::Afterwards::silent;
    if (!is_current(each, now_s)) each.claim.clear();
  });
  const std::string its_name = lease.name;
  if (Lease* heir = latest_claim(its_name, now_s)) give(its_name, *heir, mac);
}

// Who called itself so last is the most likely to be there. Claims whose lease is over are no more.
Lease* LeaseTable::latest_claim(const std::string& name, std::int64_t now_s) {
  while (const LeaseIndex::Claims* claims = index_.claims(name)) {
    Lease& latest = leases_.at(claims->rbegin()->second);
    if (is_current(latest, now_s)) return &latest;
    change(latest, [](Lease& lease) { lease.claim.clear(); });
  }
  return nullptr;
}

void LeaseTable::give(const std::string& name, Lease& to, MacAddress from) {
  change(to, [](Lease& lease) { lease.claim.clear(); });
  moves_.push_back({name, from, to.mac, to.address});
  this->name(to, name);
}

// Once a second also those whose holder's time is over.
std::vector<NameMove> LeaseTable::take_moves(std::int64_t now_s) {
  std::vector<std::string> vacated = index_.take_vacated();
  if (std::exchange(claims_looked_at_s_, now_s) != now_s)
    for (const auto& [name, claims] : index_.claimed()) vacated.push_back(name);
  while (!vacated.empty()) {
    for (const std::string& name : vacated) {
      Lease* heir = find_name(name, now_s) == nullptr ? latest_claim(name, now_s) : nullptr;
      if (heir != nullptr) give(name, *heir, MacAddress());
    }
    vacated = index_.take_vacated();  // names that they had before
  }
  return std::exchange(moves_, {});
}

Lease* LeaseTable::of_mac(MacAddress mac) {
  const auto own = by_mac_.find(mac.value());
  return own == by_mac_.end() ? nullptr : &leases_.at(own->second);
}

const Lease* LeaseTable::find(Ipv4Address address, std::int64_t now_s) const {
  const auto known = leases_.find(address);
  return known != leases_.end() && is_current(known->second, now_s) ? &known->second : nullptr;
}

const Lease* LeaseTable::find(MacAddress mac, std::int64_t now_s) const {
  const auto own = by_mac_.find(mac.value());
  return own == by_mac_.end() ? nullptr : find(own->second, now_s);
}

const Lease* LeaseTable::find_name(const std::string& name, std::int64_t now_s) const {
  const auto holder = index_.holder(name);
  return holder ? find(*holder, now_s) : nullptr;
}

std::vector<Lease> LeaseTable::bound() const {
  std::vector<Lease> all;
  for (const auto& [address, lease] : leases_)
    if (lease.state == Lease::State::bound && lease.expires_s != forever) all.push_back(lease);
  return all;
}

std::vector<Lease> LeaseTable::load(const std::vector<Lease>& leases, std::int64_t now_s) {
  next_end_s_ = 0;
  std::vector<Lease> left_out;
  for (const Lease& lease : leases) {
    if (lease.mac.is_group() || lease.mac == MacAddress()) continue;
    const Lease* own = of_mac(lease.mac);
    if (own != nullptr && own->address == lease.address) continue;  // by a reservation, or twice in the file
    if (own != nullptr || leases_.contains(lease.address) || !in_pool(lease.address)) {
      if (lease.expires_s > now_s) left_out.push_back(lease);
      ++changes_;  // the file shall forget it
      continue;
    }
    std::string name = dns_label(lease.name);
    if (is_special_name(name) || index_.holder(name)) name.clear();
    change(put(lease.mac, lease.address), [&](Lease& kept) {
      kept = lease;
      kept.name = std::move(name);
      kept.state = Lease::State::bound;
      kept.expires_s = std::min(lease.expires_s, forever - 1);
      if (kept.expires_s <= now_s) kept.afterwards = Lease::Afterwards::silent;
    });
  }
  return left_out;
}

}  // namespace lanyard
