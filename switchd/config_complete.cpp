// What only the whole configuration can tell: names of unnamed ports, the networks they join, and what two
// ports cannot have at once. Pure functions of their arguments; ports with mistakes of their own are still
// counted, so that numbers and names do not shift when those are mended.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "switchd/address.h"
#include "switchd/config_nat.h"
#include "switchd/config_text.h"
#include "switchd/network_keys.h"

namespace lanyard {

namespace {

constexpr std::size_t wire_ports_max = 2;

using PortsByAge = std::vector<const PortConfig*>;

// All ports: those that were there before a change come first, so that of two which do not go together the changed one
// is told of. Else in order.
PortsByAge ports_by_age(const Config& config) {
  PortsByAge ports;
  ports.reserve(config.ports.size());
  for (const PortConfig& port : config.ports) ports.push_back(&port);
  std::stable_partition(ports.begin(), ports.end(), [](const PortConfig* port) { return port->origin.is_kept; });
  return ports;
}

void check_names(const PortsByAge& ports, std::vector<ConfigError>& errors) {
  std::map<std::string_view, const PortConfig*> named;
  for (const PortConfig* port : ports) {
    if (port->name.empty()) continue;
    const auto [first, is_new] = named.emplace(port->name, port);
    if (!is_new)
      errors.push_back({port->origin.text,
                        fmt::format("the name '{}' is taken by {}", port->name, first->second->origin.text)});
  }
}

// The number counts the ports of the type in order, named ones too, and goes on past names that are taken:
// the second udp port is udp2 whether or not the first has a name.
void name_ports(Config& config) {
  std::set<std::string, std::less<>> taken;
  for (const PortConfig& port : config.ports) taken.insert(port.name);
  std::map<PortType, std::size_t> numbers;
  for (PortConfig& port : config.ports) {
    std::size_t& number = numbers[port.type];
    ++number;
    if (!port.name.empty()) continue;
    while (!taken.insert(fmt::format("{}{}", name_of(port.type), number)).second) ++number;
    port.name = fmt::format("{}{}", name_of(port.type), number);
  }
}

std::vector<std::string_view> network_names(const std::map<std::string, NetworkConfig>& networks) {
  std::vector<std::string_view> names;
  names.reserve(networks.size());
  for (const auto& [name, network] : networks) names.push_back(name);
  return names;
}

// Gives every port its network. See config.h for the rule.
void join_networks(Config& config, std::vector<ConfigError>& errors) {
  const std::map<std::string, NetworkConfig> declared = config.networks;
  for (PortConfig& port : config.ports) {
    const bool named = !port.network.empty();
    if (!named) port.network = config.default_network;
    if (declared.empty() || declared.contains(port.network)) {
      config.networks.try_emplace(port.network);
      continue;
    }
    if (named && port.network != config.default_network) {
      errors.push_back({port.origin.text, unknown_word("network", port.network, network_names(declared))});
      continue;
    }
    config.networks.try_emplace(port.network);
    config.warnings.push_back(
        {port.origin.text, fmt::format("joins the default network {}, which is not among "
                                       "those declared ({})",
                                       port.network, listed(network_names(declared), "and"))});
  }
}

// The third port of a wire is wrong; where all three were there before, what made a wire of their network is.
void check_wire(const std::string& name, const PortsByAge& members, std::vector<ConfigError>& errors) {
  if (members.size() <= wire_ports_max) return;
  const PortConfig& third = *members[wire_ports_max];
  if (!third.origin.is_kept) {
    errors.push_back({third.origin.text, fmt::format("network '{}' is a wire, which has two ports, and this is its "
                                                     "third; a hub joins any number",
                                                     name)});
    return;
  }
  std::vector<std::string_view> names;
  for (const PortConfig* port : members) names.push_back(port->name);
  errors.push_back({fmt::format("network '{}'", name),
                    fmt::format("a wire has two ports, and {} join it; a hub joins any number", listed(names, "and"))});
}

void check_networks(Config& config, const PortsByAge& ports, std::vector<ConfigError>& errors) {
  std::map<std::string_view, PortsByAge> members;
  for (const PortConfig* port : ports)
    if (!port->origin.has_mistakes) members[port->network].push_back(port);
  for (const auto& [name, network] : config.networks) {
    const std::string where = fmt::format("network {}", name);
    const auto joined = members.find(name);
    if (joined == members.end()) config.warnings.push_back({where, "no port joins it"});
    else if (network.kind == NetworkKind::wire) check_wire(name, joined->second, errors);
    for (const std::string_view key : idle_keys(network))
      config.warnings.push_back({where, fmt::format("{} has no effect in a {}", key, name_of(network.kind))});
  }
}

// What a port occupies on this machine, in a form that is equal for two ports which cannot both have it;
// empty where only the kernel can tell.
std::string occupied(const PortConfig& port) {
  switch (port.type) {
    case PortType::tcp_listen:
      return port.address.port == 0 ? "" : fmt::format("TCP address {}", to_string(port.address));
    case PortType::udp:  // where the host is left out, the route to each remote chooses it
      return port.address.port == 0 || port.address.host.empty()
                 ? ""
                 : fmt::format("UDP address {}", to_string(port.address));
    case PortType::unix_listen:
    case PortType::unix_dgram:
      return port.path.empty() ? "" : fmt::format("path {}", port.path);
    case PortType::mcast:  // the kernel would allow it, and every frame would go round in a circle
      return port.address.port == 0 || port.origin.has_mistakes  // its network may be another
                 ? ""
                 : fmt::format("group {} in network {}", to_string(port.address), port.network);
    case PortType::tap:
    case PortType::nic:  // of two on one interface each would hear what the other sends
      return port.interface.empty() ? "" : fmt::format("interface {}", port.interface);
    case PortType::tcp_connect:
    case PortType::unix_connect:
    case PortType::nat:
      return "";
  }
  return "";
}

void check_addresses(const PortsByAge& ports, std::vector<ConfigError>& errors) {
  std::map<std::string, const PortConfig*> users;
  for (const PortConfig* port : ports) {
    const std::string what = occupied(*port);
    if (what.empty()) continue;
    const auto [first, is_new] = users.emplace(what, port);
    if (!is_new)
      errors.push_back(
          {port->origin.text, fmt::format("{} is used by {} already", what, first->second->origin.text)});
  }
}

bool allows_family(const PortConfig& port, bool v6) {
  return std::any_of(port.allow.begin(), port.allow.end(), [&](const Cidr& cidr) { return cidr.v6 == v6; });
}

bool is_udp_for_many(const PortConfig& port) { return port.type == PortType::udp && !port.allow.empty(); }

// A udp port has one socket and so addresses of one family. Where its host is left out, loopback is of the family
// that `allow` has; of both, IPv4.
bool loopback_is_v6(const PortConfig& port) { return !allows_family(port, false); }

void fill_in_loopback(Config& config) {
  for (PortConfig& port : config.ports)
    if (is_udp_for_many(port) && port.address.host.empty())
      port.address.host = loopback_is_v6(port) ? "::1" : "127.0.0.1";
}

bool allows_loopback(const PortConfig& port) {
  constexpr std::array<std::uint8_t, 4> v4_loopback = {127, 0, 0, 1};
  const Cidr v6_loopback = *parse_cidr("::1");
  return std::any_of(port.allow.begin(), port.allow.end(), [&](const Cidr& cidr) {
    return cidr.contains(false, v4_loopback.data()) || cidr.contains(true, v6_loopback.address.data()) ||
           (!cidr.v6 && cidr.address[0] == v4_loopback[0]);
  });
}

// An address that is bound hears senders of its own family only, and so does [::] (open_sockets.cpp: IPV6_V6ONLY).
void warn_of_deaf_prefixes(const PortConfig& port, std::vector<ConfigError>& warnings) {
  const bool host_left_out = port.address.host.empty() && is_udp_for_many(port);
  const bool binds_v6 = is_ipv6(port.address.host) || (host_left_out && loopback_is_v6(port));
  const bool binds_v4 = is_ipv4(port.address.host) || (host_left_out && !loopback_is_v6(port));
  if ((binds_v6 && allows_family(port, false)) || (binds_v4 && allows_family(port, true)))
    warnings.push_back(
        {port.origin.text, fmt::format("it binds an {} address, which the {} senders in allow cannot reach: "
                                       "give them a port of their own, with an address such as {}",
                                       binds_v6 ? "IPv6" : "IPv4", binds_v6 ? "IPv4" : "IPv6",
                                       binds_v6 ? "0.0.0.0" : "[::]")});
}

// Who can send us frames? QEMU's protocols carry no authentication, so what is open to all deserves a word,
// and so does what is open to nobody.
void warn_of_exposure(Config& config) {
  for (const PortConfig& port : config.ports) {
    if (port.type == PortType::tcp_listen && port.allow.empty() && !is_loopback(port.address.host))
      config.warnings.push_back(
          {port.origin.text,
           "any machine that reaches this address can join: QEMU's protocols carry no "
           "authentication, so add allow (CIDR), or leave HOST out to stay on loopback"});
    if (!port.allow.empty() && port.address.host.empty() && !allows_loopback(port))
      config.warnings.push_back(
          {port.origin.text,
           fmt::format("HOST is left out, so it binds loopback, where none of the allowed can be: name "
                       "the address to bind, such as {}",
                       allows_family(port, false) ? "0.0.0.0" : "[::]")});
    else
      warn_of_deaf_prefixes(port, config.warnings);
  }
}

// The default folder of the control socket is made for one user.
void warn_of_closed_folder(Config& config) {
  if (!config.control_group.empty() && !config.control)
    config.warnings.push_back({"control-group", "its members cannot enter the folder of the default control socket: give "
                                                "control a path whose folder they can"});
}

// Who asks from another machine cannot be told by the kernel: a token must.
void check_http(const Config& config, std::vector<ConfigError>& errors) {
  if (config.unclear.contains("http") || config.unclear.contains("http-token")) return;
  if (config.http && !is_loopback(config.http->host) && config.http_token.empty())
    errors.push_back({"http", fmt::format("other machines may reach {}: expected http-token, a file with the token that "
                                          "they have to know, or an address such as 127.0.0.1",
                                          to_string(*config.http))});
  if (!config.http && !config.http_token.empty())
    errors.push_back({"http-token", "expected http, the address where it counts"});
}

}  // namespace

void complete(Config& config, std::vector<ConfigError>& errors) {
  const PortsByAge by_age = ports_by_age(config);
  check_names(by_age, errors);
  name_ports(config);
  join_networks(config, errors);
  config.written = config.ports;
  check_networks(config, by_age, errors);
  warn_of_exposure(config);
  fill_in_loopback(config);
  check_addresses(by_age, errors);
  complete_nat(config, by_age, errors);
  warn_of_closed_folder(config);
  check_http(config, errors);
  if (config.ports.size() > limits::ports_max)
    errors.push_back(
        {"ports", fmt::format("{} ports, expected at most {}", config.ports.size(), limits::ports_max)});
  if (config.networks.size() > limits::networks_max)
    errors.push_back({"networks", fmt::format("{} networks, expected at most {}", config.networks.size(),
                                              limits::networks_max)});
}

}  // namespace lanyard
