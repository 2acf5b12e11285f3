// Guests' TCP connections to the IPv6 address of the DNS server, brought to it by the way that those to its
// IPv4 address go. libslirp can lead a guest's connection to a socket of ours by IPv4 only; one to an IPv6
// address it would take to a resolver of the host, which may have none, and knows nothing of guests' names.
//
// So each segment is put under IPv4 headers for libslirp, from an address that stands in for all such guests
// (192.0.0.8, which no host has: RFC 7600) and a port for each connection, and what libslirp answers under
// IPv6 headers. Nothing else of TCP is changed: both ends do it themselves.
//
// Bounded: connections, together and of one guest, of which the one that was silent longest makes room.
// `now_s` is monotonic. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "frames/tcp_packet.h"

namespace lanyard {

class Dns6Streams {
 public:
  static constexpr Ipv4Address stand_in{0xC000'0008};
  static constexpr MacAddress stand_in_mac{0x0200'C000'0008};  // locally administered
  static constexpr std::size_t flows_max = 128;
  static constexpr std::size_t flows_of_guest_max = 32;

  // `server4`: the DNS server, as libslirp knows it.
  explicit Dns6Streams(const Udp4Endpoint& server4) : server4_(server4) {}

  // A guest's frame to the DNS server's IPv6 address and port, for libslirp; nothing: it is no sound segment
  // of a connection.
  [[nodiscard]] std::optional<std::vector<std::byte>> to_slirp(std::span<const std::byte> frame,
                                                               std::uint64_t now_s);
  // A frame of libslirp's to `stand_in`, for the guest; nothing where its connection is not known any more.
  [[nodiscard]] std::optional<std::vector<std::byte>> to_guest(std::span<const std::byte> frame,
                                                               std::uint64_t now_s);

  [[nodiscard]] std::size_t flows() const { return flows_.size(); }

 private:
  struct Flow {
    Udp6Endpoint guest;
    Udp6Endpoint server;
    std::uint64_t heard_s = 0;
  };
  using Key = std::pair<Ipv6Bytes, std::uint16_t>;  // the guest's address and port

  void open(const Tcp6Packet& packet, std::uint64_t now_s);
  void make_room(MacAddress guest);

  Udp4Endpoint server4_;
  std::map<std::uint16_t, Flow> flows_;  // by the port that stands in
  std::map<Key, std::uint16_t> ports_;
  std::uint16_t last_port_ = 0;
};

}  // namespace lanyard
