// The table of port types and keys, and the reader of each value. See port_keys.h; the reader of a whole port
// is in port_reader.cpp. Pure functions of their arguments.
#include "switchd/port_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "switchd/address.h"
#include "switchd/config_text.h"

namespace lanyard {

namespace {

constexpr std::uint32_t mode_max = 0777;

// --- Addresses.

std::string read_bind_address(std::string_view text, PortConfig& port) {
  return read_host_port(text, {.host_required = false, .port_zero = true}, port.address);
}

std::string read_peer_address(std::string_view text, PortConfig& port) {
  return read_host_port(text, {.host_required = true, .port_zero = false}, port.address);
}

std::string read_group_address(std::string_view text, PortConfig& port) {
  return read_multicast_group(text, port.address);
}

std::string read_path(std::string_view text, PortConfig& port) {
  std::string wrong = check_unix_path(text);
  if (wrong.empty()) port.path = text;
  return wrong;
}

std::string read_interface_name(std::string_view text, PortConfig& port) {
  std::string wrong = check_interface_name(text);
  if (wrong.empty()) port.interface = text;
  return wrong;
}

// --- Values of keys.

// A decimal number within min..max, of `unit`.
std::string read_count(std::string_view text, std::string_view unit, std::size_t min, std::size_t max,
                       std::size_t& value) {
  const auto number = parse_number(text, min, max);
  if (!number)
    return fmt::format("expected a number{} from {} to {}, not {}", unit, min, max, in_quotes(text));
  value = *number;
  return {};
}

std::string read_network(std::string_view text, PortConfig& port) {
  std::string wrong = check_network_name(text);
  if (wrong.empty()) port.network = text;
  return wrong;
}

std::string read_max_frame(std::string_view text, PortConfig& port) {
  return read_count(text, " of bytes", limits::frame_bytes_min, limits::frame_bytes_max,
                    port.max_frame_bytes);
}

std::string read_queue(std::string_view text, PortConfig& port) {
  return read_count(text, " of frames", 1, limits::queue_frames_max, port.queue_frames);
}

std::string read_remote(std::string_view text, PortConfig& port) {
  if (port.type == PortType::unix_dgram) {
    std::string wrong = check_unix_path(text);
    if (wrong.empty()) port.remote_path = text;
    return wrong;
  }
  HostPort remote;
  std::string wrong = read_host_port(text, {.host_required = true, .port_zero = false}, remote);
  if (wrong.empty()) port.remote = remote;
  return wrong;
}

std::string read_allow(std::string_view text, PortConfig& port) {
  const auto cidr = parse_cidr(text);
  if (!cidr)
    return fmt::format("expected an address or prefix such as 10.0.0.0/8, fd00::/8 or fe80::%eth0/64, not {}",
                       in_quotes(text));
  port.allow.push_back(*cidr);
  return {};
}

std::string read_mode(std::string_view text, PortConfig& port) {
  std::uint32_t mode = 0;
  bool octal = !text.empty() && text.size() <= 4;
  for (const char c : text) {
    octal = octal && c >= '0' && c <= '7';
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (!octal || mode > mode_max)
    return fmt::format("expected octal permission bits from 0 to 0777, such as 0660, not {}",
                       in_quotes(text));
  port.mode = mode;
  return {};
}

std::string read_group(std::string_view text, PortConfig& port) {
  std::string wrong = check_group(text);
  if (wrong.empty()) port.group = text;
  return wrong;
}

std::string read_interface(std::string_view text, PortConfig& port) {
  std::string wrong = check_interface(text);
  if (wrong.empty()) port.interface = text;
  return wrong;
}

std::string read_ttl(std::string_view text, PortConfig& port) {
  std::size_t ttl = 0;
  std::string wrong = read_count(text, "", 0, 255, ttl);
  if (wrong.empty()) port.ttl = static_cast<std::uint8_t>(ttl);
  return wrong;
}

// --- Values of keys of tap.

std::string read_up_script(std::string_view text, PortConfig& port) {
  std::string wrong = check_path(text);
  if (wrong.empty()) port.up_script = text;
  return wrong;
}

std::string read_down_script(std::string_view text, PortConfig& port) {
  std::string wrong = check_path(text);
  if (wrong.empty()) port.down_script = text;
  return wrong;
}

// --- Values of keys of nat.

std::string read_nat_network(std::string_view text, PortConfig& port) {
  const auto network = parse_ipv4_network(text);
  if (!network || !network->address.is_single_host() || network->prefix < 8 || network->prefix > 29)
    return fmt::format("expected an IPv4 network from /8 to /29, such as 10.0.2.0/24, not {}", in_quotes(text));
  port.gateway.network = *network;
  return {};
}

std::string read_ipv4(std::string_view text, Ipv4Address& address) {
  const auto read = parse_ipv4(text);
  if (!read || read->is_unspecified()) return fmt::format("expected an IPv4 address, not {}", in_quotes(text));
  address = *read;
  return {};
}

std::string read_router(std::string_view text, PortConfig& port) { return read_ipv4(text, port.gateway.router); }

std::string read_dns(std::string_view text, PortConfig& port) { return read_ipv4(text, port.gateway.dns); }

std::string read_via(std::string_view text, PortConfig& port) {
  port.gateway.via_none = text == "none";
  if (port.gateway.via_none) return {};
  const auto address = parse_ipv4(text);
  if (!address || address->is_unspecified())
    return fmt::format("expected none or an IPv4 address, not {}", in_quotes(text));
  port.gateway.via = *address;
  return {};
}

std::string read_dhcp(std::string_view text, PortConfig& port) {
  if (text != "on" && text != "off") return fmt::format("expected on or off, not {}", in_quotes(text));
  port.gateway.dhcp = text == "on";
  return {};
}

std::string read_nameserver(std::string_view text, PortConfig& port) {
  std::vector<std::string>& servers = port.gateway.nameservers;
  const auto v4 = parse_ipv4(text);
  const bool has_zone = text.find('%') != std::string_view::npos;  // which is this host's, not the VM's
  const auto v6 = is_ipv6(text) && !has_zone ? parse_cidr(text) : std::nullopt;
  const bool single = v4 ? v4->is_single_host() : v6 && v6->address[0] != 0 && v6->address[0] != 0xFF;
  if (!single) return fmt::format("expected the IPv4 or IPv6 address of a DNS server, not {}", in_quotes(text));
  const std::string written = v6 ? to_string(*v6).substr(0, to_string(*v6).find('/')) : to_string(*v4);
  if (std::find(servers.begin(), servers.end(), written) != servers.end())
    return fmt::format("{} is given twice", written);
  if (servers.size() == nameservers_max) return fmt::format("more than {} servers", nameservers_max);
  servers.push_back(written);
  return {};
}

std::string read_bootfile(std::string_view text, PortConfig& port) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c != 0x7F; });
  if (text.empty() || text.size() > bootfile_bytes_max || !printable)
    return fmt::format("expected the name of a file or a URL, of at most {} printable characters, not {}",
                       bootfile_bytes_max, in_quotes(text));
  port.gateway.bootfile = text;
  return {};
}

std::string read_next_server(std::string_view text, PortConfig& port) {
  const auto address = parse_ipv4(text);
  if (!address || !address->is_single_host())
    return fmt::format("expected the IPv4 address of a server, not {}", in_quotes(text));
  port.gateway.next_server = *address;
  return {};
}

std::string read_option(std::string_view text, PortConfig& port) {
  std::vector<std::string>& options = port.gateway.dhcp_options;
  DhcpOption option;
  std::string wrong = read_dhcp_option(text, option);
  if (!wrong.empty()) return wrong;
  const bool is_known = std::any_of(options.begin(), options.end(), [&](const std::string& other) {
    DhcpOption read;
    return read_dhcp_option(other, read).empty() && read.code == option.code;
  });
  if (is_known) return fmt::format("{} is given twice", option.code);
  if (options.size() == dhcp_options_max) return fmt::format("more than {} options", dhcp_options_max);
  options.emplace_back(text);
  return {};
}

std::string read_tftp(std::string_view text, PortConfig& port) {
  std::string wrong = check_path(text);
  if (wrong.empty()) port.gateway.tftp_folder = text;
  return wrong;
}

std::string read_pool(std::string_view text, PortConfig& port) {
  const std::size_t hyphen = text.find('-');
  const auto first = parse_ipv4(text.substr(0, hyphen));
  const auto last = hyphen == std::string_view::npos ? std::nullopt : parse_ipv4(text.substr(hyphen + 1));
  if (!first || !last || first->is_unspecified() || *last < *first)
    return fmt::format("expected FIRST-LAST, such as 10.0.2.15-10.0.2.99, not {}", in_quotes(text));
  port.gateway.pool_first = *first;
  port.gateway.pool_last = *last;
  return {};
}

std::string read_lease(std::string_view text, PortConfig& port) {
  std::size_t seconds = 0;
  std::string wrong = read_count(text, " of seconds", 60, 31'536'000, seconds);
  if (wrong.empty()) port.gateway.lease_seconds = static_cast<std::uint32_t>(seconds);
  return wrong;
}

std::string read_reserve(std::string_view text, PortConfig& port) {
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos)
    return fmt::format("expected MAC+ADDRESS+NAME, such as 52:54:00:12:34:56+10.0.2.20+web, not {}", in_quotes(text));
  const auto mac = parse_mac(text.substr(0, first));
  const auto address = parse_ipv4(text.substr(first + 1, second - first - 1));
  const std::string name(text.substr(second + 1));
  if (!mac || mac->is_group() || *mac == MacAddress())
    return fmt::format("expected a MAC address, not {}", in_quotes(text.substr(0, first)));
  if (!address)
    return fmt::format("expected an IPv4 address, not {}", in_quotes(text.substr(first + 1, second - first - 1)));
  if (name.empty() || dns_label(name) != name)
    return fmt::format("expected a name of lower-case letters, digits and hyphens, not {}", in_quotes(name));
  if (port.gateway.reservations.size() == limits::reservations_max)
    return fmt::format("more than {} reservations", limits::reservations_max);
  port.gateway.reservations.push_back({*mac, *address, name});
  return {};
}

std::string read_domain(std::string_view text, PortConfig& port) {
  constexpr std::size_t domain_bytes_max = 100;
  std::string_view rest = text;
  bool good = !text.empty() && text.size() <= domain_bytes_max;
  while (good) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const std::string label(rest.substr(0, dot));
    good = !label.empty() && dns_label(label) == label;
    if (dot == rest.size()) break;
    rest.remove_prefix(dot + 1);
  }
  if (!good)
    return fmt::format("expected a domain of lower-case letters, digits, hyphens and dots, not {}", in_quotes(text));
  port.gateway.domain = text;
  return {};
}

std::string read_mtu(std::string_view text, PortConfig& port) {
  std::size_t mtu = 0;
  std::string wrong = read_count(text, " of bytes", 576, 65520, mtu);
  if (wrong.empty()) port.gateway.mtu = static_cast<std::uint16_t>(mtu);
  return wrong;
}

std::string read_ipv6(std::string_view text, PortConfig& port) {
  port.gateway.ipv6_prefix = "off";
  if (text == "off") return {};
  const auto prefix = parse_cidr(text);
  const std::uint8_t first = prefix ? prefix->address[0] : 0;  // 0: loopback and the like; from 0xFE: links and groups
  if (!prefix || !prefix->v6 || prefix->prefix_bits != 64 || first == 0 || first >= 0xFE)
    return fmt::format("expected off or an IPv6 prefix of 64 bits, such as fd00:1:2:3::/64, not {}", in_quotes(text));
  const std::string written = to_string(*prefix);
  port.gateway.ipv6_prefix = written.substr(0, written.find('/'));
  return {};
}

std::string read_forward_key(std::string_view text, PortConfig& port) {
  Forward forward;
  std::string wrong = read_forward(text, forward);
  if (!wrong.empty()) return wrong;
  if (port.gateway.forwards.size() == limits::forwards_max)
    return fmt::format("more than {} forwards", limits::forwards_max);
  port.gateway.forwards.push_back(forward);
  return {};
}

std::string read_outbound(std::string_view text, PortConfig& port) {
  GatewayConfig& gateway = port.gateway;
  const bool is_word = text == "any" || text == "none";
  const auto cidr = is_word ? std::nullopt : parse_cidr(text);
  if (!is_word && (!cidr || !cidr->zone.empty()))
    return fmt::format("expected any, none, or addresses and prefixes such as 192.0.2.0/24, not {}", in_quotes(text));
  const bool is_first = gateway.outbound_prefixes.empty();
  const bool after_word = !is_first && gateway.outbound != Outbound::listed;
  if (after_word || (is_word && !is_first)) return "any and none stand alone";
  gateway.outbound_prefixes.push_back(cidr ? to_string(*cidr) : std::string(text));  // a word goes in complete()
  gateway.outbound = cidr ? Outbound::listed : text == "any" ? Outbound::any : Outbound::none;
  return {};
}

std::string read_host_loopback(std::string_view text, PortConfig& port) {
  if (text != "allow" && text != "deny") return fmt::format("expected allow or deny, not {}", in_quotes(text));
  port.gateway.host_loopback = text == "allow";
  return {};
}

std::string read_hosts(std::string_view text, PortConfig& port) {
  if (text != "on" && text != "off") return fmt::format("expected on or off, not {}", in_quotes(text));
  port.gateway.hosts = text == "on";
  return {};
}

// --- The table.

constexpr std::array<PortTypeInfo, 10> types = {{
    {PortType::tcp_listen, "tcp-listen", "[HOST:]PORT", "any number of VMs connect over TCP",
     read_bind_address},
    {PortType::tcp_connect, "tcp-connect", "HOST:PORT",
     "connects to one VM over TCP, again when it went away", read_peer_address},
    {PortType::unix_listen, "unix-listen", "PATH", "any number of VMs connect to a UNIX socket", read_path},
    {PortType::unix_connect, "unix-connect", "PATH", "connects to the UNIX socket of one VM", read_path},
    {PortType::udp, "udp", "[HOST:]PORT", "UDP with one peer (remote) or many (allow)", read_bind_address},
    {PortType::unix_dgram, "unix-dgram", "PATH", "UNIX datagrams with one VM", read_path},
    {PortType::mcast, "mcast", "GROUP:PORT", "an IPv4 multicast group that VMs share", read_group_address},
    {PortType::nat, "nat", "CIDR", "DHCP, DNS and the way out for VMs (default 10.0.2.0/24)", read_nat_network, true},
    {PortType::tap, "tap", "IFNAME", "a TAP interface: this host, or a bridge of it", read_interface_name},
    {PortType::nic, "nic", "IFNAME", "the LAN at an interface of this host (needs CAP_NET_RAW)",
     read_interface_name},
}};

static_assert(
    [] {
      for (std::size_t i = 0; i < types.size(); ++i)
        if (static_cast<std::size_t>(types[i].type) != i) return false;
      return true;
    }(),
    "the table is in the order of the enumeration");

constexpr PortTypeSet unix_paths = set_of(PortType::unix_listen) | set_of(PortType::unix_dgram);

constexpr PortTypeSet nat = set_of(PortType::nat);

constexpr std::array<PortKeyInfo, 30> keys = {{
    {"network", "NAME", "the network it joins", all_port_types, false, read_network},
    {"max-frame", "BYTES", "largest frame, Ethernet header included: 14 to 69632", all_port_types, false,
     read_max_frame},
    {"queue", "FRAMES", "frames that may wait for this port: 1 to 65536", all_port_types, false, read_queue},
    {"remote", "HOST:PORT or PATH", "the one peer", set_of(PortType::udp) | set_of(PortType::unix_dgram),
     false, read_remote},
    {"allow", "CIDR[+CIDR]...", "whom to accept: addresses and prefixes",
     set_of(PortType::tcp_listen) | set_of(PortType::udp), true, read_allow},
    {"mode", "OCTAL", "permission bits of the path, such as 0660", unix_paths, false, read_mode},
    {"group", "NAME", "group of the path", unix_paths, false, read_group},
    {"interface", "ADDR or NAME", "where the group is joined", set_of(PortType::mcast), false,
     read_interface},
    {"ttl", "N", "routers the frames may pass, 0 to 255", set_of(PortType::mcast), false, read_ttl},
    {"router", "ADDR", "the gateway's own address (default .2)", nat, false, read_router},
    {"dns", "ADDR", "the address of its DNS server (default .3)", nat, false, read_dns},
    {"via", "ADDR or none", "another router that VMs are told of, or none", nat, false, read_via},
    {"nameserver", "ADDR[+ADDR]", "DNS servers that VMs are told of instead of dns", nat, true, read_nameserver},
    {"dhcp", "on or off", "off: another server gives addresses (default on)", nat, false, read_dhcp},
    {"pool", "FIRST-LAST", "addresses for VMs by DHCP (default from .15)", nat, false, read_pool},
    {"lease", "SECONDS", "how long they have them: 60 to 31536000 (default 3600)", nat, false, read_lease},
    {"reserve", "MAC+ADDR+NAME", "an address and a name for one VM; repeatable", nat, false, read_reserve, true},
    {"bootfile", "FILE or URL", "what VMs boot by network", nat, false, read_bootfile},
    {"next-server", "ADDR", "where they find it (default with tftp: router)", nat, false, read_next_server},
    {"tftp", "FOLDER", "its files are served by TFTP at the router's address", nat, false, read_tftp},
    {"option", "NUMBER:VALUE", "told by DHCP: hex:BYTES, text:TEXT or ip:ADDR[+ADDR]; repeatable", nat, false,
     read_option, true},
    {"domain", "NAME", "the domain of VMs' names (default lan)", nat, false, read_domain},
    {"mtu", "BYTES", "largest IP packet, told by DHCP: 576 to 65520 (default 1500)", nat, false, read_mtu},
    {"ipv6", "PREFIX or off", "a /64 for IPv6 (default: one made of the IPv4 network)", nat, false, read_ipv6},
    {"forward", "RULE", "tcp:[HOST:]PORT:VM:PORT or udp:...: a port of a VM; repeatable", nat, false,
     read_forward_key, true},
    {"outbound", "WHERE", "where VMs may go: any (default), none or CIDR[+CIDR]...", nat, true, read_outbound},
    {"host-loopback", "WORD", "deny (default), or allow VMs this host's loopback", nat, false, read_host_loopback},
    {"hosts", "WORD", "off (default), or on: VMs know this host's names and search domains", nat, false, read_hosts},
    {"up", "SCRIPT", "run with the interface's name when it is open", set_of(PortType::tap), false,
     read_up_script},
    {"down", "SCRIPT", "likewise when the port stops", set_of(PortType::tap), false, read_down_script},
}};

}  // namespace

std::string_view name_of(PortType type) { return types[static_cast<std::size_t>(type)].name; }

std::span<const PortTypeInfo> port_types() { return types; }

std::span<const PortKeyInfo> port_keys() { return keys; }

std::string names_of(PortTypeSet set) {
  std::vector<std::string_view> names;
  for (const PortTypeInfo& type : types)
    if ((set & set_of(type.type)) != 0) names.push_back(type.name);
  return listed(names, "and");
}

}  // namespace lanyard
