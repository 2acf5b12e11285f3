// Who has which IPv4 address: the leases of one network. Decisions only; the messages are dhcp_server.h, the
// file is lease_file.h. `now` is in seconds of the calendar (Unix), since leases outlive the process.
//
// States of an address:  free -> offered (held for a moment) -> bound -> expired (remembered, so that its
// guest gets it again, until another needs it, the longest expired first) ; used (by somebody without a
// lease, as its frames, an answer to a probe or a DHCPDECLINE say; for a while after each) -> free A reserved
// address is bound to its MAC for good and is never given to another.
//
// A lease is no sign of life: a VM that is destroyed does not give it back, and one whose host slept past its
// end is still there. So a lease that ends is kept until its station has been asked and is silent
// (end_soon(), silent()), and one that is silent counts again as soon as its station is heard. And a name is
// its guest's only while that can be reached: another guest that calls itself so claims the name, and gets it
// when the present one is silent or has left. Who asks is lease_keeper.h. A reserved name never moves.
//
// Bounded by the addresses of the pool and of the reservations; what is done for one message walks over none
// of them but what it changes (lease_index.h). One thread.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"
#include "switchd/gateway/lease_index.h"

namespace lanyard {

struct Reservation {
  MacAddress mac;
  Ipv4Address address;
  std::string name;
  friend bool operator==(const Reservation&, const Reservation&) = default;
};

struct Lease {
  static constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();
  enum class State : std::uint8_t { offered, bound, used };
  // What is known of the station when the lease's time is over.
  enum class Afterwards : std::uint8_t { unasked, kept, silent, released };
  MacAddress mac;              // used: whose frames say so, or none
  Ipv4Address address;
  std::string name;            // a label for DNS, or empty
  State state = State::offered;
  std::int64_t expires_s = 0;  // of a reservation: forever
  std::string host_name{};     // what it called itself when it last said so, as it came
  std::string claim{};         // the label that it would have, were it not another's
  std::uint64_t claim_number = 0;  // the later claim, the larger
  Afterwards afterwards = Afterwards::unasked;
  bool is_probed = false;      // offered: nobody else has answered
  bool is_told = false;        // used: people have been told
  MacAddress intruder{};       // bound: another that was heard at the address since its own station was
};

// A name that has gone from one guest to another.
struct NameMove {
  std::string name;
  MacAddress from;  // none: nobody had it any more
  MacAddress to;
  Ipv4Address to_address;
};

struct LeaseOptions {
  Ipv4Address first;  // of the pool
  Ipv4Address last;
  std::uint32_t lease_seconds = 0;
  std::vector<Reservation> reservations;
};

class LeaseTable {
 public:
  explicit LeaseTable(LeaseOptions options);

  // The address to offer to `mac`: its own, else the one it asks for if that is free, else the first free or longest
  // expired. Held for a moment. Nothing when the pool is used up.
  [[nodiscard]] std::optional<Ipv4Address> offer(MacAddress mac, std::optional<Ipv4Address> wanted, std::int64_t now_s);
  // Leases `address` to `mac`; false when it is another's, or none of ours to give.
  [[nodiscard]] bool bind(MacAddress mac, Ipv4Address address, const std::string& host_name, std::int64_t now_s);
  void release(MacAddress mac, Ipv4Address address, std::int64_t now_s);
  // Its guest says that somebody else uses it: not given to anyone for a while. False where it is not leased to `mac`
  // by the pool.
  bool decline(MacAddress mac, Ipv4Address address, std::int64_t now_s);

  // What was offered last to `mac` and must be probed first; nothing: nobody else can have it, or that was done.
  [[nodiscard]] std::optional<Ipv4Address> to_probe(MacAddress mac, std::int64_t now_s) const;
  void probed(MacAddress mac, Ipv4Address address);  // nobody else is there
  // `by`, which has no lease of it, uses the address; `is_told`: people know. False: it is reserved, or not of the
  // pool.
  bool use(Ipv4Address address, MacAddress by, std::int64_t now_s, bool is_told = false);
  // Those in use that offer() has passed over, once each.
  [[nodiscard]] std::vector<Lease> take_passed_over();

  // `mac` is heard at `address`. True: that is another's, and this is the first that was heard of it.
  [[nodiscard]] bool hear(Ipv4Address address, MacAddress mac, std::int64_t now_s);
  // Leases whose time is over or about to be, once each: they are kept until silent().
  [[nodiscard]] std::vector<Lease> end_soon(std::int64_t now_s);
  // Those whose time is over and which are kept, and those whose name another claims.
  [[nodiscard]] std::vector<Lease> to_ask(std::int64_t now_s) const;
  // The holder of the name that `mac` claims.
  [[nodiscard]] const Lease* claimed_from(MacAddress mac, std::int64_t now_s) const;
  // The station of this lease does not answer: it is over where its time is, and its name is another's that claims it.
  void silent(MacAddress mac, Ipv4Address address, std::int64_t now_s);
  // Gives names that nobody has any more to who claims them, and returns these and what silent() has moved.
  [[nodiscard]] std::vector<NameMove> take_moves(std::int64_t now_s);

  // Bound and not expired, or kept, or reserved; nullptr: none.
  [[nodiscard]] const Lease* find(Ipv4Address address, std::int64_t now_s) const;
  [[nodiscard]] const Lease* find(MacAddress mac, std::int64_t now_s) const;
  [[nodiscard]] const Lease* find_name(const std::string& name, std::int64_t now_s) const;

  // For the file: those bound, expired ones included. Loading leaves out what does not fit the options any more.
  [[nodiscard]] std::vector<Lease> bound() const;
  // Those that have ended count again when their station is heard. Returns those that have not ended and are
  // left out, since their address is not of the pool any more, or another's by a reservation.
  std::vector<Lease> load(const std::vector<Lease>& leases, std::int64_t now_s);
  [[nodiscard]] std::uint64_t changes() const { return changes_; }  // that the file should know of, ever

  [[nodiscard]] std::size_t capacity() const;
  [[nodiscard]] bool is_reserved(const std::string& name) const;

 private:
  [[nodiscard]] bool in_pool(Ipv4Address address) const;
  [[nodiscard]] bool is_free(Ipv4Address address, MacAddress mac, std::int64_t now_s) const;
  [[nodiscard]] std::optional<Ipv4Address> find_free(MacAddress mac, std::int64_t now_s);
  void pass_over(Ipv4Address address, std::int64_t now_s);
  void pass_over_below(std::optional<Ipv4Address> address, std::int64_t now_s);
  [[nodiscard]] Lease* of_mac(MacAddress mac);
  [[nodiscard]] Lease* latest_claim(const std::string& name, std::int64_t now_s);
  void name(Lease& lease, const std::string& name);
  void give(const std::string& name, Lease& to, MacAddress from);
  Lease& put(MacAddress mac, Ipv4Address address);
  void erase(Ipv4Address address);
  void take_name(Lease& lease, const std::string& host_name, std::int64_t now_s);
  // All that the index knows of a lease changes by this.
  template <typename Edit>
  void change(Lease& lease, Edit edit) {
    index_.take_out(lease);
    edit(lease);
    index_.put_in(lease);
  }

  LeaseOptions options_;
  std::set<std::string> reserved_names_;
  std::map<Ipv4Address, Lease> leases_;
  std::map<std::uint64_t, Ipv4Address> by_mac_;
  std::set<Ipv4Address> unused_;  // of the pool, of which nothing is known
  LeaseIndex index_;
  std::uint64_t changes_ = 0;
  std::uint64_t claims_ = 0;
  std::int64_t next_end_s_ = 0;  // before it end_soon() has nothing to do
  std::int64_t claims_looked_at_s_ = 0;
  std::vector<Lease> passed_over_;
  std::vector<NameMove> moves_;
};

// The label that a host name becomes in DNS: its part before the first dot, in lower case, of letters, digits and
// hyphens, which also stand for underscores and blanks; empty where nothing remains.
[[nodiscard]] std::string dns_label(const std::string& host_name);

// Names that programs look up of themselves and trust: a browser takes its proxy from `wpad`, a Windows host tunnels
// through `isatap` (RFC 5214, 8.3), and `localhost`, with all below it, is everybody's own (RFC 6761, 6.3). A guest
// does not get one by calling itself so; an administrator may give it by a reservation.
[[nodiscard]] bool is_special_name(const std::string& host_name);

}  // namespace lanyard
