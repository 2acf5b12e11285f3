// The index of leases; see the header.
#include "switchd/gateway/lease_index.h"

#include "switchd/gateway/lease_table.h"

namespace lanyard {

namespace {

// One that is kept does not end, whatever its time says, nor does a reservation.
bool ends(const Lease& lease) {
  return lease.expires_s != Lease::forever && lease.afterwards != Lease::Afterwards::kept;
}

}  // namespace

void LeaseIndex::put_in(const Lease& lease) {
  if (!lease.name.empty()) holders_.try_emplace(lease.name, lease.address);
  if (!lease.claim.empty()) claims_[lease.claim].emplace(lease.claim_number, lease.address);
  if (ends(lease)) ends_.emplace(lease.expires_s, lease.address);
  if (lease.state != Lease::State::used) return;
  users_.emplace(lease.mac.value(), lease.address);
  if (!lease.is_told) untold_.insert(lease.address);
}

void LeaseIndex::take_out(const Lease& lease) {
  if (holder(lease.name) == lease.address) {
    holders_.erase(lease.name);
    if (claims_.contains(lease.name)) vacated_.push_back(lease.name);
  }
  if (const auto claimed = claims_.find(lease.claim); claimed != claims_.end()) {
    claimed->second.erase(lease.claim_number);
    if (claimed->second.empty()) claims_.erase(claimed);
  }
  ends_.erase({lease.expires_s, lease.address});
  users_.erase({lease.mac.value(), lease.address});
  untold_.erase(lease.address);
}

std::optional<Ipv4Address> LeaseIndex::holder(const std::string& name) const {
  const auto known = holders_.find(name);
  return known == holders_.end() ? std::nullopt : std::optional(known->second);
}

const LeaseIndex::Claims* LeaseIndex::claims(const std::string& name) const {
  const auto known = claims_.find(name);
  return known == claims_.end() ? nullptr : &known->second;
}

std::optional<Ipv4Address> LeaseIndex::first_to_end() const {
  return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->second);
}

std::optional<Ipv4Address> LeaseIndex::used_by(std::uint64_t mac) const {
  const auto known = users_.lower_bound({mac, Ipv4Address()});
  return known == users_.end() || known->first != mac ? std::nullopt : std::optional(known->second);
}

}  // namespace lanyard
