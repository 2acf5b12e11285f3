// The ARP codec; see the header.
#include "frames/arp.h"

#include "frames/bytes.h"
#include "frames/ethernet.h"

namespace lanyard {

namespace {

// hardware type 1 (Ethernet), protocol type IPv4, sizes 6 and 4
constexpr std::uint32_t kinds = 0x0001'0800;
constexpr std::uint16_t sizes = 0x0604, request = 1, reply = 2;

}  // namespace

std::optional<ArpPacket> parse_arp(std::span<const std::byte> frame) {
  if (frame.size() < arp_frame_bytes || load_be16(&frame[12]) != ether_types::arp) return std::nullopt;
  const std::span<const std::byte> arp = frame.subspan(14);
  const std::uint16_t operation = load_be16(&arp[6]);
  if (load_be32(&arp[0]) != kinds || load_be16(&arp[4]) != sizes || (operation != request && operation != reply))
    return std::nullopt;
  return ArpPacket{operation == request, MacAddress::read(&arp[8]), Ipv4Address(load_be32(&arp[14])),
                   MacAddress::read(&arp[18]), Ipv4Address(load_be32(&arp[24]))};
}

std::vector<std::byte> write_arp(const ArpPacket& packet, MacAddress to) {
  std::vector<std::byte> frame(arp_frame_bytes);
  to.write(&frame[0]);
  packet.sender_mac.write(&frame[6]);
  store_be16(&frame[12], ether_types::arp);
  std::byte* arp = &frame[14];
  store_be32(arp, kinds);
  store_be16(arp + 4, sizes);
  store_be16(arp + 6, packet.is_request ? request : reply);
  packet.sender_mac.write(arp + 8);
  store_be32(arp + 14, packet.sender.value());
  packet.target_mac.write(arp + 18);
  store_be32(arp + 24, packet.target.value());
  return frame;
}

}  // namespace lanyard
