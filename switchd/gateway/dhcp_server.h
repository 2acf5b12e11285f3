// What a DHCP server answers (RFC 2131, 4.3): one request in, at most one answer out. Messages are frames/dhcp.h,
// addresses lease_table.h. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "frames/dhcp.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/lease_table.h"
#include "switchd/gateway/rivals.h"

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
  void hear_answer(const DhcpServerSeen& answer, Ipv4Address from, MacAddress mac, std::int64_t now_s);
  // `mac`, of which a frame has come from the network, has our address `own`. True: people have been told
  // now.
  bool hear_rival(Ipv4Address own, MacAddress mac, std::int64_t now_s);

 private:
  void tell_of_rival(const std::string& line, std::uint64_t others);
  [[nodiscard]] std::optional<DhcpReply> answer_discover(const DhcpRequest& request, std::int64_t now_s);
  [[nodiscard]] std::optional<DhcpReply> answer_request(const DhcpRequest& request, std::int64_t now_s);
  void tell_of_name(const Lease& lease, std::int64_t now_s);
  void answer_decline(const DhcpRequest& request, std::int64_t now_s);
  [[nodiscard]] std::optional<DhcpFqdn> answer_fqdn(const DhcpRequest& request, const std::string& name) const;
  [[nodiscard]] DhcpReply make_reply(DhcpType type, Ipv4Address address) const;

  DhcpOptions options_;
  LeaseTable& leases_;
  Report report_;
  Rivals rivals_;
};

}  // namespace lanyard
