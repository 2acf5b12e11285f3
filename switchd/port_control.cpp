// What all kinds of ports share on the control plane.
#include "switchd/port_control.h"

#include <algorithm>
#include <cstring>

#include "switchd/connector_control.h"
#include "switchd/datagram_control.h"
#include "switchd/interface_control.h"
#include "switchd/log.h"
#include "switchd/listener_control.h"
#include "switchd/nat_control.h"
#include "transports/tcp_window.h"

namespace lanyard {

std::size_t PortControl::max_frame_bytes(std::size_t transport_max) const {
  return config_.max_frame_bytes == 0 ? transport_max : std::min(config_.max_frame_bytes, transport_max);
}

std::unique_ptr<Port> PortControl::make_port(Wire wire, std::size_t max_frame) const {
  return std::make_unique<Port>(wire, services_.network_index(config_.network), max_frame, config_.queue_frames,
                                services_.copies());
}

std::unique_ptr<Transport> PortControl::make_stream(Fd fd, bool tcp) const {
  const int native = fd.get();
  auto transport = std::make_unique<Transport>(Wire::stream, std::move(fd));
  const std::size_t max_frame = max_frame_bytes();
  transport->reader = StreamReader(max_frame);
  if (tcp) {
    TcpWatch::prepare(native);
    bound_receive_window(native);
    transport->tcp_watch = std::make_unique<TcpWatch>();
  }
  transport->ports.push_back(make_port(Wire::stream, max_frame));
  transport->ports.front()->transport = transport.get();
  return transport;
}

std::unique_ptr<Transport> PortControl::make_own_stream(Fd fd, bool tcp) const {
  auto transport = make_stream(std::move(fd), tcp);
  transport->ports.front()->counters = services_.own_counters(config_.name);
  return transport;
}

PortRecord PortControl::record(std::string address, std::string state, std::shared_ptr<PortCounters> counters) const {
  return {std::string(name_of(config_.type)), std::move(address), config_.network, std::move(state),
          std::move(counters), {}};
}

void PortControl::keep_number(std::uint16_t asked, std::uint16_t bound) {
  if (asked != 0) return;
  if (number_ != 0 && number_ != bound)
    log_warn("port {}: its number {} is taken by another by now; it has {}", config_.name, number_, bound);
  number_ = bound;
}

void PortControl::show_down(const std::string& why) {
  PortRecord* const known = services_.registry().find(config_.name);
  if (known == nullptr) return;
  known->state = "down";
  known->reason = why;
}

std::unique_ptr<PortControl> make_port_control(const PortConfig& config, PortServices& services) {
  switch (config.type) {
    case PortType::tcp_listen:
    case PortType::unix_listen: return std::make_unique<ListenerControl>(config, services);
    case PortType::tcp_connect:
    case PortType::unix_connect: return std::make_unique<ConnectorControl>(config, services);
    case PortType::udp:
    case PortType::unix_dgram:
    case PortType::mcast: return std::make_unique<DatagramControl>(config, services);
    case PortType::nat: return std::make_unique<NatControl>(config, services);
    case PortType::tap:
    case PortType::nic: return std::make_unique<InterfaceControl>(config, services);
  }
  return nullptr;
}

std::string cause_text(const Notice& notice) {
  std::string text = notice.cause;
  if (notice.error != 0) text += std::string(": ") + std::strerror(notice.error);
  return text;
}

}  // namespace lanyard
