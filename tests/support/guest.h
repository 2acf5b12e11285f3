// A guest of a gateway that is a raw stream to the switch: what it says and hears, packet by packet. Waits with a
// deadline.
#pragma once

#include <sys/types.h>

#include <optional>
#include <span>
#include <string>
#include <utility>

#include "frames/dhcp.h"
#include "frames/udp4_packet.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"

namespace lanyard::test {

[[nodiscard]] MacAddress guest_mac(std::uint64_t n);
[[nodiscard]] std::string to_text(std::span<const std::byte> bytes);
[[nodiscard]] std::span<const std::byte> to_bytes(const std::string& text);

// A client's message (RFC 2131): `type`, option 50 where an address is wanted, and further options as they are.
[[nodiscard]] std::string dhcp_message(MacAddress mac, DhcpType type, std::optional<Ipv4Address> wanted = {},
                                       const std::string& options = "");
// The next answer of a DHCP server to `mac`: its type and address.
[[nodiscard]] std::pair<DhcpType, Ipv4Address> dhcp_answer(Peer& guest, MacAddress mac);
// Asks for an address and takes it; `options` are those of the request.
Ipv4Address lease(Peer& guest, MacAddress mac, const std::string& options = "");
[[nodiscard]] std::string host_name_option(const std::string& name);  // option 12
// An ARP request of `mac` at `from` for `target`, a frame.
[[nodiscard]] std::string arp_request(MacAddress mac, Ipv4Address from, Ipv4Address target);
// What the gateway's DNS at 10.0.2.3 says of a name of one or two labels: nothing where it knows none.
[[nodiscard]] std::optional<Ipv4Address> dns_lookup(Peer& guest, const Udp4Endpoint& here, const std::string& name);

// A TCP segment without options (RFC 9293, 3.1) over IPv4.
struct TcpSegment {
  static constexpr std::uint8_t syn = 0x02, ack = 0x10;
  Udp4Endpoint from;
  Udp4Endpoint to;
  std::uint32_t sequence = 0;
  std::uint32_t acknowledged = 0;
  std::uint8_t flags = 0;
  std::string payload{};
};
[[nodiscard]] std::string write_tcp4(const TcpSegment& segment);  // a frame
// Nothing where the frame is none. Options are left out.
[[nodiscard]] std::optional<TcpSegment> parse_tcp4(const std::string& frame);

// A connection that came to a guest, which takes what is sent and acknowledges it.
class GuestConnection {
 public:
  // The next that comes for `here`.
  GuestConnection(Peer& guest, const Udp4Endpoint& here);
  // As much of what is sent to the guest.
  [[nodiscard]] std::string receive(std::size_t bytes);

 private:
  [[nodiscard]] TcpSegment next();
  void send(std::uint8_t flags);

  Peer& guest_;
  TcpSegment last_;  // of ours
  std::string received_;
};

// The process of the only gateway.
[[nodiscard]] pid_t gateway_of(const SwitchdProcess& daemon);

}  // namespace lanyard::test
