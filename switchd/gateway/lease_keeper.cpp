// Leases and what is heard of their stations; see the header.
#include "switchd/gateway/lease_keeper.h"

#include <fmt/format.h>

#include <utility>

namespace lanyard {

LeaseKeeper::LeaseKeeper(LeaseTable& leases, Stations::Ask ask, Report report)
    : leases_(leases), ask_(std::move(ask)), report_(std::move(report)) {}

void LeaseKeeper::hear(Ipv4Address address, MacAddress mac, std::int64_t now_ms, std::int64_t now_s) {
  if (!stations_.hear(address, mac, now_ms) || !leases_.hear(address, mac, now_s)) return;
  if (const Lease* lease = leases_.find(address, now_s))
    report_("address_in_use", fmt::format("{} is used by {}, and leased to {}", to_string(address), to_string(mac),
                                          to_string(lease->mac)));
}

std::optional<MacAddress> LeaseKeeper::mac_of(Ipv4Address address, std::int64_t now_s) const {
  if (const Lease* lease = leases_.find(address, now_s)) return lease->mac;
  return stations_.find(address);
}

bool LeaseKeeper::probe(Ipv4Address address, MacAddress client) {
  return stations_.ask(Stations::About::is_free, address, client);
}

void LeaseKeeper::answered(MacAddress client, std::int64_t now_s) {
  for (const Lease& used : leases_.take_passed_over())
    report_("address_in_use",
            fmt::format("{} is used by {}, which has no lease of it: it is not given to others",
                        to_string(used.address), used.mac == MacAddress() ? "somebody" : to_string(used.mac)));
  if (const Lease* holder = leases_.claimed_from(client, now_s)) ask_after(*holder);
  tell_moves(now_s);
}

// Where too many are asked already, the next look does it.
void LeaseKeeper::ask_after(const Lease& lease) {
  (void)stations_.ask(Stations::About::is_there, lease.address, lease.mac);
}

void LeaseKeeper::look(std::int64_t now_ms, std::int64_t now_s) {
  if (now_s == looked_s_) return;
  looked_s_ = now_s;
  for (const Lease& lease : leases_.end_soon(now_s)) ask_after(lease);
  if (now_ms - checked_ms_ < recheck_ms) return;
  checked_ms_ = now_ms;
  for (const Lease& lease : leases_.to_ask(now_s))
    if (!stations_.heard_within(lease.address, lease.mac, recheck_ms, now_ms)) ask_after(lease);
  tell_moves(now_s);
}

std::vector<MacAddress> LeaseKeeper::turn(std::int64_t now_ms, std::int64_t now_s) {
  std::vector<MacAddress> clients;
  bool is_anybody_silent = false;
  for (const Stations::Outcome& outcome : stations_.turn(now_ms, ask_)) {
    if (outcome.about == Stations::About::is_free) {
      probe_is_over(outcome, now_s);
      clients.push_back(outcome.mac);
    } else if (!outcome.who) {
      leases_.silent(outcome.mac, outcome.address, now_s);
      is_anybody_silent = true;
    }
  }
  if (is_anybody_silent) tell_moves(now_s);
  return clients;
}

void LeaseKeeper::probe_is_over(const Stations::Outcome& outcome, std::int64_t now_s) {
  if (!outcome.who) return leases_.probed(outcome.mac, outcome.address);
  if (leases_.use(outcome.address, *outcome.who, now_s, true))
    report_("address_in_use", fmt::format("{} answers at {}, which it has no lease of: {} gets another address",
                                          to_string(*outcome.who), to_string(outcome.address), to_string(outcome.mac)));
}

void LeaseKeeper::tell_moves(std::int64_t now_s) {
  for (const NameMove& move : leases_.take_moves(now_s))
    report_("name_moved",
            move.from == MacAddress()
                ? fmt::format("{} is now {} ({}): nobody else has the name any more", move.name,
                              to_string(move.to_address), to_string(move.to))
                : fmt::format("{} is now {} ({}): {}, which had the name, does not answer", move.name,
                              to_string(move.to_address), to_string(move.to), to_string(move.from)));
}

}  // namespace lanyard
