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
    return fmt::format("expected an address or prefix such as 10.0.0.0/8 or fd00::/8, not {}",
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
  const bool good =
      !text.empty() && text.size() <= limits::group_name_bytes_max &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F && c != ':'; });
  if (!good)
    return fmt::format("expected the name or number of a group, at most {} characters, not {}",
                       limits::group_name_bytes_max, in_quotes(text));
  port.group = text;
  return {};
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

// --- The table.

constexpr std::array<PortTypeInfo, 7> types = {{
    {PortType::tcp_listen, "tcp-listen", "[HOST:]PORT", "any number of VMs connect over TCP",
     read_bind_address},
    {PortType::tcp_connect, "tcp-connect", "HOST:PORT",
     "connects to one VM over TCP, again when it went away", read_peer_address},
    {PortType::unix_listen, "unix-listen", "PATH", "any number of VMs connect to a UNIX socket", read_path},
    {PortType::unix_connect, "unix-connect", "PATH", "connects to the UNIX socket of one VM", read_path},
    {PortType::udp, "udp", "[HOST:]PORT", "UDP with one peer (remote) or many (allow)", read_bind_address},
    {PortType::unix_dgram, "unix-dgram", "PATH", "UNIX datagrams with one VM", read_path},
    {PortType::mcast, "mcast", "GROUP:PORT", "an IPv4 multicast group that VMs share", read_group_address},
}};

static_assert(
    [] {
      for (std::size_t i = 0; i < types.size(); ++i)
        if (static_cast<std::size_t>(types[i].type) != i) return false;
      return true;
    }(),
    "the table is in the order of the enumeration");

constexpr PortTypeSet unix_paths = set_of(PortType::unix_listen) | set_of(PortType::unix_dgram);

constexpr std::array<PortKeyInfo, 9> keys = {{
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
