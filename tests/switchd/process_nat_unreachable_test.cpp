// What a guest is told of a TCP connection that the host cannot make, at once or after a while, over IPv4 and IPv6: an
// answer to its SYN, which makes its program fail as one on the host would. In a network of the test's own, with a cable
// to a LAN where nobody is.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>

#include "frames/bytes.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"
#include "switchd/config.h"
#include "tests/support/guest.h"
#include "tests/support/network_of_test.h"

namespace process_nat_unreachable_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint16_t guest_port = 4000;
constexpr std::uint32_t sequence = 0x1122'3344;
constexpr std::uint8_t rst = 0x04;
constexpr std::size_t ipv6_header_bytes = 40, tcp_header_bytes = 20;

[[nodiscard]] bool write_setting(const std::string& path, const std::string& value) {
  std::ofstream file("/proc/sys/net/" + path);
  return static_cast<bool>((file << value).flush());
}

// Nobody is at the other end of the cable. It takes two tenths of a second to find out, or three seconds where a user may
// not say so.
void make_outside() {
  NetworkOfTest::add_cable("near", "far");
  for (const char* interface : {"near", "lo"})
    REQUIRE(write_setting("ipv6/conf/" + std::string(interface) + "/disable_ipv6", "0"));
  NetworkOfTest::ip("address add 198.51.100.1/24 dev near");
  NetworkOfTest::ip("address add 2001:db8:1::1/64 dev near nodad");
  for (const char* family : {"ipv4", "ipv6"})
    (void)write_setting(std::string(family) + "/neigh/near/retrans_time_ms", "50");
  for (const char* kind : {"unreachable", "prohibit", "blackhole"}) {
    const std::string n = kind[0] == 'u' ? "1" : kind[0] == 'p' ? "2" : "3";
    NetworkOfTest::ip(std::string("route add ") + kind + " 203.0.11" + n + ".0/24");
    NetworkOfTest::ip(std::string("-6 route add ") + kind + " 2001:db8:10" + n + "::/64");
  }
}

Bytes to_address6(const std::string& text) {
  const auto cidr = parse_cidr(text);
  REQUIRE(cidr);
  const auto bytes = std::as_bytes(std::span(cidr->address));
  return {bytes.begin(), bytes.begin() + 16};
}

std::string syn4(const std::string& to) {
  return write_tcp4({{guest_mac(1), Ipv4Address(0x0A00'0209), guest_port},
                     {MacAddress(0x5255'0A00'0202), *parse_ipv4(to), 80},
                     sequence,
                     0,
                     TcpSegment::syn});
}

std::string syn6(const std::string& to) {
  Bytes frame(14 + ipv6_header_bytes + tcp_header_bytes);
  MacAddress(0x5256'0A00'0202).write(&frame[0]);
  guest_mac(1).write(&frame[6]);
  store_be16(&frame[12], 0x86DD);
  const auto ip = std::span(frame).subspan(14);
  ip[0] = std::byte{0x60};
  store_be16(&ip[4], tcp_header_bytes);
  ip[6] = std::byte{ip_protocols::tcp};
  ip[7] = std::byte{64};
  std::ranges::copy(to_address6("fd6c:616e:a00:200::9"), ip.begin() + 8);
  std::ranges::copy(to_address6(to), ip.begin() + 24);
  const auto tcp = ip.subspan(ipv6_header_bytes);
  store_be16(&tcp[0], guest_port);
  store_be16(&tcp[2], 80);
  store_be32(&tcp[4], sequence);
  tcp[12] = std::byte{0x50};
  tcp[13] = std::byte{TcpSegment::syn};
  store_be16(&tcp[14], 65535);
  const auto pseudo = static_cast<std::uint32_t>(ip_protocols::tcp + tcp_header_bytes);
  store_be16(&tcp[16], checksum_finish(checksum_add(pseudo, ip.subspan(8))));
  return to_text(frame);
}

// A question for the router's MAC address: who asks is known, as every guest is that sends anything (RFC 4861, 4.3).
std::string solicitation() {
  constexpr std::size_t icmp_bytes = 32;
  Bytes frame(14 + ipv6_header_bytes + icmp_bytes);
  MacAddress(0x3333'FF00'0202).write(&frame[0]);
  guest_mac(1).write(&frame[6]);
  store_be16(&frame[12], 0x86DD);
  const auto ip = std::span(frame).subspan(14);
  ip[0] = std::byte{0x60};
  store_be16(&ip[4], icmp_bytes);
  ip[6] = std::byte{ip_protocols::icmp6};
  ip[7] = std::byte{255};
  std::ranges::copy(to_address6("fd6c:616e:a00:200::9"), ip.begin() + 8);
  std::ranges::copy(to_address6("ff02::1:ff00:202"), ip.begin() + 24);
  const auto icmp = ip.subspan(ipv6_header_bytes);
  icmp[0] = std::byte{135};
  std::ranges::copy(to_address6("fd6c:616e:a00:200::10.0.2.2"), icmp.begin() + 8);
  icmp[24] = std::byte{1};  // source link-layer address, of 8 bytes
  icmp[25] = std::byte{1};
  guest_mac(1).write(&icmp[26]);
  const auto pseudo = static_cast<std::uint32_t>(ip_protocols::icmp6 + icmp_bytes);
  store_be16(&icmp[2], checksum_finish(checksum_add(pseudo, ip.subspan(8))));
  return to_text(frame);
}

// What a frame tells of the SYN; empty: it is of something else.
std::string told(const std::string& text) {
  const auto frame = to_bytes(text);
  const bool v4 = load_be16(&frame[12]) == 0x0800;
  const bool v6 = load_be16(&frame[12]) == 0x86DD;
  if ((!v4 && !v6) || frame.size() < 14 + ipv6_header_bytes) return {};
  const auto protocol = std::to_integer<unsigned>(v4 ? frame[23] : frame[20]);
  const auto payload = frame.subspan(14 + (v4 ? 20 : ipv6_header_bytes));
  if (protocol == ip_protocols::tcp && load_be16(&payload[2]) == guest_port) {
    if ((std::to_integer<unsigned>(payload[13]) & rst) == 0) return "something else than a reset";
    return load_be32(&payload[8]) == sequence + 1 ? "reset" : "a reset of something else";
  }
  const std::size_t before_about = 8 + (v4 ? 20 : ipv6_header_bytes);
  if (payload.size() < before_about + 8) return {};
  const bool unreachable = (v4 && protocol == ip_protocols::icmp && payload[0] == std::byte{3}) ||
                           (v6 && protocol == ip_protocols::icmp6 && payload[0] == std::byte{1});
  if (!unreachable) return {};
  const auto about = payload.subspan(before_about);
  return load_be16(&about[0]) == guest_port && load_be32(&about[4]) == sequence ? "unreachable" : "";
}

struct Lan {
  Lan() {
    daemon.await_up("vms.1");
    guest.send(arp_request(guest_mac(1), Ipv4Address(0x0A00'0209), Ipv4Address(0x0A00'0202)));
    guest.send(solicitation());
  }
  // The first answer to a SYN.
  std::string answer(const std::string& syn) {
    guest.send(syn);
    while (true)
      if (std::string what = told(guest.receive()); !what.empty()) return what;
  }

  TempFolder folder;
  SwitchdProcess daemon{"auto",
                        {"vms=unix-listen:" + folder.path("lan"), "out=nat"},
                        {.environment = {"XDG_STATE_HOME=" + folder.path("state")}}};
  Peer guest = Peer::unix_stream(folder.path("lan"));
};

}  // namespace

TEST_CASE("a connection to a host that turns out not to be there is reset when the host knows") {
  IN_A_NETWORK_OF_ITS_OWN;
  make_outside();
  Lan lan;
  CHECK(lan.answer(syn4("198.51.100.7")) == "reset");
  CHECK(lan.answer(syn6("2001:db8:1::7")) == "reset");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a connection to a port where nobody listens is reset") {
  IN_A_NETWORK_OF_ITS_OWN;
  make_outside();
  Lan lan;
  CHECK(lan.answer(syn4("198.51.100.1")) == "reset");
  CHECK(lan.answer(syn6("2001:db8:1::1")) == "reset");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a connection to where the host has no way is answered at once") {
  IN_A_NETWORK_OF_ITS_OWN;
  make_outside();
  Lan lan;
  for (const char* to : {"192.0.2.1", "203.0.111.1", "203.0.112.1", "203.0.113.1"}) {
    CAPTURE(to);
    CHECK(lan.answer(syn4(to)) == "unreachable");
  }
  for (const char* to : {"2001:db8:2::1", "2001:db8:101::1", "2001:db8:102::1", "2001:db8:103::1"}) {
    CAPTURE(to);
    CHECK(lan.answer(syn6(to)) == "unreachable");
  }
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_nat_unreachable_test
