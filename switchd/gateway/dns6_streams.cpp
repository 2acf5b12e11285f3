// Connections by IPv6 as connections by IPv4; see the header.
#include "switchd/gateway/dns6_streams.h"

#include <algorithm>

namespace lanyard {

std::optional<std::vector<std::byte>> Dns6Streams::to_slirp(std::span<const std::byte> frame,
                                                            std::uint64_t now_s) {
  const auto packet = parse_tcp6(frame);
  if (!packet) return std::nullopt;
  const Key key{packet->from.address, packet->from.port};
  const bool opens = opens_connection(packet->segment);
  if (opens && !ports_.contains(key)) open(*packet, now_s);
  const auto port = ports_.find(key);
  if (port == ports_.end()) return std::nullopt;
  Flow& flow = flows_.at(port->second);
  if (opens) flow.guest.mac = packet->from.mac;  // the guest may be another by now
  flow.heard_s = now_s;
  return write_tcp4({{stand_in_mac, stand_in, port->second}, server4_, packet->segment});
}

std::optional<std::vector<std::byte>> Dns6Streams::to_guest(std::span<const std::byte> frame,
                                                            std::uint64_t now_s) {
  const auto packet = parse_tcp4(frame);
  if (!packet || packet->to.address != stand_in) return std::nullopt;
  const auto known = flows_.find(packet->to.port);
  if (known == flows_.end()) return std::nullopt;
  known->second.heard_s = now_s;
  return write_tcp6({known->second.server, known->second.guest, packet->segment});
}

// Ports are used in turn, so that none means another connection while libslirp remembers the last.
void Dns6Streams::open(const Tcp6Packet& packet, std::uint64_t now_s) {
  make_room(packet.from.mac);
  do ++last_port_;
  while (last_port_ == 0 || flows_.contains(last_port_));
  flows_.emplace(last_port_, Flow{packet.from, packet.to, now_s});
  ports_.emplace(Key{packet.from.address, packet.from.port}, last_port_);
}

void Dns6Streams::make_room(MacAddress guest) {
  std::size_t of_guest = 0;
  auto oldest = flows_.end(), oldest_of_guest = flows_.end();
  const auto is_older = [&](auto flow, auto than) {
    return than == flows_.end() || flow->second.heard_s < than->second.heard_s;
  };
  for (auto flow = flows_.begin(); flow != flows_.end(); ++flow) {
    if (is_older(flow, oldest)) oldest = flow;
    if (flow->second.guest.mac != guest) continue;
    ++of_guest;
    if (is_older(flow, oldest_of_guest)) oldest_of_guest = flow;
  }
  const bool has_too_many = of_guest >= flows_of_guest_max;
  if (!has_too_many && flows_.size() < flows_max) return;
  const auto gone = has_too_many ? oldest_of_guest : oldest;
  ports_.erase({gone->second.guest.address, gone->second.guest.port});
  flows_.erase(gone);
}

}  // namespace lanyard
