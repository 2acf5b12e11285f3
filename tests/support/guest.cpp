// A guest of a gateway; see the header.
#include "tests/support/guest.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "frames/arp.h"
#include "frames/bytes.h"
#include "frames/dns.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"

namespace lanyard::test {

namespace {

constexpr Ipv4Address everybody(0xFFFF'FFFF);
constexpr MacAddress every_mac(0xFFFF'FFFF'FFFF);
constexpr std::size_t tcp_header_bytes = 20;
constexpr std::size_t headers_bytes = ethernet_header_bytes + ipv4_header_bytes_min + tcp_header_bytes;

void expect(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("the gateway did not send " + what);
}

}  // namespace

MacAddress guest_mac(std::uint64_t n) { return MacAddress(0x5254'0000'0000 | n); }

std::string to_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const std::byte> to_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

// --- DHCP.

std::string dhcp_message(MacAddress mac, DhcpType type, std::optional<Ipv4Address> wanted, const std::string& options) {
  std::vector<std::byte> message(240);
  message[0] = message[1] = std::byte{1};
  message[2] = std::byte{6};
  store_be32(&message[4], static_cast<std::uint32_t>(mac.value()));
  mac.write(&message[28]);
  store_be32(&message[236], 0x6382'5363);
  for (const int byte : {53, 1, static_cast<int>(type)}) message.push_back(static_cast<std::byte>(byte));
  if (wanted) {
    message.insert(message.end(), {std::byte{50}, std::byte{4}});
    message.resize(message.size() + 4);
    store_be32(&message[message.size() - 4], wanted->value());
  }
  message.insert(message.end(), to_bytes(options).begin(), to_bytes(options).end());
  message.push_back(std::byte{255});
  const Udp4Endpoint client{mac, Ipv4Address(), dhcp_client_port};
  return to_text(write_udp4({client, {every_mac, everybody, dhcp_server_port}, message}));
}

std::pair<DhcpType, Ipv4Address> dhcp_answer(Peer& guest, MacAddress mac) {
  while (true) {
    const std::string frame = guest.receive();
    const auto packet = parse_udp4(to_bytes(frame));
    if (!packet || packet->from.port != dhcp_server_port) continue;
    const auto bytes = packet->payload;
    expect(bytes.size() >= 244, "a whole DHCP message");
    if (MacAddress::read(&bytes[28]) != mac) continue;
    expect(bytes[240] == std::byte{53}, "the message type first");
    return {static_cast<DhcpType>(bytes[242]), Ipv4Address(load_be32(&bytes[16]))};
  }
}

Ipv4Address lease(Peer& guest, MacAddress mac, const std::string& options) {
  guest.send(dhcp_message(mac, DhcpType::discover));
  const auto [offer, address] = dhcp_answer(guest, mac);
  expect(offer == DhcpType::offer, "an offer");
  guest.send(dhcp_message(mac, DhcpType::request, address, options));
  const auto [ack, bound] = dhcp_answer(guest, mac);
  expect(ack == DhcpType::ack && bound == address, "what it had offered");
  return bound;
}

std::string host_name_option(const std::string& name) {
  return std::string("\x0C") + static_cast<char>(name.size()) + name;
}

// --- ARP and DNS.

std::string arp_request(MacAddress mac, Ipv4Address from, Ipv4Address target) {
  return to_text(write_arp({true, mac, from, MacAddress(), target}, every_mac));
}

std::optional<Ipv4Address> dns_lookup(Peer& guest, const Udp4Endpoint& here, const std::string& name) {
  std::string question = std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    question += static_cast<char>(end - at) + name.substr(at, end - at);
    at = end + 1;
  }
  question += std::string("\x00\x00\x01\x00\x01", 5);
  const Udp4Endpoint dns{MacAddress(0x5255'0A00'0203), Ipv4Address(0x0A00'0203), dns_port};
  guest.send(to_text(write_udp4({here, dns, to_bytes(question)})));
  while (true) {
    const std::string frame = guest.receive();
    const auto packet = parse_udp4(to_bytes(frame));
    if (!packet || packet->from != dns || packet->to != here) continue;
    expect(packet->payload.size() >= 12, "a whole DNS message");
    if (load_be16(&packet->payload[6]) == 0) return std::nullopt;  // no answers
    return Ipv4Address(load_be32(&packet->payload[packet->payload.size() - 4]));
  }
}

// --- TCP.

std::string write_tcp4(const TcpSegment& segment) {
  std::vector<std::byte> frame(headers_bytes + segment.payload.size());
  segment.to.mac.write(&frame[0]);
  segment.from.mac.write(&frame[6]);
  store_be16(&frame[12], 0x0800);
  const auto ip = std::span(frame).subspan(ethernet_header_bytes);
  write_ipv4_header(ip, {segment.from.address, segment.to.address, ip_protocols::tcp, false});
  const auto tcp = ip.subspan(ipv4_header_bytes_min);
  store_be16(&tcp[0], segment.from.port);
  store_be16(&tcp[2], segment.to.port);
  store_be32(&tcp[4], segment.sequence);
  store_be32(&tcp[8], segment.acknowledged);
  tcp[12] = std::byte{0x50};  // the header's length
  tcp[13] = static_cast<std::byte>(segment.flags);
  store_be16(&tcp[14], 65535);  // the window
  std::copy_n(to_bytes(segment.payload).begin(), segment.payload.size(), tcp.begin() + tcp_header_bytes);
  const auto pseudo = static_cast<std::uint32_t>(ip_protocols::tcp + tcp.size());  // and the addresses, from ip[12] on
  store_be16(&tcp[16], checksum_finish(checksum_add(pseudo, ip.subspan(12))));
  return to_text(frame);
}

std::optional<TcpSegment> parse_tcp4(const std::string& frame) {
  const auto bytes = to_bytes(frame);
  const auto packet = parse_ipv4_frame(bytes);
  if (!packet || packet->protocol != ip_protocols::tcp) return std::nullopt;
  const auto tcp = packet->payload;
  if (tcp.size() < tcp_header_bytes) return std::nullopt;
  const std::size_t header = std::to_integer<std::size_t>(tcp[12] >> 4) * 4;
  if (header < tcp_header_bytes || header > tcp.size()) return std::nullopt;
  return TcpSegment{{MacAddress::read(&bytes[6]), packet->from, load_be16(&tcp[0])},
                    {MacAddress::read(&bytes[0]), packet->to, load_be16(&tcp[2])},
                    load_be32(&tcp[4]),
                    load_be32(&tcp[8]),
                    std::to_integer<std::uint8_t>(tcp[13]),
                    to_text(tcp.subspan(header))};
}

GuestConnection::GuestConnection(Peer& guest, const Udp4Endpoint& here) : guest_(guest) {
  while (true) {
    const auto opened = parse_tcp4(guest_.receive());
    if (!opened || opened->flags != TcpSegment::syn || opened->to != here) continue;
    last_ = {here, opened->from, 1000, opened->sequence + 1, 0, {}};
    break;
  }
  send(TcpSegment::syn | TcpSegment::ack);
  ++last_.sequence;
}

std::string GuestConnection::receive(std::size_t bytes) {
  while (received_.size() < bytes) {
    const TcpSegment segment = next();
    if (segment.payload.empty()) continue;
    if (segment.sequence == last_.acknowledged) {  // else it comes again, or comes too early
      received_ += segment.payload;
      last_.acknowledged += static_cast<std::uint32_t>(segment.payload.size());
    }
    send(TcpSegment::ack);
  }
  const std::string taken = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return taken;
}

TcpSegment GuestConnection::next() {
  while (true) {
    auto segment = parse_tcp4(guest_.receive());
    if (segment && segment->from == last_.to && segment->to == last_.from) return *segment;
  }
}

void GuestConnection::send(std::uint8_t flags) {
  last_.flags = flags;
  guest_.send(write_tcp4(last_));
}

pid_t gateway_of(const SwitchdProcess& daemon) {
  const std::string pid = std::to_string(daemon.pid());
  std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
  for (pid_t child = 0; children >> child;) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm") >> std::ws, name);
    if (name == "lanyard-gateway") return child;
  }
  throw std::runtime_error("switchd has no gateway");
}

}  // namespace lanyard::test
