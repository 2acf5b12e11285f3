// Where the leases of a table are, by what is looked for: who has or claims a name, which ended longest ago,
// who uses an address without a lease. A guest makes as many of these as the pool has addresses, so nothing
// that is done for each message may walk over all leases.
//
// The table (lease_table.h) puts a lease in when it has one, and takes it out before it changes anything of
// it. Knows no time: whether who has a name can still be reached is for the table to judge. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frames/ipv4_address.h"

namespace lanyard {

struct Lease;

class LeaseIndex {
 public:
  using Claims = std::map<std::uint64_t, Ipv4Address>;  // by the number of the claim

  // `lease` stays as it is until take_out().
  void put_in(const Lease& lease);
  void take_out(const Lease& lease);

  // Who has the name; where two reservations say it, the first. A name is put in for one lease at a time, but
  // for those.
  [[nodiscard]] std::optional<Ipv4Address> holder(const std::string& name) const;
  // Who would have it; nullptr: nobody.
  [[nodiscard]] const Claims* claims(const std::string& name) const;
  // Names that are claimed.
  [[nodiscard]] const std::map<std::string, Claims>& claimed() const { return claims_; }
  // Names that are claimed and whose holder has been taken out since, perhaps to be put in again; some more
  // than once.
  [[nodiscard]] std::vector<std::string> take_vacated() { return std::exchange(vacated_, {}); }

  // The lease that ends first or ended longest ago, of those that end by the time.
  [[nodiscard]] std::optional<Ipv4Address> first_to_end() const;
  // An address that `mac` uses without a lease.
  [[nodiscard]] std::optional<Ipv4Address> used_by(std::uint64_t mac) const;
  // Addresses in use of which people have not been told.
  [[nodiscard]] const std::set<Ipv4Address>& untold() const { return untold_; }

 private:
  std::map<std::string, Ipv4Address> holders_;
  std::map<std::string, Claims> claims_;
  std::vector<std::string> vacated_;
  std::set<std::pair<std::int64_t, Ipv4Address>> ends_;
  std::set<std::pair<std::uint64_t, Ipv4Address>> users_;
  std::set<Ipv4Address> untold_;
};

}  // namespace lanyard
