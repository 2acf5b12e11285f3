// Who has which IPv4 address: the leases of one network. Decisions only; the messages are dhcp_server.h, the file is
// lease_file.h. `now` is in seconds of the calendar (Unix), since leases outlive the process.
//
// States of an address:  free -> offered (held for a moment) -> bound -> expired (remembered, so that its guest gets it
// again, until another needs it, the longest expired first) ; declined (somebody uses it without asking) -> free
// A reserved address is bound to its MAC for good and is never given to another.
//
// Bounded by the addresses of the pool and of the reservations. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

struct Reservation {
  MacAddress mac;
  Ipv4Address address;
  std::string name;
  friend bool operator==(const Reservation&, const Reservation&) = default;
};

struct Lease {
  enum class State : std::uint8_t { offered, bound, declined };
  MacAddress mac;
  Ipv4Address address;
  std::string name;            // a label for DNS, or empty
  State state = State::offered;
  std::int64_t expires_s = 0;  // of a reservation: the largest number there is
  bool wants_special_name = false;
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
  // Somebody else uses it: not given to anyone for a while. False where it is not leased to `mac` by the pool.
  bool decline(MacAddress mac, Ipv4Address address, std::int64_t now_s);

  // Bound and not expired, or reserved; nullptr: none.
  [[nodiscard]] const Lease* find(Ipv4Address address, std::int64_t now_s) const;
  [[nodiscard]] const Lease* find(MacAddress mac, std::int64_t now_s) const;
  [[nodiscard]] const Lease* find_name(const std::string& name, std::int64_t now_s) const;

  // For the file: those bound, expired ones included. Loading leaves out what does not fit the options any more.
  [[nodiscard]] std::vector<Lease> bound() const;
  void load(const std::vector<Lease>& leases);
  [[nodiscard]] std::uint64_t changes() const { return changes_; }  // that the file should know of, ever

  [[nodiscard]] std::size_t capacity() const;

 private:
  [[nodiscard]] bool in_pool(Ipv4Address address) const;
  [[nodiscard]] bool is_free(Ipv4Address address, MacAddress mac, std::int64_t now_s) const;
  [[nodiscard]] std::optional<Ipv4Address> find_free(MacAddress mac, std::int64_t now_s) const;
  Lease& put(MacAddress mac, Ipv4Address address);
  void erase(Ipv4Address address);
  void take_name(Lease& lease, const std::string& host_name, std::int64_t now_s);

  LeaseOptions options_;
  std::map<Ipv4Address, Lease> leases_;
  std::map<std::uint64_t, Ipv4Address> by_mac_;
  std::uint64_t changes_ = 0;
};

// The label that a host name becomes in DNS: its part before the first dot, in lower case, of letters, digits and
// hyphens; empty where nothing remains.
[[nodiscard]] std::string dns_label(const std::string& host_name);

// Names that programs look up of themselves and trust: a browser takes its proxy from `wpad`, a Windows host tunnels
// through `isatap` (RFC 5214, 8.3), and `localhost`, with all below it, is everybody's own (RFC 6761, 6.3). A guest
// does not get one by calling itself so; an administrator may give it by a reservation.
[[nodiscard]] bool is_special_name(const std::string& host_name);

}  // namespace lanyard
