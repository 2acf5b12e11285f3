// Feeds frames to what a gateway knows of its neighbours by: ARP, neighbour discovery and IPv4. What is read lies
// inside the frame, what is read and written again says the same, and what is answered is well-formed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "frames/arp.h"
#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/icmp4.h"
#include "frames/internet_checksum.h"
#include "frames/ndp.h"
#include "frames/router_advertisement.h"
#include "frames/udp4_packet.h"
#include "frames/udp6_packet.h"

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

const MacAddress own_mac(0x5255'0A00'0202);
const Ipv4Address own(0x0A00'0202);

void feed_arp(const Bytes& frame) {
  const auto packet = parse_arp(frame);
  if (!packet) return;
  const Bytes written = write_arp(*packet, MacAddress::read(frame.data()));
  LANYARD_CHECK(written.size() <= frame.size());
  LANYARD_CHECK(std::equal(written.begin() + 12, written.end(), frame.begin() + 12));
}

void feed_advertisement(const Bytes& frame) {
  const auto told = change_router_advertisement(frame, {false, {Ipv6Bytes{}}});
  if (!told) return;
  const std::size_t bytes = told->size() - ipv6_headers_bytes;
  LANYARD_CHECK(checksum_finish(checksum_add(bytes + 58, std::span(*told).subspan(22))) == 0);
  LANYARD_CHECK(change_router_advertisement(*told, {false, {Ipv6Bytes{}}}) == told);
}

void feed_udp6(const Bytes& frame) {
  const auto packet = parse_udp6(frame);
  if (!packet) return;
  const Bytes written = write_udp6(*packet);
  const auto again = parse_udp6(written);
  LANYARD_CHECK(again && again->from == packet->from && again->to == packet->to);
  LANYARD_CHECK(std::equal(again->payload.begin(), again->payload.end(), packet->payload.begin(), packet->payload.end()));
}

void feed_ipv6(const Bytes& frame) {
  const auto asked = parse_neighbour_solicitation(frame);
  if (!asked) return;
  LANYARD_CHECK(parse_ipv6_addresses(frame)->from == asked->from && asked->target[0] != std::byte{0xFF});
  const Bytes answer = write_neighbour_advertisement(*asked, own_mac);
  const auto addresses = parse_ipv6_addresses(answer);
  LANYARD_CHECK(addresses && addresses->from == asked->target && addresses->to != Ipv6Bytes{});
  LANYARD_CHECK(!parse_neighbour_solicitation(answer));
  LANYARD_CHECK(checksum_finish(checksum_add(32 + 58, std::span(answer).subspan(22))) == 0);
}

void feed_ipv4(const Bytes& frame) {
  const auto packet = parse_ipv4_frame(frame);
  if (!packet) return;
  LANYARD_CHECK(packet->packet.data() == &frame[14] && 14 + packet->packet.size() <= frame.size());
  LANYARD_CHECK(packet->payload.size() + 20 <= packet->packet.size());
  LANYARD_CHECK(packet->payload.empty() || &packet->payload.back() == &packet->packet.back());
  if (const auto reply = write_icmp4_echo_reply(frame, *packet)) {
    const auto echo = parse_ipv4_frame(*reply);
    LANYARD_CHECK(echo && echo->from == packet->to && echo->to == packet->from);
    LANYARD_CHECK(checksum_finish(checksum_add(0, echo->payload)) == 0);
    LANYARD_CHECK(!write_icmp4_echo_reply(*reply, *echo));
  }
  const auto refusal = write_icmp4_prohibited(frame, *packet, own_mac, own);
  if (!refusal) return;
  const auto told = parse_ipv4_frame(*refusal);
  LANYARD_CHECK(told && told->from == own && told->to == packet->from && told->protocol == 1);
  LANYARD_CHECK(told->packet.size() <= 576 && checksum_finish(checksum_add(0, told->payload)) == 0);
  LANYARD_CHECK(!write_icmp4_prohibited(*refusal, *told, own_mac, own));  // no answer to an answer
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  Bytes frame(bytes, bytes + size);  // of exactly its size, so that the sanitizer sees the first byte beyond
  feed_arp(frame);
  feed_ipv6(frame);
  feed_advertisement(frame);
  feed_udp6(frame);
  feed_ipv4(frame);
  // Few inputs have a checksum that is right: the same once more with the one of IPv4 mended.
  if (size < 34) return 0;
  const std::size_t header = std::min<std::size_t>((std::to_integer<std::size_t>(frame[14]) & 15) * 4, size - 14);
  if (header < 20) return 0;
  store_be16(&frame[24], 0);
  store_be16(&frame[24], checksum_finish(checksum_add(0, std::span(frame).subspan(14, header))));
  feed_ipv4(frame);
  return 0;
}
