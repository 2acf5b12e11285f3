#include "frames/icmp4.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/udp4_packet.h"

namespace lanyard {

namespace {

constexpr std::size_t ethernet_bytes = 14, ip_bytes_min = 20, icmp_bytes = 8, quoted_bytes_max = 548;
constexpr std::uint8_t icmp = 1;
constexpr std::byte unreachable{3}, prohibited{13}, time_to_live{64};

bool is_icmp_question(std::byte type) {  // echo, echo reply, timestamp
  return type == std::byte{0} || type == std::byte{8} || type == std::byte{13};
}

// An address that a packet may come from: neither 0/8, loopback, a group, class E nor broadcast.
bool is_single_host(Ipv4Address address) {
  const std::uint32_t first = address.value() >> 24;
  return first != 0 && first != 127 && first < 224;
}

}  // namespace

std::optional<Ipv4View> parse_ipv4_frame(std::span<const std::byte> frame) {
  if (frame.size() < ethernet_bytes + ip_bytes_min || load_be16(&frame[12]) != ether_types::ipv4) return std::nullopt;
  std::span<const std::byte> ip = frame.subspan(ethernet_bytes);
  const auto first = std::to_integer<unsigned>(ip[0]);
  const std::size_t header_bytes = (first & 15) * 4U;
  const std::size_t bytes = load_be16(&ip[2]);
  if (first >> 4 != 4 || header_bytes < ip_bytes_min || bytes < header_bytes || bytes > ip.size()) return std::nullopt;
  if (checksum_finish(checksum_add(0, ip.first(header_bytes))) != 0) return std::nullopt;
  ip = ip.first(bytes);
  return Ipv4View{Ipv4Address(load_be32(&ip[12])), Ipv4Address(load_be32(&ip[16])), std::to_integer<std::uint8_t>(ip[9]),
                  ip, ip.subspan(header_bytes)};
}

std::optional<std::vector<std::byte>> write_icmp4_prohibited(std::span<const std::byte> frame, const Ipv4View& packet,
                                                             MacAddress mac, Ipv4Address address) {
  const bool later_fragment = (load_be16(&packet.packet[6]) & 0x1FFF) != 0;
  const bool error = packet.protocol == icmp && (packet.payload.empty() || !is_icmp_question(packet.payload[0]));
  const bool to_many = packet.to.is_multicast() || packet.to.is_broadcast() || MacAddress::read(frame.data()).is_group();
  const bool to_nobody = !is_single_host(packet.from) || MacAddress::read(&frame[6]).is_group();
  if (later_fragment || error || to_many || to_nobody) return std::nullopt;
  const std::span<const std::byte> quoted = packet.packet.first(std::min(packet.packet.size(), quoted_bytes_max));
  const std::size_t ip_bytes = ip_bytes_min + icmp_bytes + quoted.size();
  std::vector<std::byte> out(ethernet_bytes + ip_bytes);
  MacAddress::read(&frame[6]).write(&out[0]);
  mac.write(&out[6]);
  store_be16(&out[12], ether_types::ipv4);
  const std::span<std::byte> ip = std::span(out).subspan(ethernet_bytes);
  ip[0] = std::byte{0x45};
  store_be16(&ip[2], static_cast<std::uint16_t>(ip_bytes));
  ip[8] = time_to_live;
  ip[9] = std::byte{icmp};
  store_be32(&ip[12], address.value());
  store_be32(&ip[16], packet.from.value());
  store_be16(&ip[10], checksum_finish(checksum_add(0, ip.first(ip_bytes_min))));
  const std::span<std::byte> message = ip.subspan(ip_bytes_min);
  message[0] = unreachable;
  message[1] = prohibited;
  std::copy(quoted.begin(), quoted.end(), message.begin() + icmp_bytes);
  store_be16(&message[2], checksum_finish(checksum_add(0, message)));
  return out;
}

}  // namespace lanyard
