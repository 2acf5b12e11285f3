// DNS as guests of the real gateway meet it: over IPv4 and IPv6, by UDP and by TCP, the answers are the same,
// whoever knows the name. The outside is a resolver of the test's own.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "frames/bytes.h"
#include "frames/dns.h"
#include "frames/tcp_packet.h"
#include "tests/support/guest.h"
#include "tests/support/own_network.h"
#include "tests/support/skip.h"

namespace process_nat_dns_test {

using namespace lanyard;
using namespace lanyard::test;
using namespace std::string_literals;

namespace {

// --- The outside: a resolver at 127.0.0.53 that knows every name, at 192.0.2.99.

std::string outside_answer(const std::string& query) {
  std::string answer = query;
  answer[2] = '\x81';
  answer[3] = '\x80';
  answer[7] = 1;  // one answer
  return answer + "\xC0\x0C\0\1\0\1\0\0\0\x0A\0\4\xC0\0\2\x63"s;
}

[[noreturn]] void serve_outside(int by_udp, int by_tcp) {
  while (true) {
    pollfd polled[] = {{by_udp, POLLIN, 0}, {by_tcp, POLLIN, 0}};
    (void)::poll(polled, 2, -1);
    std::array<char, 4096> bytes;
    if (polled[0].revents != 0) {
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t got =
          ::recvfrom(by_udp, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 12) continue;
      const std::string answer = outside_answer({bytes.data(), static_cast<std::size_t>(got)});
      (void)::sendto(by_udp, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from),
                     length);
    }
    if (polled[1].revents != 0) {
      const int client = ::accept(by_tcp, nullptr, nullptr);
      const ssize_t got = ::recv(client, bytes.data(), bytes.size(), 0);  // small enough to be one piece
      const std::string answer =
          outside_answer({bytes.data() + 2, static_cast<std::size_t>(std::max<ssize_t>(got, 14) - 2)});
      const std::string framed = std::string(1, '\0') + static_cast<char>(answer.size()) + answer;
      (void)!::send(client, framed.data(), framed.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }
}

// A process beside the child, which ends with it. A mute one answers nothing.
void have_outside(const char* resolv_conf, bool is_mute = false) {
  OwnNetwork::have_file("/etc/resolv.conf", resolv_conf);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(0x7F000035);
  const int by_udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int by_tcp = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto* any = reinterpret_cast<const sockaddr*>(&address);
  if (::bind(by_udp, any, sizeof address) != 0 || ::bind(by_tcp, any, sizeof address) != 0 ||
      ::listen(by_tcp, 8) != 0)
    ::_exit(OwnNetwork::refused);
  if (::fork() != 0) return;
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (int fd = 0; fd < 256; ++fd)
    if (fd != by_udp && fd != by_tcp) ::close(fd);
  while (is_mute) (void)::pause();
  serve_outside(by_udp, by_tcp);
}

// --- A guest that asks.

const std::string prefix = "fd00:1:2:3::";

Ipv6Bytes ip6(const std::string& text) {
  Ipv6Bytes address;
  REQUIRE(inet_pton(AF_INET6, text.c_str(), address.data()) == 1);
  return address;
}

std::string question(const std::string& name) {
  std::string text = "\x12\x34\1\0\0\1\0\0\0\0\0\0"s;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('.', at), name.size());
    text += static_cast<char>(end - at) + name.substr(at, end - at);
    at = end + 1;
  }
  return text + "\0\0\1\0\1"s;
}

struct Ipv4Way {
  static constexpr const char* name = "IPv4";
  Udp4Endpoint here{guest_mac(1), Ipv4Address(0x0A00'020F), 5300};
  Udp4Endpoint dns{MacAddress(0x5255'0A00'0203), Ipv4Address(0x0A00'0203), dns_port};
  static auto write_udp(const Udp4Packet& packet) { return write_udp4(packet); }
  static auto parse_udp(const std::string& frame) { return parse_udp4(to_bytes(frame)); }
  static auto write_tcp(const Tcp4Packet& packet) { return lanyard::write_tcp4(packet); }
  static auto parse_tcp(const std::string& frame) { return lanyard::parse_tcp4(to_bytes(frame)); }
};
struct Ipv6Way {
  static constexpr const char* name = "IPv6";
  Udp6Endpoint here{guest_mac(1), ip6(prefix + "15"), 5300};
  Udp6Endpoint dns{MacAddress(0x5256'0A00'0203), ip6(prefix + "10.0.2.3"), dns_port};
  static auto write_udp(const Udp6Packet& packet) { return write_udp6(packet); }
  static auto parse_udp(const std::string& frame) { return parse_udp6(to_bytes(frame)); }
  static auto write_tcp(const Tcp6Packet& packet) { return write_tcp6(packet); }
  static auto parse_tcp(const std::string& frame) { return parse_tcp6(to_bytes(frame)); }
};

template <class Way>
std::string ask_by_udp(Peer& guest, const Way& way, const std::string& query) {
  guest.send(to_text(Way::write_udp({way.here, way.dns, to_bytes(query)})));
  while (true) {
    const std::string frame = guest.receive();
    const auto packet = Way::parse_udp(frame);
    if (packet && packet->from == way.dns && packet->to == way.here) return to_text(packet->payload);
  }
}

// One connection; what is asked and answered is small enough for one segment each.
template <class Way>
std::string ask_by_tcp(Peer& guest, const Way& way, const std::string& query) {
  std::uint32_t sequence = 1000, acknowledged = 0;
  const auto send = [&](std::byte flags, const std::string& payload) {
    std::vector<std::byte> segment(20 + payload.size());
    store_be32(&segment[4], sequence);
    store_be32(&segment[8], acknowledged);
    segment[12] = std::byte{0x50};
    segment[13] = flags;
    store_be16(&segment[14], 65535);
    std::copy(to_bytes(payload).begin(), to_bytes(payload).end(), segment.begin() + 20);
    guest.send(to_text(Way::write_tcp({way.here, way.dns, segment})));
    sequence += static_cast<std::uint32_t>(payload.size()) + ((flags & tcp_syn) != std::byte{0} ? 1 : 0);
  };
  send(tcp_syn, "");
  std::string answer;
  while (answer.size() < 2 || answer.size() < 2U + load_be16(to_bytes(answer).data())) {
    const std::string frame = guest.receive();
    const auto packet = Way::parse_tcp(frame);
    const auto is_of = [](const auto& end, const auto& other) {  // from the router's MAC address, over IPv4
      return end.address == other.address && end.port == other.port;
    };
    if (!packet || !is_of(packet->from, way.dns) || !is_of(packet->to, way.here)) continue;
    const std::span<const std::byte> segment = packet->segment;
    constexpr std::byte reset{0x04};
    if ((segment[13] & reset) != std::byte{0}) return "reset";
    const auto payload = segment.subspan(std::to_integer<std::size_t>(segment[12] >> 4) * 4);
    if (segment[13] == (tcp_syn | tcp_ack)) {
      acknowledged = load_be32(&segment[4]) + 1;
      send(tcp_ack, std::string(1, '\0') + static_cast<char>(query.size()) + query);
    } else if (!payload.empty() && load_be32(&segment[4]) == acknowledged) {
      answer += to_text(payload);
      acknowledged += static_cast<std::uint32_t>(payload.size());
      send(tcp_ack, "");
    }
  }
  return answer.substr(2);
}

// "10.0.2.50", or the code of the answer.
std::string meaning(const std::string& answer) {
  if (answer.size() < 12 || !answer.starts_with("\x12\x34")) return answer;
  const auto bytes = to_bytes(answer);
  const unsigned code = std::to_integer<unsigned>(bytes[3]) & 15;
  if (code != 0 || load_be16(&bytes[6]) == 0) return "code " + std::to_string(code);
  return to_string(Ipv4Address(load_be32(&bytes[bytes.size() - 4])));
}

template <class Way>
void check_all_names(Peer& guest, Way way, std::uint16_t& port) {
  const std::pair<const char*, const char*> names[] = {
      {"web.lan", "10.0.2.15"},        // a VM's
      {"db.lan", "10.0.2.50"},         // a reservation
      {"gateway.lan", "10.0.2.2"},     // the gateway's
      {"nas.lan", "192.0.2.7"},        // the host's own
      {"away.example", "192.0.2.99"},  // the outside's
      {"nobody.lan", "code 3"},
  };
  for (const auto& [name, address] : names) {
    CAPTURE(Way::name, name);
    way.here.port = ++port;
    CHECK(meaning(ask_by_udp(guest, way, question(name))) == address);
    CHECK(meaning(ask_by_tcp(guest, way, question(name))) == address);
  }
}

}  // namespace

TEST_CASE("DNS answers alike over IPv4 and IPv6, by UDP and by TCP, for every kind of name") {
  TempFolder folder;
  const std::string hosts = folder.path("hosts"), resolv_conf = folder.path("resolv.conf");
  std::ofstream(hosts) << "192.0.2.7 nas\n";
  std::ofstream(resolv_conf) << "nameserver 127.0.0.53\n";
  const auto in_child = [&] {
    OwnNetwork::enter();
    OwnNetwork::have_file("/etc/hosts", hosts.c_str());
    have_outside(resolv_conf.c_str());
  };
  SwitchdProcess trial("auto", {"--check", "out=nat"}, {.in_child = in_child, .await_ready = false});
  if (trial.await_exit() == OwnNetwork::refused) {
    skip("this user may not have a network namespace");
    return;
  }
  SwitchdProcess daemon("auto",
                        {"vms=unix-listen:" + folder.path("lan"),
                         "out=nat,hosts=on,reserve=52:54:00:00:00:05+10.0.2.50+db,ipv6=" + prefix + "/64"},
                        {.environment = {"XDG_STATE_HOME=" + folder.path("state")}, .in_child = in_child});
  Peer guest = Peer::unix_stream(folder.path("lan"));
  daemon.await_up("vms.1");
  REQUIRE(to_string(lease(guest, guest_mac(1), host_name_option("web"))) == "10.0.2.15");
  std::uint16_t port = 5300;
  check_all_names(guest, Ipv4Way{}, port);
  check_all_names(guest, Ipv6Way{}, port);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("queries of a VM that has too many waiting are in its port's dns_refused, whatever gateway refused them") {
  TempFolder folder;
  const std::string resolv_conf = folder.path("resolv.conf");
  std::ofstream(resolv_conf) << "nameserver 127.0.0.53\n";
  const auto in_child = [&] {
    OwnNetwork::enter();
    have_outside(resolv_conf.c_str(), true);
  };
  SwitchdProcess trial("auto", {"--check", "out=nat"}, {.in_child = in_child, .await_ready = false});
  if (trial.await_exit() == OwnNetwork::refused) SKIP_TEST("this user may not have a network namespace");
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folder.path("lan"), "out=nat"},
                        {.environment = {"XDG_STATE_HOME=" + folder.path("state")}, .in_child = in_child});
  Peer guest = Peer::unix_stream(folder.path("lan"));
  daemon.await_up("vms.1");
  Ipv4Way way;
  const auto ask_too_many = [&] {
    REQUIRE(to_string(lease(guest, guest_mac(1))) == "10.0.2.15");
    for (unsigned id = 0; id < 256 + 5; ++id) {
      const std::string query = question("n" + std::to_string(id) + ".example");
      guest.send(to_text(Ipv4Way::write_udp({way.here, way.dns, to_bytes(query)})));
    }
  };
  const auto await_refused = [&](unsigned count) {
    (void)daemon.await_stats(std::to_string(count) + " queries refused",
                             [&](const auto& stats) { return stats["ports"]["out"]["dns_refused"] == count; });
  };
  ask_too_many();
  await_refused(5);
  REQUIRE(::kill(gateway_of(daemon), SIGKILL) == 0);
  daemon.await_down("out");
  daemon.await_up("out");
  ask_too_many();
  await_refused(10);
  CHECK(daemon.stop() == 0);
}

}  // namespace process_nat_dns_test
