// What a DHCP server answers (RFC 2131, 4.3): one request in, at most one answer out. Messages are frames/dhcp.h,
// addresses lease_table.h. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "frames/dhcp.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/lease_table.h"

namespace lanyard {

struct DhcpOptions {
  Ipv4Network network;
  Ipv4Address server;  // our own
  std::optional<Ipv4Address> router;
  std::vector<Ipv4Address> dns;
  std::uint16_t mtu = 1500;
  std::uint32_t lease_seconds = 3600;
  std::string domain;
  Ipv4Address next_server;  // unspecified: none
  std::string bootfile;
  std::vector<DhcpOption> more;
};
[[nodiscard]] DhcpOptions dhcp_options_of(const GatewayConfig& config);

class DhcpServer {
 public:
  // What happened, for people: one line each time, of a kind of which there are few.
  using Report = std::function<void(const char* kind, const std::string& line)>;

  DhcpServer(DhcpOptions options, LeaseTable& leases, Report report);

  // The address to probe before `request` is answered; nothing: answer() it.
  [[nodiscard]] std::optional<Ipv4Address> to_probe(const DhcpRequest& request, std::int64_t now_s);
  [[nodiscard]] std::optional<DhcpReply> answer(const DhcpRequest& request, std::int64_t now_s);
  void change(DhcpOptions options) { options_ = std::move(options); }  // those that get or renew a lease are told

  // An answer of a server has come from the network. It is another's: nobody hears himself.
  void hear_answer(const DhcpServerSeen& answer, Ipv4Address from, MacAddress mac);
  // `mac`, of which a frame has come from the network, has our address `own`. True: it had not been heard before.
  bool hear_rival(Ipv4Address own, MacAddress mac);

 private:
  [[nodiscard]] bool is_new_rival(Ipv4Address address, MacAddress mac);
  [[nodiscard]] std::optional<DhcpReply> answer_discover(const DhcpRequest& request, std::int64_t now_s);
  [[nodiscard]] std::optional<DhcpReply> answer_request(const DhcpRequest& request, std::int64_t now_s);
  void tell_of_name(const Lease& lease, std::int64_t now_s);
  void answer_decline(const DhcpRequest& request, std::int64_t now_s);
  [[nodiscard]] std::optional<DhcpFqdn> answer_fqdn(const DhcpRequest& request, const std::string& name) const;
  [[nodiscard]] DhcpReply make_reply(DhcpType type, Ipv4Address address) const;

  DhcpOptions options_;
  LeaseTable& leases_;
  Report report_;
  std::set<std::pair<Ipv4Address, std::uint64_t>> rivals_;  // of which people have been told
};

}  // namespace lanyard
