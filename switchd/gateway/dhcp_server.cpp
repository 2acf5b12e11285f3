// The DHCP server's answers, by the type of the request; see the header.
#include "switchd/gateway/dhcp_server.h"

#include <fmt/format.h>

#include <algorithm>

namespace lanyard {

DhcpOptions dhcp_options_of(const GatewayConfig& config) {
  DhcpOptions options;
  options.network = config.network;
  options.server = config.router;
  options.router = told_router(config);
  options.dns = told_nameservers(config);
  options.mtu = config.mtu;
  options.lease_seconds = config.lease_seconds;
  options.domain = config.domain;
  options.next_server = told_next_server(config);
  options.bootfile = config.bootfile;
  for (const std::string& text : config.dhcp_options)
    if (DhcpOption option; read_dhcp_option(text, option).empty()) options.more.push_back(std::move(option));
  return options;
}

DhcpServer::DhcpServer(DhcpOptions options, LeaseTable& leases, Report report)
    : options_(std::move(options)), leases_(leases), report_(std::move(report)) {}

std::optional<DhcpReply> DhcpServer::answer(const DhcpRequest& request, std::int64_t now_s) {
  if (request.mac.is_group() || request.mac == MacAddress()) return std::nullopt;
  const bool to_us = request.server.value_or(options_.server) == options_.server;
  switch (request.type) {
    case DhcpType::discover: return answer_discover(request, now_s);
    case DhcpType::request: return answer_request(request, now_s);
    case DhcpType::decline:
      if (to_us) answer_decline(request, now_s);
      return std::nullopt;
    case DhcpType::release:
      if (to_us) leases_.release(request.mac, request.client, now_s);
      return std::nullopt;
    case DhcpType::inform: {
      DhcpReply reply = make_reply(DhcpType::ack, Ipv4Address());
      reply.lease_seconds = reply.renew_seconds = reply.rebind_seconds = 0;  // it has its address from elsewhere
      return reply;
    }
    default: return std::nullopt;  // what servers send
  }
}

std::optional<Ipv4Address> DhcpServer::to_probe(const DhcpRequest& request, std::int64_t now_s) {
  if (request.type != DhcpType::discover || request.mac.is_group() || request.mac == MacAddress()) return std::nullopt;
  if (!leases_.offer(request.mac, request.requested, now_s)) return std::nullopt;
  return leases_.to_probe(request.mac, now_s);
}

// A reserved address stays its guest's.
void DhcpServer::answer_decline(const DhcpRequest& request, std::int64_t now_s) {
  if (!request.requested) return;
  const Lease* lease = leases_.find(*request.requested, now_s);
  const bool is_its_own = lease != nullptr && lease->mac == request.mac;
  if (!leases_.decline(request.mac, *request.requested, now_s) && !is_its_own) return;
  report_("address_in_use", fmt::format("{} says that {} is used by somebody else", to_string(request.mac),
                                        to_string(*request.requested)));
}

void DhcpServer::hear_answer(const DhcpServerSeen& answer, Ipv4Address from, MacAddress mac,
                             std::int64_t now_s) {
  if (answer.yours.is_unspecified() && answer.type != DhcpType::nak) return;  // it gives no addresses
  const Ipv4Address server = answer.server.value_or(from);
  if (server == options_.server || from == options_.server)
    return (void)hear_rival(options_.server, mac, now_s);
  if (const auto others = rivals_.hear(server, MacAddress(), now_s))
    tell_of_rival(
        fmt::format(
            "another DHCP server, {} ({}), answers on this network: a VM takes whichever is first; let "
            "one of them serve it",
            to_string(server), to_string(mac)),
        *others);
}

bool DhcpServer::hear_rival(Ipv4Address own, MacAddress mac, std::int64_t now_s) {
  const auto others = rivals_.hear(own, mac, now_s);
  if (!others) return false;
  tell_of_rival(
      fmt::format(
          "{}, which is an address of this gateway, is used by another on this network, {}: perhaps a "
          "second nat port. VMs may get one address twice, or lose their way out. Leave nat to one host "
          "of the LAN, or give each its own router=, dns= and pool=",
          to_string(own), to_string(mac)),
      *others);
  return true;
}

void DhcpServer::tell_of_rival(const std::string& line, std::uint64_t others) {
  if (others == 0) return report_("other_gateway", line);
  report_("other_gateway",
          fmt::format("{} (before it, {} frames of others that are not told of: some may be forged)", line,
                      others));
}

std::optional<DhcpReply> DhcpServer::answer_discover(const DhcpRequest& request, std::int64_t now_s) {
  const auto address = leases_.offer(request.mac, request.requested, now_s);
  if (address) return make_reply(DhcpType::offer, *address);
  report_("pool", fmt::format("no address is left for {}: all {} of the pool are leased or used",
                              to_string(request.mac), leases_.capacity()));
  return std::nullopt;
}

std::optional<DhcpReply> DhcpServer::answer_request(const DhcpRequest& request, std::int64_t now_s) {
  if (request.server && *request.server != options_.server) {  // it chose another's offer
    if (const auto others = rivals_.hear(*request.server, MacAddress(), now_s))
      tell_of_rival(
          fmt::format("another DHCP server, {}, is on this network, and {} uses it: let one of them serve it",
                      to_string(*request.server), to_string(request.mac)),
          *others);
    return std::nullopt;
  }
  const Ipv4Address address = request.requested.value_or(request.client);
  const Lease* before = leases_.find(request.mac, now_s);
  const std::string said = before == nullptr ? std::string() : before->host_name;
  if (leases_.bind(request.mac, address, name_of_client(request), now_s)) {
    DhcpReply reply = make_reply(DhcpType::ack, address);
    if (const Lease* lease = leases_.find(request.mac, now_s)) {
      if (lease->host_name != said) tell_of_name(*lease, now_s);  // once, not each time it is renewed
      reply.host_name = lease->name;
      reply.fqdn = answer_fqdn(request, lease->name);
    }
    return reply;
  }
  DhcpReply refusal;
  refusal.type = DhcpType::nak;
  refusal.server = options_.server;
  refusal.message = options_.network.contains(address) ? "address not available" : "wrong network";
  return refusal;
}

// Where a guest's name is not what it calls itself.
void DhcpServer::tell_of_name(const Lease& lease, std::int64_t now_s) {
  const std::string first = lease.host_name.substr(0, lease.host_name.find('.'));
  const std::string label = dns_label(lease.host_name);
  const bool differs = !std::equal(first.begin(), first.end(), label.begin(), label.end(),
                                   [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
  const Lease* holder = leases_.find_name(label, now_s);
  if (is_special_name(lease.host_name))
    report_("name", fmt::format("{} calls itself {}, a name that no guest gets by asking for it", to_string(lease.mac),
                                lease.host_name));
  else if (label.empty() && !lease.host_name.empty())
    report_("name", fmt::format("{} calls itself {}, of which no name can be made: letters, digits and hyphens",
                                to_string(lease.mac), lease.host_name));
  else if (holder != nullptr && holder->mac != lease.mac)
    report_("name", fmt::format("{} calls itself {}, which is {}", to_string(lease.mac), label,
                                leases_.is_reserved(label)
                                    ? fmt::format("reserved for {}", to_string(holder->mac))
                                    : fmt::format("the name of {}: it gets it when that does not answer any more",
                                                  to_string(holder->mac))));
  else if (differs)
    report_("name", fmt::format("{} calls itself {}: its name here is {}", to_string(lease.mac), lease.host_name,
                                label));
}

// RFC 4702, 4: in the client's encoding; the names of a gateway's guests are the gateway's to tell, whatever a client
// would do itself.
std::optional<DhcpFqdn> DhcpServer::answer_fqdn(const DhcpRequest& request, const std::string& name) const {
  if (!request.fqdn) return std::nullopt;
  DhcpFqdn fqdn;
  fqdn.flags = request.fqdn->flags & DhcpFqdn::wire_format;
  if ((request.fqdn->flags & DhcpFqdn::no_updates) != 0) fqdn.flags |= DhcpFqdn::no_updates;
  else fqdn.flags |= DhcpFqdn::server_updates;
  const int differs = (request.fqdn->flags ^ fqdn.flags) & DhcpFqdn::server_updates;
  if (differs != 0) fqdn.flags |= DhcpFqdn::overridden;
  if (!name.empty()) fqdn.name = name + "." + options_.domain;
  return fqdn;
}

DhcpReply DhcpServer::make_reply(DhcpType type, Ipv4Address address) const {
  DhcpReply reply;
  reply.type = type;
  reply.yours = address;
  reply.server = options_.server;
  reply.lease_seconds = options_.lease_seconds;
  reply.renew_seconds = options_.lease_seconds / 2;
  reply.rebind_seconds = static_cast<std::uint32_t>(std::uint64_t{options_.lease_seconds} * 7 / 8);
  reply.mask = options_.network.mask();
  if (options_.router) reply.routers = {*options_.router};
  reply.dns = options_.dns;
  reply.domain = options_.domain;
  reply.mtu = options_.mtu;
  reply.next_server = options_.next_server;
  reply.bootfile = options_.bootfile;
  reply.more = options_.more;
  return reply;
}

}  // namespace lanyard
