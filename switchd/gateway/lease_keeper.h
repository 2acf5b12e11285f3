// Keeps the leases true to what is on the network: hears who speaks, asks who does not, and tells the lease table and
// people what follows.
//
//   * An address is probed before it is offered (RFC 2131, 3.1): the client waits 200 ms for its first offer, and no
//     time for an address that it has already. One that somebody uses is left out.
//   * A lease whose time is over is kept while its station is there: after a sleep of the host, guests are.
//   * The holder of a name that a second guest claims is asked at once, and again every recheck_ms in which it is not
//     heard; when it is silent, the name is the second one's.
//
// The answers are frames that the gateway sees anyway; questions go out by `ask`. `now_ms` is monotonic, `now_s` of the
// calendar (lease_table.h). Decides nothing about messages (dhcp_server.h). No sockets; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "switchd/gateway/lease_table.h"
#include "switchd/gateway/stations.h"

namespace lanyard {

class LeaseKeeper {
 public:
  using Report = std::function<void(const char* kind, const std::string& line)>;

  static constexpr std::int64_t recheck_ms = 30'000;

  LeaseKeeper(LeaseTable& leases, Stations::Ask ask, Report report);

  // A frame says that `mac` uses `address`, which is one of the network and none of the gateway's.
  void hear(Ipv4Address address, MacAddress mac, std::int64_t now_ms, std::int64_t now_s);
  // Whose address it is: its guest's, or who was heard there.
  [[nodiscard]] std::optional<MacAddress> mac_of(Ipv4Address address, std::int64_t now_s) const;

  // Is anybody but `client` at the address that it shall be offered? turn() tells. False: it is not to be known.
  [[nodiscard]] bool probe(Ipv4Address address, MacAddress client);
  // `client` has been answered: its name may be another's.
  void answered(MacAddress client, std::int64_t now_s);

  // Once each turn before its frames.
  void look(std::int64_t now_ms, std::int64_t now_s);
  // Once each turn after its frames. Returns the clients whose probes are over, to be answered now.
  [[nodiscard]] std::vector<MacAddress> turn(std::int64_t now_ms, std::int64_t now_s);
  // When turn() has something to do.
  [[nodiscard]] std::optional<std::int64_t> next_ms() const { return stations_.next_ms(); }

 private:
  void ask_after(const Lease& lease);
  void probe_is_over(const Stations::Outcome& outcome, std::int64_t now_s);
  void tell_moves(std::int64_t now_s);

  LeaseTable& leases_;
  Stations::Ask ask_;
  Report report_;
  Stations stations_;
  std::int64_t looked_s_ = 0;
  std::int64_t checked_ms_ = 0;
};

}  // namespace lanyard
