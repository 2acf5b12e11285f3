// QEMU's side of a port; see the header.
#include "switchd/control/qemu_lines.h"

#include <fmt/format.h>

#include "switchd/address.h"

namespace lanyard::control {

namespace {

// In QEMU's options a comma within a value is written twice.
std::string option_value(const std::string& value) {
  std::string written;
  for (const char c : value) written += c == ',' ? std::string(",,") : std::string(1, c);
  return written;
}

struct Inet {
  std::string host;
  std::string port;
};

// "HOST:PORT" or "[V6]:PORT". Where all addresses are bound, a VM on this host takes the loopback one.
Inet inet_of(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = colon == std::string::npos ? "" : address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  return {host, address.substr(colon == std::string::npos ? 0 : colon + 1)};
}

// Has the kernel chosen a number where it shall? Before, there is nothing that a VM could be given.
bool is_bound(const std::string& address) {
  return address.find(',') == std::string::npos && inet_of(address).port != "0";
}

std::string in_brackets(const Inet& inet) {
  return inet.host.find(':') == std::string::npos ? fmt::format("{}:{}", inet.host, inet.port)
                                                  : fmt::format("[{}]:{}", inet.host, inet.port);
}

std::vector<std::string> stream_lines(const Inet& inet, bool we_listen) {
  return {fmt::format("-netdev stream,id=net0,server={},addr.type=inet,addr.host={},addr.port={}",
                      we_listen ? "off" : "on", inet.host, inet.port),
          fmt::format("-netdev socket,id=net0,{}={}", we_listen ? "connect" : "listen", in_brackets(inet))};
}

std::vector<std::string> udp_lines(const PortConfig& port, const Inet& bound) {
  if (!port.remote)
    return {fmt::format("-netdev dgram,id=net0,local.type=inet,local.host=127.0.0.1,local.port=PORT,"
                        "remote.type=inet,remote.host={},remote.port={}",
                        bound.host, bound.port)};
  const Inet peer = {port.remote->host, std::to_string(port.remote->port)};
  return {fmt::format("-netdev dgram,id=net0,local.type=inet,local.host={},local.port={},"
                      "remote.type=inet,remote.host={},remote.port={}",
                      peer.host, peer.port, bound.host, bound.port),
          fmt::format("-netdev socket,id=net0,udp={},localaddr={}", in_brackets(bound), in_brackets(peer))};
}

}  // namespace

std::vector<std::string> qemu_lines(const PortConfig& port, const std::string& bound) {
  const bool has_number = port.type == PortType::tcp_listen || port.type == PortType::udp;
  if (has_number && !is_bound(bound)) return {};
  switch (port.type) {
    case PortType::tcp_listen: return stream_lines(inet_of(bound), true);
    case PortType::tcp_connect: return stream_lines(inet_of(bound), false);
    case PortType::unix_listen:
      return {fmt::format("-netdev stream,id=net0,server=off,addr.type=unix,addr.path={}", option_value(port.path))};
    case PortType::unix_connect:
      return {fmt::format("-netdev stream,id=net0,server=on,addr.type=unix,addr.path={}", option_value(port.path))};
    case PortType::udp: return udp_lines(port, inet_of(bound));
    case PortType::unix_dgram:
      return {fmt::format("-netdev dgram,id=net0,local.type=unix,local.path={},remote.type=unix,remote.path={}",
                          option_value(port.remote_path), option_value(port.path))};
    case PortType::mcast:
      return {fmt::format("-netdev dgram,id=net0,remote.type=inet,remote.host={},remote.port={}", port.address.host,
                          port.address.port),
              fmt::format("-netdev socket,id=net0,mcast={}", to_string(port.address))};
    case PortType::nat:
    case PortType::tap:
    case PortType::nic: return {};
  }
  return {};
}

}  // namespace lanyard::control
