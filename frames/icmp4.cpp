// The ICMP messages that a gateway sends itself; see the header.
#include "frames/icmp4.h"

#include <algorithm>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"

namespace lanyard {

namespace {

constexpr std::size_t icmp_bytes = 8, quoted_bytes_max = 548;
constexpr std::byte unreachable{3}, prohibited{13}, echo{8}, echo_reply{0};

bool is_icmp_question(std::byte type) {  // echo, echo reply, timestamp
  return type == std::byte{0} || type == std::byte{8} || type == std::byte{13};
}

}  // namespace

std::optional<std::vector<std::byte>> write_icmp4_prohibited(std::span<const std::byte> frame, const Ipv4View& packet,
                                                             MacAddress mac, Ipv4Address address) {
  const bool error = packet.protocol == ip_protocols::icmp &&
                     (packet.payload.empty() || !is_icmp_question(packet.payload[0]));
  const bool to_many =
      packet.to.is_multicast() || packet.to.is_broadcast() || MacAddress::read(frame.data()).is_group();
  const bool to_nobody = !packet.from.is_single_host() || MacAddress::read(&frame[6]).is_group();
  if (packet.later_fragment || error || to_many || to_nobody) return std::nullopt;
  const std::span<const std::byte> quoted = packet.packet.first(std::min(packet.packet.size(), quoted_bytes_max));
  std::vector<std::byte> out(ethernet_header_bytes + ipv4_header_bytes_min + icmp_bytes + quoted.size());
  MacAddress::read(&frame[6]).write(&out[0]);
  mac.write(&out[6]);
  store_be16(&out[12], ether_types::ipv4);
  const std::span<std::byte> ip = std::span(out).subspan(ethernet_header_bytes);
  write_ipv4_header(ip, {address, packet.from, ip_protocols::icmp});
  const std::span<std::byte> message = ip.subspan(ipv4_header_bytes_min);
  message[0] = unreachable;
  message[1] = prohibited;
  std::copy(quoted.begin(), quoted.end(), message.begin() + icmp_bytes);
  store_be16(&message[2], checksum_finish(checksum_add(0, message)));
  return out;
}

std::optional<std::vector<std::byte>> write_icmp4_echo_reply(std::span<const std::byte> frame,
                                                             const Ipv4View& packet) {
  const std::span<const std::byte> asked = packet.payload;
  const bool is_whole_echo = packet.protocol == ip_protocols::icmp && !packet.fragment && asked.size() >= icmp_bytes &&
                             asked[0] == echo && asked[1] == std::byte{0};
  const bool to_nobody = !packet.from.is_single_host() || MacAddress::read(&frame[6]).is_group();
  if (!is_whole_echo || to_nobody || checksum_finish(checksum_add(0, asked)) != 0) return std::nullopt;
  std::vector<std::byte> out(ethernet_header_bytes + ipv4_header_bytes_min + asked.size());
  MacAddress::read(&frame[6]).write(&out[0]);
  MacAddress::read(&frame[0]).write(&out[6]);
  store_be16(&out[12], ether_types::ipv4);
  const std::span<std::byte> ip = std::span(out).subspan(ethernet_header_bytes);
  write_ipv4_header(ip, {packet.to, packet.from, ip_protocols::icmp});
  const std::span<std::byte> message = ip.subspan(ipv4_header_bytes_min);
  std::copy(asked.begin(), asked.end(), message.begin());
  message[0] = echo_reply;
  store_be16(&message[2], 0);
  store_be16(&message[2], checksum_finish(checksum_add(0, message)));
  return out;
}

}  // namespace lanyard
