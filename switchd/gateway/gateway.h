// The gateway of one network: DHCP, DNS and the way out, in a process of its own beside the switch, which
// reaches it by an ordinary stream of frames. A fault here costs the way out for a moment and nothing else.
//
// Data flow of a frame from the network:
//     stream -> frames -> not for us? dropped
//                      -> DHCP (UDP 67): dhcp_server.h -> answer, now or when the address has been probed
//                      -> DNS (UDP 53 at the DNS address): dns_server.h -> answer, now or when a resolver has
//                      spoken; by TCP, libslirp brings it there, from IPv6 by dns6_streams.h
//                      -> TFTP (UDP 69 at the router's address), where a folder is served: tftp_server.h
//                      -> may not pass (outbound_policy.h)? dropped, or told by ICMP
//                      -> libslirp: ARP and neighbour discovery for our addresses, TCP, UDP, ICMP echo
//     and whoever speaks is heard (lease_keeper.h)
// and towards it: libslirp -> its questions for guests' MACs are answered from the leases and from what
// guests' frames said, its tables being small -> outbox -> stream, one write for all frames of a turn.
//
// Backpressure: while the switch does not take what the outbox holds, the sockets of the way out are not
// read; what libslirp sends all the same is dropped beyond outbox_bytes_max (TCP sends it again).
//
// Bounds: DHCP messages of a turn are dhcp_per_turn_max, so that a crowd of them does not hold up
// everything else; the others wait their turn, dhcp_waiting_max of them. Flows to the outside (each is a
// socket and, for TCP, 256 KiB at most) are flows_max, echo requests that are not answered among them; more
// are dropped until some have ended. So are connections to the DNS server that guests begin
// (dns_handshakes.h). Fragments are dropped where libslirp cannot be trusted with them.
//
// Ends when the control channel or the stream does. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "frames/arp.h"
#include "frames/buffer.h"
#include "frames/frame_batch.h"
#include "frames/icmp4.h"
#include "frames/ipv4_packet.h"
#include "frames/ndp.h"
#include "frames/router_advertisement.h"
#include "frames/stream_reader.h"
#include "switchd/gateway/dhcp_server.h"
#include "switchd/gateway/dns6_streams.h"
#include "switchd/gateway/dns_handshakes.h"
#include "switchd/gateway/dns_server.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/gateway/lease_keeper.h"
#include "switchd/gateway/lease_table.h"
#include "switchd/gateway/local_names.h"
#include "switchd/gateway/loopback_peers.h"
#include "switchd/gateway/neighbours.h"
#include "switchd/gateway/outbound_policy.h"
#include "switchd/gateway/slirp_stack.h"
#include "switchd/gateway/tftp_server.h"
#include "transports/fd.h"
#include "transports/memory.h"

namespace lanyard {

class Gateway {
 public:
  // `stream`: frames, nonblocking. `control`: one JSON document for each message, both ways (SOCK_SEQPACKET).
  // `dns_listener` listens at `dns_path`. Throws std::runtime_error where libslirp does not start.
  Gateway(GatewayConfig config, Fd stream, Fd control, Fd dns_listener, const std::string& dns_path);

  // Opens the forwards and the folder of TFTP. Empty, or what went wrong with the first that cannot be opened.
  [[nodiscard]] std::string open();
  [[nodiscard]] int forward_error() const { return slirp_.forward_error(); }
  void run();

 private:
  using Bytes = std::vector<std::byte>;

  void take_lease_file();
  [[nodiscard]] bool read_stream();   // false: it has ended
  [[nodiscard]] bool read_control();  // false: it has ended
  void apply(const GatewayConfig& fresh);
  [[nodiscard]] std::string change_forwards(const std::vector<Forward>& wanted);
  void take_frame(std::span<const std::byte> frame);
  void learn(Ipv4Address address, MacAddress mac);
  void learn(const Ipv6Bytes& address, MacAddress mac);
  void take_ipv4(std::span<const std::byte> frame, const Ipv4View& packet);
  void take_ipv6(std::span<const std::byte> frame, const Ipv6Addresses& addresses);
  void take_arp(std::span<const std::byte> frame);
  void take_dns(const DnsClient& client, std::span<const std::byte> message);
  void take_dhcp(const Udp4Packet& packet);
  void serve_dhcp();
  void take_dhcp_request(const DhcpRequest& request, MacAddress from);
  void answer_dhcp(const DhcpRequest& request, MacAddress from);
  void hear_dhcp_answer(std::span<const std::byte> frame);
  void ask_who_has(Ipv4Address address);
  void keep_leases();
  void wake_for_dhcp(PollSet& polled) const;
  void take_dns6(std::span<const std::byte> frame);
  void take_dns_segment(std::span<const std::byte> frame, const Ipv4View& packet, MacAddress guest);
  void send_dns(const DnsClient& client, std::span<const std::byte> message);
  [[nodiscard]] RouterNews router_news();
  [[nodiscard]] std::vector<std::string> search_domains();
  void advertise();
  [[nodiscard]] bool may_open(std::uint8_t protocol, std::uint64_t source, std::span<const std::byte> payload);
  [[nodiscard]] bool may_open6(std::span<const std::byte> frame);
  [[nodiscard]] bool take_loopback_answer(std::span<const std::byte> frame, const Ipv4View& packet);
  void take_from_slirp(std::span<const std::byte> frame);
  [[nodiscard]] std::optional<MacAddress> mac_for_slirp(Ipv4Address address) const;
  void send_loopback_datagram(std::span<const std::byte> frame, const Ipv4View& packet);
  void answer_slirp();
  void send(std::span<const std::byte> frame);
  [[nodiscard]] bool flush();  // false: the stream has failed
  void save_leases_if_changed();
  void report(const std::string& kind, const std::string& line, std::int64_t interval_ms = 10'000);
  void tell(const std::string& json);
  [[nodiscard]] static std::int64_t now_ms();  // monotonic
  [[nodiscard]] static std::int64_t now_s();   // of the calendar
  [[nodiscard]] static std::uint64_t uptime_s();
  [[nodiscard]] bool is_own(MacAddress mac) const;

  GatewayConfig config_;
  Fd stream_;
  Fd control_;

  MemoryRegion memory_;
  FramePool chunks_;
  StreamReader reader_;
  FrameBatch frames_;
  Bytes scratch_;

  LeaseTable leases_;
  Fd lease_lock_;
  std::uint64_t saved_changes_ = 0;
  std::int64_t save_next_ms_ = 0;
  bool save_failed_ = false;  // the last time
  LeaseKeeper keeper_;
  struct WaitingRequest {
    DhcpRequest request;
    MacAddress from;  // where the answer goes
  };
  std::deque<WaitingRequest> dhcp_queue_;            // in the order in which they came
  std::map<std::uint64_t, WaitingRequest> waiting_;  // by the client's MAC; for what the keeper probes
  Neighbours<Ipv6Bytes> neighbours6_;
  OutboundPolicy policy_;
  std::optional<Ipv6Bytes> dns6_;  // the address of the DNS server, where there is IPv6
  Dns6Streams dns6_streams_;
  DnsHandshakes handshakes_;
  Bytes advertisement_;            // of the router, the last as libslirp wrote it
  LoopbackPeers loopback_peers_;
  DhcpServer dhcp_;
  HostsFile hosts_;
  LocalNames names_;
  Resolvers resolvers_;
  DnsServer dns_;
  TftpServer tftp_;
  Bytes outbox_;
  std::size_t outbox_sent_ = 0;
  std::uint64_t outbox_dropped_ = 0;
  std::deque<Bytes> for_slirp_;  // answers to its questions, for when it is not in the middle of something
  bool slirp_was_told_ = false;  // what waited for these is sent when it is polled
  struct Reported {
    std::int64_t since_ms = 0;
    unsigned lines = 0;
  };
  std::map<std::string, Reported> reported_;  // by kind
  std::uint64_t dns_refused_ = 0;  // that has been told
  std::vector<Forward> open_;    // forwards
  std::size_t flows_left_ = 0;   // that guests may open in this turn
  std::unordered_set<std::uint64_t> udp_flows_;  // that used UDP in this turn
  SlirpStack slirp_;
};

}  // namespace lanyard
