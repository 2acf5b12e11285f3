// nat ports as a whole: what is filled in, what does not go together; see the header.
#include "switchd/config_nat.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace lanyard {

namespace {

constexpr std::uint32_t router_offset = 2, dns_offset = 3, pool_offset = 15;  // as QEMU's and libvirt's users know them
constexpr std::uint32_t small_pool_offset = 4;
constexpr std::uint8_t small_prefix = 28;  // from here on there is no room before .15

Ipv4Address plus(Ipv4Address address, std::uint32_t offset) { return Ipv4Address(address.value() + offset); }

// Those in the network that belong to the gateway or to others that VMs are told of, in order: no VM may have one.
std::vector<Ipv4Address> taken_addresses(const GatewayConfig& gateway) {
  std::vector<Ipv4Address> taken{gateway.router, gateway.dns, gateway.via, gateway.next_server};
  for (const std::string& server : gateway.nameservers) taken.push_back(parse_ipv4(server).value_or(Ipv4Address()));
  std::sort(taken.begin(), taken.end());
  return taken;
}

// The longest part of the usual range that holds none of those.
void fill_in_pool(GatewayConfig& gateway) {
  const Ipv4Network& network = gateway.network;
  const Ipv4Address start = plus(network.address, network.prefix < small_prefix ? pool_offset : small_pool_offset);
  const std::uint32_t most = start.value() + static_cast<std::uint32_t>(limits::leases_max) - 1;
  const Ipv4Address last(std::min(network.broadcast().value() - 1, most));
  std::uint32_t longest = 0;
  Ipv4Address first = start;
  const auto consider = [&](Ipv4Address end) {  // [first, end)
    if (end <= first || end.value() - first.value() <= longest) return;
    longest = end.value() - first.value();
    gateway.pool_first = first;
    gateway.pool_last = plus(first, longest - 1);
  };
  for (const Ipv4Address taken : taken_addresses(gateway)) {
    if (taken < first || taken > last) continue;
    consider(taken);
    first = plus(taken, 1);
  }
  consider(plus(last, 1));
}

void fill_in(GatewayConfig& gateway) {
  const Ipv4Network& network = gateway.network;
  if (gateway.router.is_unspecified()) gateway.router = plus(network.address, router_offset);
  if (gateway.dns.is_unspecified()) gateway.dns = plus(network.address, dns_offset);
  if (gateway.pool_first.is_unspecified()) fill_in_pool(gateway);
  // One of the addresses for sites of their own (RFC 4193), made of the IPv4 network: different where those are.
  if (gateway.ipv6_prefix.empty())
    gateway.ipv6_prefix = fmt::format("fd6c:616e:{:x}:{:x}::", network.address.value() >> 16,
                                      network.address.value() & 0xFFFF);
  else if (gateway.ipv6_prefix == "off")
    gateway.ipv6_prefix.clear();
  if (gateway.outbound != Outbound::listed) gateway.outbound_prefixes.clear();  // the word was there
}

class Checks {
 public:
  Checks(const PortConfig& port, std::vector<ConfigError>& errors)
      : gateway_(port.gateway), where_(port.origin.text), errors_(errors) {}

  void all() {
    is_host("router", gateway_.router);
    is_host("dns", gateway_.dns);
    if (!gateway_.via.is_unspecified() && gateway_.via != gateway_.router) is_host("via", gateway_.via);
    if (gateway_.router == gateway_.dns) say("router and dns must be different addresses");
    if (gateway_.network.contains(gateway_.next_server)) is_host("next-server", gateway_.next_server);
    for (const Ipv4Address server : told_nameservers(gateway_))
      if (server != gateway_.dns && gateway_.network.contains(server)) is_host("nameserver", server);
    if (gateway_.pool_first.is_unspecified()) say("no address is left for VMs: give a pool, or a larger network");
    else pool();
    reservations();
    forwards();
  }

 private:
  void say(std::string what) { errors_.push_back({where_, std::move(what)}); }

  void is_host(std::string_view what, Ipv4Address address) {
    const Ipv4Network& network = gateway_.network;
    if (!network.contains(address) || address == network.address || address == network.broadcast())
      say(fmt::format("{}: {} is no address of a host in {}", what, to_string(address), to_string(network)));
  }

  bool is_no_own(std::string_view what, Ipv4Address address) {
    if (address != gateway_.router && address != gateway_.dns) return true;
    say(fmt::format("{}: {} is the gateway's own", what, to_string(address)));
    return false;
  }

  [[nodiscard]] bool in_pool(Ipv4Address address) const {
    return address >= gateway_.pool_first && address <= gateway_.pool_last;
  }

  void pool() {
    is_host("pool", gateway_.pool_first);
    is_host("pool", gateway_.pool_last);
    if (in_pool(gateway_.router)) say(fmt::format("pool: holds the gateway, {}", to_string(gateway_.router)));
    if (gateway_.via != gateway_.router && in_pool(gateway_.via))
      say(fmt::format("pool: holds the router, {}", to_string(gateway_.via)));
    if (in_pool(gateway_.dns)) say(fmt::format("pool: holds the DNS server, {}", to_string(gateway_.dns)));
    for (const Ipv4Address server : told_nameservers(gateway_))
      if (server != gateway_.dns && in_pool(server))
        say(fmt::format("pool: holds the DNS server, {}", to_string(server)));
    if (in_pool(gateway_.next_server) && gateway_.next_server != gateway_.router)
      say(fmt::format("pool: holds the next server, {}", to_string(gateway_.next_server)));
    if (gateway_.pool_last.value() - gateway_.pool_first.value() >= limits::leases_max)
      say(fmt::format("pool: more than {} addresses", limits::leases_max));
  }

  void reservations() {
    std::set<std::uint64_t> macs;
    std::set<Ipv4Address> addresses;
    std::set<std::string> names;
    for (const Reservation& reserved : gateway_.reservations) {
      is_host("reserve", reserved.address);
      is_no_own("reserve", reserved.address);
      if (reserved.name == "gateway") say("reserve: 'gateway' is the gateway's own name");
      if (!macs.insert(reserved.mac.value()).second)
        say(fmt::format("reserve: {} has two reservations", to_string(reserved.mac)));
      if (!addresses.insert(reserved.address).second)
        say(fmt::format("reserve: {} is reserved twice", to_string(reserved.address)));
      if (!names.insert(reserved.name).second) say(fmt::format("reserve: two have the name '{}'", reserved.name));
    }
  }

  void forwards() {
    std::set<std::string> taken;
    for (const Forward& forward : gateway_.forwards) {
      const auto guest = guest_address(gateway_, forward);
      if (!guest)
        say(fmt::format("forward {}: no reservation has the name '{}'", to_string(forward), forward.guest));
      else if (is_no_own("forward", *guest))
        is_host("forward", *guest);
      if (!taken.insert(fmt::format("{}:{}:{}", forward.udp ? "udp" : "tcp", forward.host, forward.port)).second)
        say(fmt::format("forward {}: that port of this host is forwarded already", to_string(forward)));
    }
  }

  const GatewayConfig& gateway_;
  const std::string& where_;
  std::vector<ConfigError>& errors_;
};

// Two gateways on one network would both give addresses of the same kind to the same guests.
void check_overlaps(const std::vector<const PortConfig*>& by_age, std::vector<ConfigError>& errors) {
  std::vector<const PortConfig*> gateways;
  for (const PortConfig* port : by_age)
    if (port->type == PortType::nat && !port->origin.has_mistakes) gateways.push_back(port);
  for (auto place = gateways.begin(); place != gateways.end(); ++place) {
    const PortConfig& port = **place;
    const Ipv4Network& here = port.gateway.network;
    const auto rival = std::find_if(gateways.begin(), place, [&](const PortConfig* other) {
      const Ipv4Network& there = other->gateway.network;
      return other->network == port.network && (here.contains(there.address) || there.contains(here.address));
    });
    const auto rival6 = std::find_if(gateways.begin(), place, [&](const PortConfig* other) {
      return other->network == port.network && !other->gateway.ipv6_prefix.empty() &&
             other->gateway.ipv6_prefix == port.gateway.ipv6_prefix;
    });
    if (rival == place && rival6 != place)
      errors.push_back({port.origin.text, fmt::format("ipv6 is {}/64 as of {}, on the same network",
                                                      port.gateway.ipv6_prefix, (*rival6)->origin.text)});
    if (rival != place)
      errors.push_back({port.origin.text, fmt::format("{} overlaps {} of {}, on the same network", to_string(here),
                                                      to_string((*rival)->gateway.network), (*rival)->origin.text)});
  }
}

}  // namespace

void complete_nat(Config& config, const std::vector<const PortConfig*>& by_age, std::vector<ConfigError>& errors) {
  for (PortConfig& port : config.ports) {
    if (port.type != PortType::nat || port.origin.has_mistakes) continue;
    fill_in(port.gateway);
    Checks(port, errors).all();
  }
  check_overlaps(by_age, errors);
}

}  // namespace lanyard
