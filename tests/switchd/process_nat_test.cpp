// The real switchd with a gateway, and guests that are raw streams: what they get, what they cannot do to it, and what
// happens when it ends. Real guests and the way out: tests/e2e/nat.py.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "frames/arp.h"
#include "frames/dns.h"
#include "frames/internet_checksum.h"
#include "frames/utf8.h"
#include "tests/support/frames.h"
#include "tests/support/deadline.h"
#include "tests/support/guest.h"
#include "tests/support/own_network.h"
#include "tests/support/skip.h"

namespace process_nat_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

constexpr Ipv4Address router(0x0A00'0202), dns(0x0A00'0203), everybody(0xFFFF'FFFF);
constexpr MacAddress every_mac(0xFFFF'FFFF'FFFF);

// A TCP segment without payload from 10.0.2.15.
std::string tcp_to_dns(MacAddress from, std::uint16_t port, std::uint32_t sequence, std::uint32_t acknowledged,
                       std::uint8_t flags) {
  return write_tcp4({{from, Ipv4Address(0x0A00'020F), port},
                     {MacAddress(0x5255'0A00'0203), dns, dns_port},
                     sequence,
                     acknowledged,
                     flags});
}

struct Place {
  TempFolder folder;
  SpawnOptions options{.environment = {"XDG_STATE_HOME=" + folder.path("state")}};
  std::string lan = folder.path("lan");
};

// A switch with a gateway, and a guest whose port is up.
struct Lan {
  explicit Lan(const Place& place, const std::string& nat = "nat", const std::string& engine = "auto")
      : daemon(engine, {"vms=unix-listen:" + place.lan, "out=" + nat}, place.options),
        guest(Peer::unix_stream(place.lan)) {
    daemon.await_up("vms.1");
  }
  SwitchdProcess daemon;
  Peer guest;
};

}  // namespace

TEST_CASE("a gateway that is killed is replaced, and guests keep their addresses; the LAN never notices") {
  ON_EVERY_REAL_ENGINE;
  Place place;
  Lan lan(place, "nat", engine);
  CHECK(lan.daemon.address("out") == "10.0.2.0/24");
  Peer b = Peer::unix_stream(place.lan);
  lan.daemon.await_up("vms.2");
  const Ipv4Address first = lease(lan.guest, guest_mac(1));
  const Ipv4Address second = lease(b, guest_mac(2));
  CHECK(to_string(first) == "10.0.2.15");
  CHECK(to_string(second) == "10.0.2.16");

  const pid_t before = gateway_of(lan.daemon);
  REQUIRE(::kill(before, SIGKILL) == 0);
  lan.daemon.await_down("out");
  const std::string sent = frame(broadcast, mac(1), 100, 7);
  lan.guest.send(sent);
  b.receive_until(sent);
  CHECK(lan.daemon.await_up("out") == "port out up nat:10.0.2.0/24");
  CHECK(gateway_of(lan.daemon) != before);
  CHECK(lease(b, guest_mac(2)) == second);
  CHECK(lease(lan.guest, guest_mac(1)) == first);
  CHECK(ledger_mistakes(lan.daemon.stats()).empty());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("leases outlive the switch") {
  Place place;
  std::vector<Ipv4Address> leased;
  for (const bool again : {false, true}) {
    Lan lan(place);
    for (const unsigned n : again ? std::vector{3u, 2u, 1u} : std::vector{1u, 2u, 3u})
      leased.push_back(lease(lan.guest, guest_mac(n)));
    CHECK(lan.daemon.stop() == 0);
  }
  REQUIRE(leased.size() == 6);
  CHECK(std::vector(leased.begin(), leased.begin() + 3) == std::vector(leased.rbegin(), leased.rbegin() + 3));
}

TEST_CASE("one guest that asks for thousands of leases gets the pool and no more, and the log says so") {
  Place place;
  Lan lan(place, "nat,pool=10.0.2.20-10.0.2.29");
  std::set<Ipv4Address> leased;
  for (std::uint64_t n = 0; n < 10; ++n) leased.insert(lease(lan.guest, guest_mac(n)));
  CHECK(leased.size() == 10);
  for (std::uint64_t n = 1000; n < 3000; ++n) lan.guest.send(dhcp_message(guest_mac(n), DhcpType::discover));
  lan.daemon.await_log("no address is left for");
  CHECK(leased.contains(lease(lan.guest, guest_mac(5))));  // the first answer since; nobody got an offer in between
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("thousands of claims of one name keep the gateway from nobody else") {
  Place place;
  Lan lan(place, "nat:10.0.0.0/16,pool=10.0.16.0-10.0.31.255,router=10.0.0.2,dns=10.0.0.3");
  Peer other = Peer::unix_stream(place.lan);
  lan.daemon.await_up("vms.2");
  std::string claims;  // with addresses in falling order: the name is that of the last
  for (std::uint32_t n = 0; n < 4000; ++n)
    claims += on_stream(
        dhcp_message(guest_mac(n), DhcpType::request, Ipv4Address(0x0A00'1FFF - n), host_name_option("web")));
  lan.guest.send_raw(claims);
  CHECK(lease(other, guest_mac(0x10000)).value() >> 12 == 0x0A001);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("nonsense from a guest harms neither the gateway nor anybody") {
  Place place;
  Lan lan(place);
  const pid_t gateway = gateway_of(lan.daemon);
  std::mt19937 random(20);
  const std::string good = dhcp_message(guest_mac(9), DhcpType::discover);
  const std::vector<std::string> kinds = {std::string("\x08\x00", 2), std::string("\x08\x06", 2),
                                          std::string("\x86\xdd", 2)};
  for (unsigned i = 0; i < 5000; ++i) {
    std::string sent;
    if (i % 2 == 0) {  // anything of a kind that it looks at
      sent = broadcast + mac(9) + kinds[random() % kinds.size()];
      if (i % 4 == 0) sent.replace(0, 6, std::string("\x52\x55\x0a\x00\x02\x02", 6));
      for (std::size_t bytes = random() % 400; bytes > 0; --bytes) sent.push_back(static_cast<char>(random()));
    } else {  // a good message, cut and changed
      sent = good.substr(0, 14 + random() % (good.size() - 14));
      for (unsigned changes = random() % 4; changes > 0; --changes)
        sent[12 + random() % (sent.size() - 12)] = static_cast<char>(random());
    }
    lan.guest.send(sent);
  }
  (void)lease(lan.guest, guest_mac(77));
  CHECK(gateway_of(lan.daemon) == gateway);
  CHECK(ledger_mistakes(lan.daemon.stats()).empty());
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("fragments do no harm, in whatever order they come") {
  Place place;
  Lan lan(place);
  const pid_t gateway = gateway_of(lan.daemon);
  const Udp4Endpoint outside{MacAddress(0x5255'0A00'0202), Ipv4Address(0xC000'0201), 9};
  const std::vector<std::byte> payload(1000);
  const auto whole = write_udp4({{guest_mac(3), Ipv4Address(0x0A00'0209), 4000}, outside, payload});
  for (unsigned i = 0; i < 200; ++i) {
    for (const unsigned place_and_more : {0x0010u, 0x2008u, 0x2000u, 0x0008u, 0x2001u, 0x1FFFu}) {
      std::vector<std::byte> part = whole;
      store_be16(&part[18], static_cast<std::uint16_t>(i));
      store_be16(&part[20], static_cast<std::uint16_t>(place_and_more));
      store_be16(&part[24], 0);
      store_be16(&part[24], checksum_finish(checksum_add(0, std::span(part).subspan(14, 20))));
      lan.guest.send(to_text(part));
    }
  }
  (void)lease(lan.guest, guest_mac(3));
  CHECK(gateway_of(lan.daemon) == gateway);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("many connections to DNS by TCP in one burst do not hang the gateway") {
  Place place;
  Lan lan(place);
  const pid_t gateway = gateway_of(lan.daemon);
  // As guests do first: what libslirp has for a guest whose MAC it has to ask for, it keeps for a second and no longer.
  lan.guest.send(arp_request(guest_mac(4), lease(lan.guest, guest_mac(4)), Ipv4Address(0x0A00'0203)));
  constexpr std::uint16_t connections = 300;
  std::string burst;
  for (std::uint16_t i = 0; i < connections; ++i)
    burst += on_stream(tcp_to_dns(guest_mac(4), static_cast<std::uint16_t>(2000 + i), 1000, 0, TcpSegment::syn));
  lan.guest.send_raw(burst);
  burst.clear();
  for (std::uint16_t answered = 0; answered < connections;) {
    const auto segment = parse_tcp4(lan.guest.receive());
    if (!segment || segment->flags != (TcpSegment::syn | TcpSegment::ack)) continue;
    ++answered;
    burst += on_stream(tcp_to_dns(guest_mac(4), segment->to.port, 1001, segment->sequence + 1, TcpSegment::ack));
  }
  lan.guest.send_raw(burst);
  (void)lease(lan.guest, guest_mac(4));
  CHECK(gateway_of(lan.daemon) == gateway);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a gateway that hangs is replaced") {
  Place place;
  Lan lan(place);
  const pid_t hung = gateway_of(lan.daemon);
  REQUIRE(::kill(hung, SIGSTOP) == 0);
  lan.daemon.await_down("out");
  lan.daemon.await_up("out");
  CHECK(gateway_of(lan.daemon) != hung);
  CHECK(to_string(lease(lan.guest, guest_mac(4))) == "10.0.2.15");
  CHECK(lan.daemon.log().find("port out: the gateway does not answer") != std::string::npos);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a file of leases that is none keeps nobody from starting, and is told") {
  Place place;
  std::filesystem::create_directories(place.folder.path("state/lanyard"));
  std::ofstream(place.folder.path("state/lanyard/leases-out.json")) << "{\"version\": 7";
  Lan lan(place);
  lan.daemon.await_log("leases-out.json is no file of leases");
  CHECK(to_string(lease(lan.guest, guest_mac(4))) == "10.0.2.15");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a file of leases that cannot be written is told once, and so is that it can be again") {
  Place place;
  const std::string in_the_way = place.folder.path("state/lanyard/leases-out.json.new");
  std::filesystem::create_directories(in_the_way);
  Lan lan(place);
  for (unsigned n = 1; n <= 3; ++n) (void)lease(lan.guest, guest_mac(n));
  lan.daemon.await_log("cannot write " + in_the_way);
  std::filesystem::remove(in_the_way);
  lan.daemon.await_log("leases are kept again");
  const std::string log = lan.daemon.log();
  CHECK(log.find("cannot write") == log.rfind("cannot write"));
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("where there is no folder for leases, that is told once") {
  TempFolder folder;
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folder.path("lan"), "out=nat"},
                        {.environment = {"STATE_DIRECTORY=", "XDG_STATE_HOME=", "HOME="}});
  daemon.await_log("port out: leases are kept in memory only: none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set");
  Peer guest = Peer::unix_stream(folder.path("lan"));
  daemon.await_up("vms.1");
  CHECK(to_string(lease(guest, guest_mac(1))) == "10.0.2.15");
  REQUIRE(::kill(gateway_of(daemon), SIGKILL) == 0);
  daemon.await_down("out");
  daemon.await_up("out");
  CHECK(to_string(lease(guest, guest_mac(1))) == "10.0.2.15");  // the next one, too, has said what it had to say
  CHECK(daemon.stop() == 0);
  const std::string log = daemon.log();
  CHECK(log.find("in memory only") == log.rfind("in memory only"));
}

TEST_CASE("what a gateway says is told in one line, in whole characters, and once where each gateway says it") {
  const TempFolder folder;
  const std::string program = folder.path("lanyard-gateway");
  // Bytes as Python writes them, so that each text is cut elsewhere in a character.
  std::ofstream(program) << R"(#!/usr/bin/env python3
import json, os, sys
os.read(4, 1 << 20)
def tell(message): os.write(4, json.dumps(message, ensure_ascii=False).encode())
tell({"ready": True, "libslirp": "none"})
for i in range(4): tell({"event": str(i) + "a" * i + "\U0001F427" * 200, "kind": "noise"})
tell({"event": "two\nlines\x1b[2J\x9b2J", "kind": "noise"})
tell({"event": "no folder", "kind": "lease folder"})
tell({"event": "over", "kind": "noise"})
ran = os.path.dirname(sys.argv[0]) + "/ran"  # the first one ends
if os.path.exists(ran):
    while os.read(4, 1 << 16): pass
open(ran, "w").close()
)";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  std::filesystem::copy_file(built_program(), folder.path("switchd"));
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folder.path("lan"), "out=nat"}, {.program = folder.path("switchd")});
  daemon.await_log("port out: over", 2);
  CHECK(daemon.stop() == 0);
  const std::string log = daemon.log();
  CHECK_FALSE(find_invalid_utf8(log));
  for (int i = 0; i < 4; ++i) {
    std::string told = "port out: " + std::to_string(i) + std::string(static_cast<std::size_t>(i), 'a');
    for (int characters = 0; characters < (500 - 1 - i) / 4; ++characters) told += "\xF0\x9F\x90\xA7";
    CHECK(log.find(told + "\n") != std::string::npos);
  }
  CHECK(log.find("port out: two\\x0alines\\x1b[2J\\xc2\\x9b2J\n") != std::string::npos);
  const std::size_t once = log.find("port out: no folder\n");
  CHECK((once != std::string::npos && once == log.rfind("port out: no folder\n")));
}

TEST_CASE("two switches do not write one file of leases: the second keeps its own in memory, and says so") {
  Place place;
  Lan first(place);
  Place beside;
  beside.options = place.options;
  Lan second(beside);
  second.daemon.await_log("leases-out.json is in use by another gateway: leases of this one are kept in memory only");
  CHECK(to_string(lease(second.guest, guest_mac(2))) == "10.0.2.15");
  CHECK(to_string(lease(first.guest, guest_mac(1))) == "10.0.2.15");
  CHECK(second.daemon.stop() == 0);
  CHECK(first.daemon.stop() == 0);
  std::ifstream file(place.folder.path("state/lanyard/leases-out.json"));
  const std::string kept((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CHECK(kept.find("52:54:00:00:00:01") != std::string::npos);
  CHECK(kept.find("52:54:00:00:00:02") == std::string::npos);
}

TEST_CASE("DNS knows reservations, and is there for guests with an address of their own") {
  Place place;
  Lan lan(place, "nat,reserve=52:54:00:00:00:05+10.0.2.50+db");
  std::string question = std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
  question += std::string("\x02" "db" "\x03" "lan" "\x00" "\x00\x01\x00\x01", 12);
  const Udp4Endpoint here{guest_mac(6), Ipv4Address(0x0A00'0209), 5353};
  lan.guest.send(to_text(write_udp4({here, {MacAddress(0x5255'0A00'0203), dns, dns_port}, to_bytes(question)})));
  while (true) {
    const std::string frame = lan.guest.receive();
    const auto packet = parse_udp4(to_bytes(frame));
    if (!packet || packet->from.port != dns_port) continue;
    CHECK(packet->from.address == dns);
    CHECK(packet->to == here);
    const std::string answer = to_text(packet->payload);
    CHECK(answer.starts_with("\x12\x34"));
    CHECK(answer.ends_with(std::string("\x00\x04\x0a\x00\x02\x32", 6)));
    break;
  }
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("another DHCP server on the network is reported, one with the gateway's own address too, and no boot proxy") {
  Place place;
  Lan lan(place);
  const auto send = [&](Ipv4Address from, Ipv4Address yours) {
    DhcpReply reply;
    reply.yours = yours;
    reply.server = from;
    const auto offer = write_dhcp_reply({}, reply);
    lan.guest.send(to_text(write_udp4({{guest_mac(5), from, 67}, {every_mac, everybody, 68}, offer})));
  };
  send(Ipv4Address(0x0A00'0206), Ipv4Address());
  send(Ipv4Address(0x0A00'0205), Ipv4Address(0x0A00'0220));
  lan.daemon.await_log("other_gateway: port out: another DHCP server, 10.0.2.5");
  send(router, Ipv4Address(0x0A00'0220));
  lan.daemon.await_log("other_gateway: port out: 10.0.2.2, which is an address of this gateway, is used by another");
  CHECK(lan.daemon.log().find("another DHCP server, 10.0.2.6") == std::string::npos);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("two gateways with the same addresses on one LAN warn on both sides, once") {
  Place here;
  Place there;
  const std::string link = here.folder.path("link");
  SwitchdProcess first("auto", {"vms=unix-listen:" + here.lan, "link=unix-listen:" + link, "out=nat"}, here.options);
  SwitchdProcess second("auto", {"vms=unix-listen:" + there.lan, "link=unix-connect:" + link, "out=nat"},
                        there.options);
  first.await_up("link.1");
  second.await_up("link");
  Peer guest = Peer::unix_stream(here.lan);
  first.await_up("vms.1");
  guest.send(dhcp_message(guest_mac(1), DhcpType::discover));
  const std::string told = "10.0.2.2, which is an address of this gateway, is used by another";
  for (SwitchdProcess* each : {&first, &second}) each->await_log("other_gateway: port out: " + told);
  guest.send(dhcp_message(guest_mac(2), DhcpType::discover));
  CHECK(dhcp_answer(guest, guest_mac(2)).first == DhcpType::offer);
  for (SwitchdProcess* each : {&first, &second}) {
    CHECK(each->stop() == 0);
    const std::string log = each->log();
    CHECK(log.find(told, log.find(told) + 1) == std::string::npos);
  }
}

TEST_CASE("a VM that is made again has its name, and the move is told") {
  Place place;
  Lan lan(place);
  REQUIRE(to_string(lease(lan.guest, guest_mac(1), host_name_option("web"))) == "10.0.2.15");
  Peer again = Peer::unix_stream(place.lan);
  lan.daemon.await_up("vms.2");
  const Udp4Endpoint here{guest_mac(2), lease(again, guest_mac(2), host_name_option("web")), 5353};
  REQUIRE(to_string(here.address) == "10.0.2.16");
  CHECK(dns_lookup(again, here, "web.lan") == Ipv4Address(0x0A00'020F));
  lan.daemon.await_log("name_moved: port out: web is now 10.0.2.16 (52:54:00:00:00:02): 52:54:00:00:00:01");
  CHECK(dns_lookup(again, here, "web.lan") == here.address);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a VM that answers keeps its name, whoever else calls itself so") {
  Place place;
  Lan lan(place);
  const Ipv4Address first = lease(lan.guest, guest_mac(1), host_name_option("web"));
  Peer other = Peer::unix_stream(place.lan);
  lan.daemon.await_up("vms.2");
  const Udp4Endpoint here{guest_mac(2), lease(other, guest_mac(2), host_name_option("web")), 5353};
  const std::string question = arp_request(MacAddress(0x5255'0A00'0202), router, first);
  lan.guest.receive_until(question);
  lan.guest.send(to_text(write_arp({false, guest_mac(1), first, MacAddress(0x5255'0A00'0202), router},
                                   MacAddress(0x5255'0A00'0202))));
  const Ipv4Address third = lease(other, guest_mac(3));  // which its probe makes later than the answer
  CHECK(third != first);
  CHECK(dns_lookup(other, here, "web.lan") == first);
  CHECK(lan.daemon.log().find("name_moved") == std::string::npos);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a VM cannot give up the address and the name of another") {
  Place place;
  Lan lan(place);
  const DhcpType type = GENERATE(DhcpType::release, DhcpType::decline);
  const Ipv4Address first = lease(lan.guest, guest_mac(1), host_name_option("web"));
  Peer thief = Peer::unix_stream(place.lan);
  lan.daemon.await_up("vms.2");
  std::string forged = dhcp_message(guest_mac(1), type, first);
  guest_mac(2).write(reinterpret_cast<std::byte*>(&forged[6]));
  thief.send(forged);
  lan.daemon.await_log("52:54:00:00:00:02 would give up what 52:54:00:00:00:01 has leased");
  const Udp4Endpoint here{guest_mac(2), lease(thief, guest_mac(2)), 5353};
  CHECK(here.address != first);
  CHECK(dns_lookup(thief, here, "web.lan") == first);
  CHECK(lease(lan.guest, guest_mac(1)) == first);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a name that comes with its domain only is the VM's name") {
  Place place;
  Lan lan(place);
  const std::string fqdn = GENERATE(std::string("\x51\x14\x05\0\0\x03web\x07" "example\x03" "com\0", 22),
                                    std::string("\x51\x13\x01\0\0web.example.com.", 21));
  const Udp4Endpoint here{guest_mac(1), lease(lan.guest, guest_mac(1), fqdn), 5353};
  CHECK(dns_lookup(lan.guest, here, "web") == here.address);
  CHECK(dns_lookup(lan.guest, here, "web.lan") == here.address);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("an address that a VM uses without a lease is not offered, and told") {
  Place place;
  Lan lan(place);
  const bool has_spoken = GENERATE(true, false);
  CAPTURE(has_spoken);
  const Ipv4Address used(0x0A00'020F);
  const MacAddress user = guest_mac(0x77);
  if (has_spoken) lan.guest.send(arp_request(user, used, router));
  lan.guest.send(dhcp_message(guest_mac(1), DhcpType::discover));
  if (!has_spoken) {
    lan.guest.receive_until(arp_request(MacAddress(0x5255'0A00'0202), router, used));
    lan.guest.send(to_text(write_arp({false, user, used, MacAddress(0x5255'0A00'0202), router},
                                     MacAddress(0x5255'0A00'0202))));
  }
  CHECK(to_string(dhcp_answer(lan.guest, guest_mac(1)).second) == "10.0.2.16");
  lan.daemon.await_log(has_spoken
                           ? "address_in_use: port out: 10.0.2.15 is used by 52:54:00:00:00:77, which has no lease"
                           : "address_in_use: port out: 52:54:00:00:00:77 answers at 10.0.2.15");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a forward from a port that is taken ends the start, and names it") {
  Place place;
  Listener taken;
  const std::string port = taken.address().substr(taken.address().rfind(':') + 1);
  const Ended ended = run_switchd({"out=nat,forward=tcp:" + port + ":10.0.2.15:80"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.log.find("port out: forward tcp:127.0.0.1:" + port + ":10.0.2.15:80: cannot listen on 127.0.0.1:" + port +
                       ": Address already in use") != std::string::npos);
}

TEST_CASE("the gateway ends with the switch, however that ends") {
  Place place;
  SwitchdProcess daemon("auto", {"out=nat"}, place.options);
  const pid_t gateway = gateway_of(daemon);
  const Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, gateway, 0)));
  REQUIRE(ended);
  daemon.signal(SIGKILL);
  CHECK(daemon.await_exit() == 128 + SIGKILL);
  pollfd polled{ended.get(), POLLIN, 0};
  CHECK(::poll(&polled, 1, 20'000) == 1);
}

TEST_CASE("with hosts=on, VMs know the host's names, as they are now, and have its search domains") {
  TempFolder folder;
  const std::string hosts = folder.path("hosts"), resolv_conf = folder.path("resolv.conf");
  std::ofstream(hosts) << "127.0.0.1 localhost\n192.0.2.7 nas\n";
  std::ofstream(resolv_conf) << "search lab.example\nnameserver 127.0.0.53\n";
  const auto in_child = [&] {
    OwnNetwork::enter();
    OwnNetwork::have_file("/etc/hosts", hosts.c_str());
    OwnNetwork::have_mute_name_server(resolv_conf.c_str());
  };
  SwitchdProcess trial("auto", {"--check", "out=nat"}, {.in_child = in_child, .await_ready = false});
  if (trial.await_exit() == OwnNetwork::refused) {
    skip("this user may not have a network namespace");
    return;
  }
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folder.path("lan"), "out=nat,hosts=on"},
                        {.environment = {"XDG_STATE_HOME=" + folder.path("state")}, .in_child = in_child});
  Peer guest = Peer::unix_stream(folder.path("lan"));
  daemon.await_up("vms.1");
  guest.send(dhcp_message(guest_mac(6), DhcpType::discover));
  while (true) {
    const std::string offer = guest.receive();
    const auto packet = parse_udp4(to_bytes(offer));
    if (!packet || packet->from.port != dhcp_server_port) continue;
    CHECK(offer.find(std::string("\x77\x12\x03lan\0\x03lab\x07" "example\0", 20)) != std::string::npos);
    break;
  }
  const auto asked_for_nas = [&] {
    const std::string question("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                               "\x03" "nas\x03" "lan\0\0\x01\0\x01", 25);
    const Udp4Endpoint here{guest_mac(6), Ipv4Address(0x0A00'0209), 5353};
    guest.send(to_text(write_udp4({here, {MacAddress(0x5255'0A00'0203), dns, dns_port}, to_bytes(question)})));
    while (true) {
      const std::string frame = guest.receive();
      const auto packet = parse_udp4(to_bytes(frame));
      if (packet && packet->from.port == dns_port) return to_text(packet->payload.last(4));
    }
  };
  CHECK(asked_for_nas() == std::string("\xC0\0\x02\x07", 4));
  std::ofstream(hosts) << "192.0.2.77 nas\n";
  for (const Deadline deadline; asked_for_nas() != std::string("\xC0\0\x02\x4D", 4);) REQUIRE_FALSE(deadline.passed());
  CHECK(daemon.stop() == 0);
}

}  // namespace process_nat_test
