// The DHCP server's answers, by the type of the request; see the header.
#include "switchd/gateway/dhcp_server.h"

#include <fmt/format.h>

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
      if (request.requested && to_us && leases_.decline(request.mac, *request.requested, now_s))
        report_("decline", fmt::format("{} says that {} is used by somebody else", to_string(request.mac),
                                       to_string(*request.requested)));
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

std::optional<DhcpReply> DhcpServer::answer_discover(const DhcpRequest& request, std::int64_t now_s) {
  const auto address = leases_.offer(request.mac, request.requested, now_s);
  if (address) return make_reply(DhcpType::offer, *address);
  report_("pool", fmt::format("no address is left for {}: all {} of the pool are leased", to_string(request.mac),
                              leases_.capacity()));
  return std::nullopt;
}

std::optional<DhcpReply> DhcpServer::answer_request(const DhcpRequest& request, std::int64_t now_s) {
  if (request.server && *request.server != options_.server) {  // it chose another's offer
    report_("other server", fmt::format("another DHCP server, {}, is on this network: {} uses it",
                                        to_string(*request.server), to_string(request.mac)));
    return std::nullopt;
  }
  const Ipv4Address address = request.requested.value_or(request.client);
  const auto wants_special_name = [&] {
    const Lease* lease = leases_.find(request.mac, now_s);
    return lease != nullptr && lease->wants_special_name;
  };
  const bool told = wants_special_name();  // once for a lease, not each time it is renewed
  if (leases_.bind(request.mac, address, request.host_name, now_s)) {
    if (!told && wants_special_name())
      report_("name", fmt::format("{} calls itself {}, a name that no guest gets by asking for it",
                                  to_string(request.mac), request.host_name));
    DhcpReply reply = make_reply(DhcpType::ack, address);
    if (const Lease* lease = leases_.find(request.mac, now_s)) reply.host_name = lease->name;
    return reply;
  }
  DhcpReply refusal;
  refusal.type = DhcpType::nak;
  refusal.server = options_.server;
  refusal.message = options_.network.contains(address) ? "address not available" : "wrong network";
  return refusal;
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
