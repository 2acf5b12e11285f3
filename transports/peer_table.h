// The peers of one UDP socket that serves many: who has which port. Bounded as a whole and for each host, so that no
// host's sources keep another's out. Data thread only.
#pragma once

#include <cstddef>
#include <unordered_map>

#include "frames/limits.h"
#include "transports/socket_address.h"

namespace lanyard {

struct Port;

class PeerTable {
 public:
  [[nodiscard]] Port* find(const SocketAddress& peer) const {
    const auto found = ports_.find(peer);
    return found == ports_.end() ? nullptr : found->second;
  }
  [[nodiscard]] bool is_full() const { return ports_.size() >= limits::peers_per_transport_max; }
  // Has the host of `peer` all that one host may have?
  [[nodiscard]] bool host_is_full(const SocketAddress& peer) const {
    const auto found = hosts_.find(peer.host());
    return found != hosts_.end() && found->second >= limits::peers_per_host_max;
  }
  // REQUIRES: not there yet; room for it.
  void add(const SocketAddress& peer, Port& port) {
    ports_.emplace(peer, &port);
    ++hosts_[peer.host()];
  }
  // REQUIRES: it is there.
  void remove(const SocketAddress& peer) {
    ports_.erase(peer);
    const auto host = hosts_.find(peer.host());
    if (--host->second == 0) hosts_.erase(host);
  }

 private:
  std::unordered_map<SocketAddress, Port*, SocketAddressHash> ports_;
  std::unordered_map<SocketAddress, std::size_t, SocketAddressHash> hosts_;  // peers of each, by address with port 0
};

}  // namespace lanyard
