// Datagram ports: UDP towards one peer or for many, UNIX datagrams, multicast groups. Bound once, before `ready`;
// there is no connection to lose, and a socket that fails is opened again (topology.h). A UDP remote whose name does not
// resolve yet is tried again.
#pragma once

#include <asio/ip/udp.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <unordered_map>

#include "switchd/backoff.h"
#include "switchd/port_control.h"

namespace lanyard {

class DatagramControl final : public PortControl {
 public:
  DatagramControl(const PortConfig& config, PortServices& services);

  [[nodiscard]] std::optional<OpenError> open() override;
  [[nodiscard]] std::string address() const override { return address_; }
  void begin() override;
  void attached(const Notice& notice) override;
  void peer_up(const Notice& notice) override;
  void peer_down(const Notice& notice) override;
  void crowded(const Notice& notice) override;
  void closed(const Notice& notice) override;
  void stop() override;
  [[nodiscard]] bool is_resolving() const override { return resolving_; }
  [[nodiscard]] bool reopens_itself() const override { return false; }

 private:
  [[nodiscard]] std::optional<OpenError> open_udp_remote();
  [[nodiscard]] std::optional<OpenError> open_udp_remote(const SocketAddress& remote);
  [[nodiscard]] std::optional<OpenError> open_udp_allow();
  [[nodiscard]] std::optional<OpenError> open_unix();
  [[nodiscard]] std::optional<OpenError> open_group();
  void resolve_remote();
  void resolve_later(const std::string& why);
  void hand_over(std::unique_ptr<Transport> transport);

  std::string address_;
  asio::ip::udp::resolver resolver_;
  asio::steady_timer timer_;
  Backoff backoff_;
  std::string last_failure_;
  std::unordered_map<SocketAddress, std::string, SocketAddressHash> peers_;  // port names
  bool bound_path_ = false;
  bool resolved_late_ = false;  // after `ready`
  bool resolving_ = false;
  std::optional<std::chrono::steady_clock::time_point> crowded_at_;
  bool stopping_ = false;
};

}  // namespace lanyard
