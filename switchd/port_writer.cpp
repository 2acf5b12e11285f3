// A port as it would be written: the way back from PortConfig to the words of port_keys.h. What is at its default is left
// out. The tests read what is written here and compare.
#include <fmt/format.h>

#include "switchd/address.h"
#include "switchd/port_keys.h"

namespace lanyard {

namespace {

using Values = std::vector<std::string>;

const PortConfig& defaults() {
  static const PortConfig port;
  return port;
}

Values one_unless(bool is_default, std::string value) { return is_default ? Values{} : Values{std::move(value)}; }

Values text(const std::string& value) { return one_unless(value.empty(), value); }

template <typename Number>
Values number(Number value, Number left_out) {
  return one_unless(value == left_out, std::to_string(value));
}

Values address(Ipv4Address value) { return one_unless(value.is_unspecified(), to_string(value)); }

template <typename Items>
Values texts(const Items& items) {
  Values values;
  for (const auto& item : items) values.push_back(to_string(item));
  return values;
}

Values remote(const PortConfig& port) {
  if (port.type == PortType::unix_dgram) return text(port.remote_path);
  return port.remote ? Values{to_string(*port.remote)} : Values{};
}

Values reservations(const PortConfig& port) {
  Values values;
  for (const Reservation& reserved : port.gateway.reservations)
    values.push_back(fmt::format("{}+{}+{}", to_string(reserved.mac), to_string(reserved.address), reserved.name));
  return values;
}

Values pool(const PortConfig& port) {
  const GatewayConfig& gateway = port.gateway;
  return one_unless(gateway.pool_first.is_unspecified(),
                    fmt::format("{}-{}", to_string(gateway.pool_first), to_string(gateway.pool_last)));
}

Values ipv6(const PortConfig& port) {
  const std::string& prefix = port.gateway.ipv6_prefix;
  return one_unless(prefix.empty(), prefix == "off" ? prefix : prefix + "/64");
}

struct KeyWriter {
  std::string_view key;
  Values (*write)(const PortConfig& port);
};

constexpr std::array<KeyWriter, 30> writers = {{
    {"network", [](const PortConfig& port) { return text(port.network); }},
    {"max-frame", [](const PortConfig& port) { return number(port.max_frame_bytes, std::size_t{0}); }},
    {"queue", [](const PortConfig& port) { return number(port.queue_frames, limits::queue_frames_default); }},
    {"remote", remote},
    {"allow", [](const PortConfig& port) { return texts(port.allow); }},
    {"mode", [](const PortConfig& port) { return one_unless(!port.mode, fmt::format("{:04o}", port.mode.value_or(0))); }},
    {"group", [](const PortConfig& port) { return text(port.group); }},
    {"interface",
     [](const PortConfig& port) { return port.type == PortType::mcast ? text(port.interface) : Values{}; }},
    {"ttl", [](const PortConfig& port) { return number(port.ttl, defaults().ttl); }},
    {"router", [](const PortConfig& port) { return address(port.gateway.router); }},
    {"dns", [](const PortConfig& port) { return address(port.gateway.dns); }},
    {"via",
     [](const PortConfig& port) {
       return port.gateway.via_none ? Values{"none"} : address(port.gateway.via);
     }},
    {"nameserver", [](const PortConfig& port) { return port.gateway.nameservers; }},
    {"dhcp", [](const PortConfig& port) { return one_unless(port.gateway.dhcp, std::string("off")); }},
    {"pool", pool},
    {"lease", [](const PortConfig& port) { return number(port.gateway.lease_seconds, defaults().gateway.lease_seconds); }},
    {"reserve", reservations},
    {"bootfile", [](const PortConfig& port) { return text(port.gateway.bootfile); }},
    {"next-server", [](const PortConfig& port) { return address(port.gateway.next_server); }},
    {"tftp", [](const PortConfig& port) { return text(port.gateway.tftp_folder); }},
    {"option", [](const PortConfig& port) { return port.gateway.dhcp_options; }},
    {"domain",
     [](const PortConfig& port) {
       return one_unless(port.gateway.domain == defaults().gateway.domain, port.gateway.domain);
     }},
    {"mtu", [](const PortConfig& port) { return number(port.gateway.mtu, defaults().gateway.mtu); }},
    {"ipv6", ipv6},
    {"forward", [](const PortConfig& port) { return texts(port.gateway.forwards); }},
    {"outbound", [](const PortConfig& port) { return port.gateway.outbound_prefixes; }},
    {"host-loopback",
     [](const PortConfig& port) { return one_unless(!port.gateway.host_loopback, std::string("allow")); }},
    {"hosts", [](const PortConfig& port) { return one_unless(!port.gateway.hosts, std::string("on")); }},
    {"up", [](const PortConfig& port) { return text(port.up_script); }},
    {"down", [](const PortConfig& port) { return text(port.down_script); }},
}};

}  // namespace

std::string written_address(const PortConfig& port) {
  switch (port.type) {
    case PortType::tcp_listen:
    case PortType::tcp_connect:
    case PortType::udp:
    case PortType::mcast: return to_string(port.address);
    case PortType::unix_listen:
    case PortType::unix_connect:
    case PortType::unix_dgram: return port.path;
    case PortType::nat: return to_string(port.gateway.network);
    case PortType::tap:
    case PortType::nic: return port.interface;
  }
  return {};
}

std::string unbound_address(const PortConfig& port) {
  const std::string address = written_address(port);
  const bool says_nothing = port.type == PortType::udp && port.remote && port.address.port == 0;
  return says_nothing ? fmt::format("{},remote={}", address, to_string(*port.remote)) : address;
}

std::vector<WrittenValues> written_keys(const PortConfig& port) {
  std::vector<WrittenValues> keys;
  for (const KeyWriter& writer : writers)
    if (Values values = writer.write(port); !values.empty()) keys.push_back({writer.key, std::move(values)});
  return keys;
}

}  // namespace lanyard
