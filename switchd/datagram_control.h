// Datagram ports: UDP towards one peer or for many, UNIX datagrams, multicast groups. Bound once, before `ready`;
// there is no connection to lose. The name of a UDP remote is looked up from `ready` on, and again when it is not heard
// (name_watch.h): what it stands for then takes the place of what it was. The socket stays, unless it is of the other
// family, or the host to bind was left out and the new remote is routed from another one.
//
// What is bound or joined stays where it was when this host's interfaces, addresses or routes change, and may be deaf
// then. So it is asked after each change whether it would be opened in the same way now; where not, the port is down,
// and opened again as soon as it can be (topology.h).
#pragma once

#include <cerrno>
#include <chrono>
#include <unordered_map>

#include "switchd/name_watch.h"
#include "switchd/port_control.h"

namespace lanyard {

class DatagramControl final : public PortControl {
 public:
  using PortControl::PortControl;

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override { return address_; }
  void begin() override;
  void attached(const Notice& notice) override;
  void peer_up(const Notice& notice) override;
  void peer_down(const Notice& notice) override;
  void crowded(const Notice& notice) override;
  void unreachable(const Notice& notice) override;
  void links_changed(const std::set<unsigned>& gone) override;
  void closed(const Notice& notice) override;
  void stop() override;
  [[nodiscard]] bool reopens_itself() const override { return false; }

 private:
  // A remote, and the address to bind for it.
  struct Way {
    SocketAddress local;
    SocketAddress remote;
  };
  [[nodiscard]] Opened<Way> find_way(const std::vector<SocketAddress>& remotes) const;
  [[nodiscard]] std::optional<OpenError> open_udp_remote();
  [[nodiscard]] Opened<Fd> open_numbered(const SocketAddress& local) const;
  [[nodiscard]] std::optional<OpenError> open_udp_remote(const Way& way);
  [[nodiscard]] std::optional<OpenError> open_udp_allow();
  [[nodiscard]] Opened<Fd> open_for_allowed() const;
  [[nodiscard]] std::optional<OpenError> open_unix();
  [[nodiscard]] std::optional<OpenError> open_group();
  [[nodiscard]] std::string use_remote(const std::vector<SocketAddress>& remotes);
  [[nodiscard]] std::string cannot_use(const OpenError& error);
  void move_peer(const Way& way);
  void told_unusable(const std::string& why);
  [[nodiscard]] std::uint64_t heard_frames() const;
  [[nodiscard]] const char* why_deaf(const std::set<unsigned>& gone) const;
  [[nodiscard]] const char* why_deaf_to_group(const std::set<unsigned>& gone) const;
  [[nodiscard]] MulticastGroup group() const;
  void leave(const char* why);
  void hand_over(std::unique_ptr<Transport> transport);

  std::string address_;
  std::optional<NameWatch> name_;  // of a remote that is no literal
  SocketAddress remote_;           // what it stands for; none: the port is down
  SocketAddress local_;
  MulticastPlace place_;           // mcast: where it is joined
  std::shared_ptr<PortCounters> counters_;  // of the port of the one peer
  std::uint64_t serial_ = 0;
  std::string last_failure_;
  std::unordered_map<SocketAddress, std::string, SocketAddressHash> peers_;  // port names
  bool bound_path_ = false;
  bool leaving_ = false;  // its transport is to be closed
  std::optional<std::chrono::steady_clock::time_point> crowded_at_;
  bool stopping_ = false;
};

}  // namespace lanyard
