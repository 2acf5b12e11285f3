// What guests of the real gateway are told (DHCP, router advertisements) and served (echo, DNS over IPv6, TFTP), on the
// wire, and how that changes while they are served.
#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "frames/arp.h"
#include "frames/bytes.h"
#include "frames/dns.h"
#include "frames/ethernet.h"
#include "frames/internet_checksum.h"
#include "frames/ipv4_packet.h"
#include "frames/tftp.h"
#include "frames/udp6_packet.h"
#include "tests/support/controlled.h"
#include "tests/support/frames.h"
#include "tests/support/guest.h"

namespace process_nat_told_test {

using namespace lanyard;
using namespace lanyard::test;
using namespace std::string_literals;

namespace {

const MacAddress mac1 = guest_mac(1);
constexpr Ipv4Address address1(0x0A00'020F), router(0x0A00'0202), dns(0x0A00'0203);
constexpr MacAddress router_mac(0x5255'0A00'0202), dns_mac(0x5255'0A00'0203), dns6_mac(0x5256'0A00'0203);
const std::string prefix = "fd00:1:2:3::";

Ipv6Bytes ip6(const std::string& text) {
  Ipv6Bytes address;
  REQUIRE(inet_pton(AF_INET6, text.c_str(), address.data()) == 1);
  return address;
}

struct Place {
  TempFolder folder;
  SpawnOptions options{.environment = {"XDG_STATE_HOME=" + folder.path("state")}};
  std::string lan = folder.path("lan");
};

struct Lan {
  explicit Lan(const std::string& keys) : switchd({"vms=unix-listen:" + place.lan, nat(keys)}, "auto", place.options) {
    guest = std::make_unique<Peer>(Peer::unix_stream(place.lan));
    switchd.daemon.await_up("vms.1");
  }
  static std::string nat(const std::string& keys) {
    return "out=nat,ipv6=" + prefix + "/64" + (keys.empty() ? "" : "," + keys);
  }
  void change(const std::string& key, const std::vector<std::string>& values) {
    const v1::Response response = ask(key, values);
    INFO(control::to_json(response));
    REQUIRE(response.ports().ports_size() == 1);
  }
  v1::Response ask(const std::string& key, const std::vector<std::string>& values) {
    v1::Request request;
    request.mutable_set_port()->set_name("out");
    v1::Key& one = *request.mutable_set_port()->add_keys();
    one.set_key(key);
    for (const std::string& value : values) one.add_values(value);
    return switchd.ask(control::to_json(request));
  }
  Place place;
  Controlled switchd;
  std::unique_ptr<Peer> guest;
};

// --- DHCP.

struct Told {
  Ipv4Address next_server;
  std::string bootfile;
  std::map<unsigned, std::string> options;
};

Told read_told(std::span<const std::byte> bytes) {
  Told told;
  told.next_server = Ipv4Address(load_be32(&bytes[20]));
  told.bootfile = reinterpret_cast<const char*>(&bytes[108]);
  for (std::size_t at = 240; bytes[at] != std::byte{255}; at += 2 + std::to_integer<std::size_t>(bytes[at + 1]))
    told.options[std::to_integer<unsigned>(bytes[at])] =
        to_text(bytes.subspan(at + 2, std::to_integer<std::size_t>(bytes[at + 1])));
  return told;
}

Told offer(Peer& guest) {
  guest.send(dhcp_message(mac1, DhcpType::discover));
  while (true) {
    const std::string frame = guest.receive();
    const auto packet = parse_udp4(to_bytes(frame));
    if (packet && packet->from.port == dhcp_server_port) return read_told(packet->payload);
  }
}

// --- IPv6.

std::string icmp6_frame(const Ipv6Bytes& from, const Ipv6Bytes& to, MacAddress to_mac, std::uint8_t hops,
                        std::string message) {
  std::vector<std::byte> frame(ipv6_headers_bytes + message.size());
  to_mac.write(&frame[0]);
  mac1.write(&frame[6]);
  store_be16(&frame[12], ether_types::ipv6);
  frame[14] = std::byte{0x60};
  store_be16(&frame[18], static_cast<std::uint16_t>(message.size()));
  frame[20] = std::byte{ip_protocols::icmp6};
  frame[21] = std::byte{hops};
  std::copy(from.begin(), from.end(), &frame[22]);
  std::copy(to.begin(), to.end(), &frame[38]);
  std::copy(to_bytes(message).begin(), to_bytes(message).end(), &frame[54]);
  const auto covered = std::span(frame).subspan(22);
  store_be16(&frame[56], checksum_finish(checksum_add(message.size() + ip_protocols::icmp6, covered)));
  return to_text(frame);
}

// What a router advertisement says.
struct Advertised {
  bool router = false;
  unsigned flags = 0;
  bool has_prefix = false;
  std::vector<std::string> resolvers;
  std::string search;  // as DNS writes names
};

std::optional<Advertised> parse_advertised(const std::string& frame) {
  const auto bytes = to_bytes(frame);
  if (!parse_ipv6_addresses(bytes) || bytes[20] != std::byte{ip_protocols::icmp6} || bytes[54] != std::byte{134})
    return std::nullopt;
  CHECK(checksum_finish(checksum_add(load_be16(&bytes[18]) + ip_protocols::icmp6, bytes.subspan(22))) == 0);
  Advertised told;
  told.flags = std::to_integer<unsigned>(bytes[59]);
  told.router = load_be16(&bytes[60]) != 0;
  for (std::size_t at = 70; at < bytes.size(); at += 8 * std::to_integer<std::size_t>(bytes[at + 1])) {
    REQUIRE(bytes[at + 1] != std::byte{0});
    if (bytes[at] == std::byte{3}) {
      Ipv6Bytes told_prefix;
      std::copy_n(&bytes[at + 16], 16, told_prefix.begin());
      told.has_prefix = told_prefix == ip6(prefix);
    }
    if (bytes[at] == std::byte{31})
      told.search = to_text(bytes.subspan(at + 8, 8 * std::to_integer<std::size_t>(bytes[at + 1]) - 8));
    if (bytes[at] != std::byte{25}) continue;
    CHECK(load_be32(&bytes[at + 4]) > 0);
    for (std::size_t i = 0; i < std::to_integer<std::size_t>(bytes[at + 1]) / 2; ++i) {
      char text[INET6_ADDRSTRLEN];
      told.resolvers.emplace_back(inet_ntop(AF_INET6, &bytes[at + 8 + 16 * i], text, sizeof text));
    }
  }
  return told;
}

Advertised await_advertisement(Peer& guest) {
  while (true)
    if (const auto told = parse_advertised(guest.receive())) return *told;
}

std::string solicitation() {
  constexpr MacAddress all_routers(0x3333'0000'0002);
  return icmp6_frame(ip6("fe80::1"), ip6("ff02::2"), all_routers, 255, "\x85\0\0\0\0\0\0\0"s);
}

Advertised solicit(Peer& guest) {
  guest.send(solicitation());
  return await_advertisement(guest);
}

// --- TFTP.

const Udp4Endpoint here{mac1, address1, 2070};

void send_tftp(Peer& guest, const std::string& message) {
  guest.send(to_text(write_udp4({here, {router_mac, router, tftp_port}, to_bytes(message)})));
}

std::string tftp_answer(Peer& guest, const std::string& message) {
  send_tftp(guest, message);
  while (true) {
    const std::string frame = guest.receive();
    const auto packet = parse_udp4(to_bytes(frame));
    if (packet && packet->from.port == tftp_port && packet->to == here) return to_text(packet->payload);
  }
}

std::string fetch(Peer& guest, const std::string& name) {
  std::string message = tftp_answer(guest, "\0\1"s + name + "\0octet\0"s);
  std::string file;
  while (message.starts_with("\0\3"s)) {
    file += message.substr(4);
    const std::string ack = "\0\4"s + message.substr(2, 2);
    if (message.size() < 4 + tftp_block_bytes) {
      send_tftp(guest, ack);
      return file;
    }
    message = tftp_answer(guest, ack);
  }
  return "refused: " + message.substr(4, message.size() - 5);
}

std::string address_option(Ipv4Address address) {
  std::string raw(4, '\0');
  store_be32(reinterpret_cast<std::byte*>(raw.data()), address.value());
  return raw;
}

}  // namespace

TEST_CASE("guests are told of a router and of DNS servers by DHCP and by router advertisements alike") {
  const std::string own6 = prefix + "a00:203";
  struct Row {
    std::string keys;
    std::optional<Ipv4Address> router;
    bool router6;
    std::string dns;
    std::vector<std::string> dns6;
  };
  const std::string own = address_option(dns);
  const Ipv4Address vm(0x0A00'0209);
  const Row rows[] = {
      {"", router, true, own, {own6}},
      {"outbound=192.0.2.0/24", router, true, own, {own6}},
      {"outbound=none", std::nullopt, false, own, {own6}},
      {"via=none", std::nullopt, false, own, {own6}},
      {"via=10.0.2.9", vm, false, own, {own6}},
      {"via=10.0.2.9,outbound=none", vm, false, own, {own6}},
      {"nameserver=10.0.2.9", router, true, address_option(vm), {}},
      {"nameserver=2001:db8::53", router, true, "", {"2001:db8::53"}},
      {"nameserver=10.0.2.9+2001:db8::53+2001:db8::54", router, true, address_option(vm),
       {"2001:db8::53", "2001:db8::54"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    Lan lan(row.keys);
    const Told told = offer(*lan.guest);
    CHECK(told.options.contains(3) == row.router.has_value());
    if (row.router) CHECK(told.options.at(3) == address_option(*row.router));
    CHECK(told.options.contains(6) == !row.dns.empty());
    if (!row.dns.empty()) CHECK(told.options.at(6) == row.dns);
    CHECK(told.next_server == Ipv4Address());
    CHECK(told.bootfile.empty());
    const Advertised advertised = solicit(*lan.guest);
    CHECK(advertised.router == row.router6);
    CHECK(advertised.has_prefix);
    CHECK(advertised.flags == 0);
    CHECK(advertised.resolvers == row.dns6);
    CHECK(advertised.search == "\3lan\0\0\0\0"s);
    CHECK(lan.switchd.daemon.stop() == 0);
  }
}

TEST_CASE("guests are told of the domain of their names by router advertisements, too") {
  Lan lan("domain=lab.example");
  CHECK(offer(*lan.guest).options.at(15) == "lab.example");
  CHECK(solicit(*lan.guest).search == "\3lab\7example\0\0\0\0"s);
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE(
    "a pool that is changed while guests are served keeps the leases that are of it, and the others are "
    "told") {
  Lan lan("");
  const Ipv4Address first = lease(*lan.guest, guest_mac(1), host_name_option("web"));
  const Ipv4Address second = lease(*lan.guest, guest_mac(2), host_name_option("db"));
  REQUIRE(to_string(second) == "10.0.2.16");
  lan.change("pool", {"10.0.2.16-10.0.2.30"});
  lan.switchd.daemon.await_log(
      "port out: 1 of the leases kept is not of the pool any more, or reserved for another: " +
      to_string(first) + " (52:54:00:00:00:01 web)");
  CHECK(dns_lookup(*lan.guest, {guest_mac(2), second, 5353}, "db.lan") == second);
  CHECK(lease(*lan.guest, guest_mac(2)) == second);
  CHECK(to_string(lease(*lan.guest, guest_mac(1))) == "10.0.2.17");
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("what guests are told changes while they are served, and those with IPv6 hear of it at once") {
  Lan lan("");
  const pid_t gateway = gateway_of(lan.switchd.daemon);
  Peer& guest = *lan.guest;
  CHECK(solicit(guest).router);
  lan.change("outbound", {"none"});
  CHECK_FALSE(await_advertisement(guest).router);
  CHECK_FALSE(offer(guest).options.contains(3));
  lan.change("via", {"10.0.2.254"});
  CHECK(gateway_of(lan.switchd.daemon) != gateway);  // the pool steps aside, which a gateway does at its start only
  CHECK(offer(guest).options.at(3) == address_option(Ipv4Address(0x0A00'02FE)));
  lan.change("via", {"10.0.2.9"});
  const pid_t now = gateway_of(lan.switchd.daemon);
  CHECK_FALSE(solicit(guest).router);
  lan.change("via", {});
  lan.change("outbound", {});
  CHECK(await_advertisement(guest).router);
  lan.change("nameserver", {"2001:db8::53", "192.0.2.53"});
  CHECK(await_advertisement(guest).resolvers == std::vector<std::string>{"2001:db8::53"});
  CHECK(offer(guest).options.at(6) == address_option(Ipv4Address(0xC000'0235)));
  lan.change("bootfile", {"boot.ipxe"});
  lan.change("next-server", {"192.0.2.69"});
  lan.change("option", {"42:ip:192.0.2.1", "43:hex:0102"});
  const Told told = offer(guest);
  CHECK(told.bootfile == "boot.ipxe");
  CHECK(told.next_server == Ipv4Address(0xC000'0245));
  CHECK(told.options.at(42) == address_option(Ipv4Address(0xC000'0201)));
  CHECK(told.options.at(43) == "\1\2"s);
  CHECK(gateway_of(lan.switchd.daemon) == now);
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("with dhcp=off no DHCP is answered, and all else is") {
  Lan lan("dhcp=off");
  lan.guest->send(dhcp_message(mac1, DhcpType::discover));
  const Advertised told = solicit(*lan.guest);  // the first answer at all: frames are served in order
  CHECK(told.router);
  lan.change("dhcp", {"on"});
  CHECK(offer(*lan.guest).options.contains(3));
  lan.change("dhcp", {"off"});
  lan.guest->send(dhcp_message(mac1, DhcpType::discover));
  lan.guest->send(solicitation());
  while (true) {
    const std::string frame = lan.guest->receive();
    const auto packet = parse_udp4(to_bytes(frame));
    CHECK_FALSE((packet && packet->from.port == dhcp_server_port));
    if (parse_advertised(frame)) break;
  }
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("the DNS server's addresses answer to ping, as the router's do") {
  Lan lan("");
  for (const Ipv4Address asked : {router, dns}) {
    const MacAddress everybody(0xFFFF'FFFF'FFFF);
    lan.guest->send(to_text(write_arp({true, mac1, address1, MacAddress(), asked}, everybody)));  // as every guest does
    std::vector<std::byte> frame(14 + 20 + 12);
    (asked == dns ? dns_mac : router_mac).write(&frame[0]);
    mac1.write(&frame[6]);
    store_be16(&frame[12], ether_types::ipv4);
    write_ipv4_header(std::span(frame).subspan(14), {address1, asked, ip_protocols::icmp});
    frame[34] = std::byte{8};
    store_be32(&frame[42], 0xCAFE'F00D);
    store_be16(&frame[36], checksum_finish(checksum_add(0, std::span(frame).subspan(34))));
    lan.guest->send(to_text(frame));
    while (true) {
      const std::string received = lan.guest->receive();
      const auto packet = parse_ipv4_frame(to_bytes(received));
      if (!packet || packet->protocol != ip_protocols::icmp) continue;
      CHECK(packet->from == asked);
      CHECK(packet->to == address1);
      CHECK(packet->payload[0] == std::byte{0});
      CHECK(load_be32(&packet->payload[8]) == 0xCAFE'F00D);
      CHECK(checksum_finish(checksum_add(0, packet->payload)) == 0);
      break;
    }
  }
  for (const Ipv4Address asked4 : {router, dns}) {
    const Ipv6Bytes asked = ip6(prefix + to_string(asked4));
    const MacAddress to(0x5256'0000'0000ULL | asked4.value());
    const MacAddress solicited_node(0x3333'FF00'0000ULL | (asked4.value() & 0xFF'FFFF));
    const Ipv6Bytes here6 = ip6(prefix + "15");
    const Ipv6Bytes asked_of = ip6(asked4 == router ? "ff02::1:ff00:202" : "ff02::1:ff00:203");
    lan.guest->send(icmp6_frame(here6, asked_of, solicited_node, 255,
                                "\x87\0\0\0\0\0\0\0"s + to_text(asked)));
    lan.guest->send(icmp6_frame(here6, asked, to, 64, "\x80\0\0\0\0\1\0\2ping"s));
    while (true) {
      const std::string received = lan.guest->receive();
      const auto addresses = parse_ipv6_addresses(to_bytes(received));
      if (!addresses || received[54] != '\x81') continue;
      CHECK(addresses->from == asked);
      CHECK(received.ends_with("ping"));
      break;
    }
  }
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("DNS is answered over IPv6, at the address that router advertisements tell") {
  Lan lan("reserve=52:54:00:00:00:05+10.0.2.50+db");
  REQUIRE(solicit(*lan.guest).resolvers == std::vector<std::string>{prefix + "a00:203"});
  const std::string question = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\2db\3lan\0\0\1\0\1"s;
  const Udp6Endpoint asking{mac1, ip6(prefix + "15"), 5353};
  lan.guest->send(to_text(write_udp6({asking, {dns6_mac, ip6(prefix + "10.0.2.3"), dns_port}, to_bytes(question)})));
  while (true) {
    const std::string frame = lan.guest->receive();
    const auto packet = parse_udp6(to_bytes(frame));
    if (!packet) continue;
    CHECK(packet->from.address == ip6(prefix + "10.0.2.3"));
    CHECK(packet->from.port == dns_port);
    CHECK(packet->to == asking);
    const std::string answer = to_text(packet->payload);
    CHECK(answer.starts_with("\x12\x34"));
    CHECK(answer.ends_with("\0\4\x0a\0\2\x32"s));
    break;
  }
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("a folder is served by TFTP within the gateway's sandbox, and nothing outside it") {
  TempFolder served;
  TempFolder other;
  const std::string content(3000, 'k');
  std::ofstream(served.path("linux")) << content;
  std::ofstream(other.path("secret")) << "secret";
  std::filesystem::create_symlink(other.path("secret"), served.path("link"));
  Lan lan("tftp=" + served.path(""));
  CHECK(offer(*lan.guest).next_server == router);
  CHECK(fetch(*lan.guest, "linux") == content);
  CHECK(fetch(*lan.guest, "/linux") == content);
  CHECK(fetch(*lan.guest, "link") == "refused: link: it is outside the folder");
  lan.switchd.daemon.await_log("TFTP: 10.0.2.15 is refused: link: it is outside the folder");
  CHECK(fetch(*lan.guest, "../" + std::filesystem::path(other.path("")).parent_path().filename().string() + "/secret")
            .ends_with("it is outside the folder"));
  CHECK(fetch(*lan.guest, "none") == "refused: none: no such file");

  const pid_t gateway = gateway_of(lan.switchd.daemon);
  lan.change("tftp", {other.path("")});
  CHECK(fetch(*lan.guest, "secret") == "secret");
  CHECK(fetch(*lan.guest, "linux") == "refused: linux: no such file");
  const v1::Response refused = lan.ask("tftp", {served.path("gone")});
  CHECK(refused.has_error());
  CHECK(mentions(refused.error(), "gone: No such file or directory"));
  CHECK(fetch(*lan.guest, "secret") == "secret");
  CHECK(gateway_of(lan.switchd.daemon) == gateway);
  CHECK(lan.switchd.daemon.stop() == 0);
}

TEST_CASE("a folder that is not there ends the start, and is named") {
  const Ended ended = run_switchd({"out=nat,tftp=/nowhere/at/all"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.log.find("port out: tftp: cannot open the folder /nowhere/at/all: No such file or directory") !=
        std::string::npos);
}

TEST_CASE("two gateways with addresses of their own on one LAN are two routers of IPv6, each with a MAC of its own") {
  Place here, there;
  const std::string link = here.folder.path("link");
  const std::string second = Lan::nat("router=10.0.2.4,dns=10.0.2.5,pool=10.0.2.128-10.0.2.254");
  SwitchdProcess one("auto", {"vms=unix-listen:" + here.lan, "link=unix-listen:" + link,
                              Lan::nat("pool=10.0.2.15-10.0.2.127")}, here.options);
  SwitchdProcess other("auto", {"link=unix-connect:" + link, second}, there.options);
  one.await_up("link.1");
  Peer guest = Peer::unix_stream(here.lan);
  one.await_up("vms.1");
  guest.send(solicitation());
  std::map<std::string, std::string> routers;  // by their addresses of the link: the MAC, and what they tell
  while (routers.size() < 2) {
    const std::string frame = guest.receive();
    const auto told = parse_advertised(frame);
    if (!told) continue;
    const auto bytes = to_bytes(frame);
    char text[INET6_ADDRSTRLEN];
    const auto source_option = frame.find("\1\1"s, 70);
    REQUIRE(source_option == 70);
    CHECK(frame.substr(source_option + 2, 6) == frame.substr(6, 6));
    routers[inet_ntop(AF_INET6, &bytes[22], text, sizeof text)] =
        to_string(MacAddress::read(&bytes[6])) + " " + told->resolvers.at(0);
  }
  CHECK(routers == std::map<std::string, std::string>{{"fe80::a00:202", "52:56:0a:00:02:02 " + prefix + "a00:203"},
                                                      {"fe80::a00:204", "52:56:0a:00:02:04 " + prefix + "a00:205"}});
  // Each answers for itself.
  for (const std::string last : {"202", "204"}) {
    const auto number = static_cast<std::uint64_t>(std::stoul(last, nullptr, 16));
    const Ipv6Bytes asked = ip6("fe80::a00:" + last), from = ip6("fe80::1");
    const MacAddress solicited_node(0x3333'FF00'0000ULL | number), to(0x5256'0A00'0000ULL | number);
    guest.send(icmp6_frame(from, ip6("ff02::1:ff00:" + last), solicited_node, 255,
                           "\x87\0\0\0\0\0\0\0"s + to_text(asked)));
    guest.send(icmp6_frame(from, asked, to, 64, "\x80\0\0\0\0\1\0\2ping"s));
    for (std::string received; received.size() < 55 || received[54] != '\x81';) {
      received = guest.receive();
      if (received.size() < 55 || received[54] != '\x81') continue;
      CHECK(parse_ipv6_addresses(to_bytes(received))->from == asked);
      CHECK(MacAddress::read(&to_bytes(received)[6]) == to);
    }
  }
  for (SwitchdProcess* each : {&one, &other}) CHECK(each->stop() == 0);
}

TEST_CASE("a frame for the MAC of another gateway is not taken, whatever address it is for") {
  Lan lan("");
  const MacAddress own6(0x5256'0A00'0202);
  for (const Ipv6Bytes& asked : {ip6("fe80::a00:202"), ip6(prefix + "a00:202"), ip6(prefix + "a00:203")}) {
    const bool is_dns = asked.back() == std::byte{3};
    const Ipv6Bytes here6 = asked[0] == std::byte{0xFE} ? ip6("fe80::1") : ip6(prefix + "15");
    const MacAddress solicited_node(is_dns ? 0x3333'FF00'0203ULL : 0x3333'FF00'0202ULL);
    lan.guest->send(icmp6_frame(here6, ip6(is_dns ? "ff02::1:ff00:203" : "ff02::1:ff00:202"), solicited_node, 255,
                                "\x87\0\0\0\0\0\0\0"s + to_text(asked)));
    for (const std::uint64_t others : {0x5256'0A00'0204ULL, 0x5255'0A00'0204ULL, 0x5256'0000'0002ULL})
      lan.guest->send(icmp6_frame(here6, asked, MacAddress(others), 64, "\x80\0\0\0\0\1\0\2others"s));
    lan.guest->send(icmp6_frame(here6, asked, is_dns ? dns6_mac : own6, 64, "\x80\0\0\0\0\1\0\2own"s));
    std::string received;
    while (received.size() < 55 || received[54] != '\x81') received = lan.guest->receive();
    CHECK(received.ends_with("own"));
  }
  CHECK(lan.switchd.daemon.stop() == 0);
}

}  // namespace process_nat_told_test
