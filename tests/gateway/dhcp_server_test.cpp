// What the DHCP server answers: each message of RFC 2131, 4.3, in each state that a client may be in.
#include "switchd/gateway/dhcp_server.h"

#include <catch2/catch.hpp>

namespace dhcp_server_test {

using namespace lanyard;

namespace {

constexpr std::int64_t now = 1'700'000'000;

Ipv4Address ip(unsigned last) { return Ipv4Address(0x0A00'0200U + last); }

const Ipv4Address server = ip(2);
const Ipv4Address other_server = ip(4);
const Ipv4Address router = ip(1);

struct Lan {
  LeaseTable leases{{ip(15), ip(17), 3600, {{*parse_mac("52:54:00:00:00:99"), ip(50), "db"}}}};
  std::vector<std::string> reports;
  DhcpServer dhcp{{*parse_ipv4_network("10.0.2.0/24"), server, router, {ip(3)}, 1400, 3600, "lab", {}, {}, {}},
                  leases,
                  [this](const char*, const std::string& line) { reports.push_back(line); }};

  std::optional<DhcpReply> answer(const DhcpRequest& request, std::int64_t at = now) {
    return dhcp.answer(request, at);
  }
  // A client that has its address.
  Ipv4Address join(std::uint64_t client, const std::string& name = "");
};

DhcpRequest from(std::uint64_t client, DhcpType type) {
  DhcpRequest request;
  request.type = type;
  request.xid = 7;
  request.mac = MacAddress(0x5254'0000'0000ULL + client);
  return request;
}

DhcpRequest selecting(std::uint64_t client, Ipv4Address address, Ipv4Address chosen = server) {
  DhcpRequest request = from(client, DhcpType::request);
  request.requested = address;
  request.server = chosen;
  return request;
}

DhcpRequest rebooting(std::uint64_t client, Ipv4Address address) {
  DhcpRequest request = from(client, DhcpType::request);
  request.requested = address;
  return request;
}

// RENEWING and REBINDING differ in how they are sent only.
DhcpRequest renewing(std::uint64_t client, Ipv4Address address) {
  DhcpRequest request = from(client, DhcpType::request);
  request.client = address;
  return request;
}

Ipv4Address Lan::join(std::uint64_t client, const std::string& name) {
  const auto offer = answer(from(client, DhcpType::discover));
  REQUIRE(offer);
  DhcpRequest request = selecting(client, offer->yours);
  request.host_name = name;
  const auto ack = answer(request);
  REQUIRE(ack);
  REQUIRE(ack->type == DhcpType::ack);
  return ack->yours;
}

void check_nak(const std::optional<DhcpReply>& reply) {
  REQUIRE(reply);
  CHECK(reply->type == DhcpType::nak);
  CHECK(reply->yours == Ipv4Address());
  CHECK(reply->server == server);
  CHECK(reply->lease_seconds == 0);
  CHECK_FALSE(reply->mask);
  CHECK(reply->routers.empty());
  CHECK(reply->dns.empty());
  CHECK_FALSE(reply->message.empty());
}

}  // namespace

TEST_CASE("DHCPDISCOVER is answered with an offer of all that a guest needs") {
  Lan lan;
  const auto offer = lan.answer(from(1, DhcpType::discover));
  REQUIRE(offer);
  CHECK(offer->type == DhcpType::offer);
  CHECK(offer->yours == ip(15));
  CHECK(offer->server == server);
  CHECK(offer->mask == Ipv4Address(0xFFFF'FF00));
  CHECK(offer->routers == std::vector{router});
  CHECK(offer->dns == std::vector{ip(3)});
  CHECK(offer->domain == "lab");
  CHECK(offer->mtu == 1400);
  CHECK(offer->lease_seconds == 3600);
  CHECK(offer->renew_seconds < offer->rebind_seconds);
  CHECK(offer->rebind_seconds < offer->lease_seconds);
}

TEST_CASE("DHCPDISCOVER gets the address it asks for, and a reserved one without asking") {
  Lan lan;
  DhcpRequest discover = from(1, DhcpType::discover);
  discover.requested = ip(17);
  CHECK(lan.answer(discover)->yours == ip(17));
  CHECK(lan.answer(from(0x99, DhcpType::discover))->yours == ip(50));
}

TEST_CASE("DHCPDISCOVER with no address left is not answered, and people are told") {
  Lan lan;
  for (const std::uint64_t client : {1U, 2U, 3U}) lan.join(client);
  CHECK(lan.reports.empty());
  CHECK_FALSE(lan.answer(from(4, DhcpType::discover)));
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("52:54:00:00:00:04") != std::string::npos);
  CHECK(lan.answer(from(2, DhcpType::discover)));
}

TEST_CASE("SELECTING: the offer that a client chose becomes its lease") {
  Lan lan;
  const auto offer = lan.answer(from(1, DhcpType::discover));
  REQUIRE(offer);
  DhcpRequest request = selecting(1, offer->yours);
  request.host_name = "Web.example";
  const auto ack = lan.answer(request);
  REQUIRE(ack);
  CHECK(ack->type == DhcpType::ack);
  CHECK(ack->yours == offer->yours);
  CHECK(ack->server == server);
  CHECK(ack->lease_seconds == 3600);
  CHECK(ack->mask == offer->mask);
  CHECK(ack->routers == offer->routers);
  CHECK(ack->dns == offer->dns);
  CHECK(ack->host_name == "web");
  CHECK(lan.leases.find(ip(15), now)->mac == request.mac);
}

TEST_CASE("SELECTING another server: no answer, no lease, and people are told of that server") {
  Lan lan;
  REQUIRE(lan.answer(from(1, DhcpType::discover)));
  CHECK_FALSE(lan.answer(selecting(1, ip(15), other_server)));
  CHECK(lan.leases.find(ip(15), now) == nullptr);
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("10.0.2.4") != std::string::npos);
}

TEST_CASE("SELECTING an address that is another's: DHCPNAK") {
  Lan lan;
  const Ipv4Address taken = lan.join(1);
  check_nak(lan.answer(selecting(2, taken)));
  check_nak(lan.answer(selecting(2, ip(50))));  // reserved
  check_nak(lan.answer(selecting(2, server)));
  check_nak(lan.answer(selecting(2, ip(255))));
  CHECK(lan.leases.find(taken, now)->mac == from(1, DhcpType::request).mac);
}

TEST_CASE("INIT-REBOOT: a client gets its lease confirmed, by a gateway that has forgotten it, too") {
  Lan lan;
  const Ipv4Address own = lan.join(1, "web");
  const auto again = lan.answer(rebooting(1, own), now + 10);
  REQUIRE(again);
  CHECK(again->type == DhcpType::ack);
  CHECK(again->yours == own);
  CHECK(again->host_name == "web");

  Lan fresh;
  const auto ack = fresh.answer(rebooting(1, ip(16)));
  REQUIRE(ack);
  CHECK(ack->type == DhcpType::ack);
  CHECK(ack->yours == ip(16));
}

TEST_CASE("INIT-REBOOT with an address that cannot be had: DHCPNAK, so that it asks anew at once") {
  Lan lan;
  const Ipv4Address taken = lan.join(1);
  check_nak(lan.answer(rebooting(2, taken)));
  check_nak(lan.answer(rebooting(2, *parse_ipv4("192.168.1.5"))));  // from another network
  check_nak(lan.answer(rebooting(0x99, ip(16))));                   // it has another reserved
}

TEST_CASE("RENEWING: the lease goes on from now, for the client it belongs to") {
  Lan lan;
  const Ipv4Address own = lan.join(1);
  const auto ack = lan.answer(renewing(1, own), now + 1800);
  REQUIRE(ack);
  CHECK(ack->type == DhcpType::ack);
  CHECK(ack->yours == own);
  CHECK(ack->lease_seconds == 3600);
  CHECK(lan.leases.find(own, now + 1800 + 3599) != nullptr);
  CHECK(lan.leases.find(own, now + 1800 + 3600) == nullptr);
  check_nak(lan.answer(renewing(2, own), now + 1800));
}

TEST_CASE("REBINDING: a lease that ended meanwhile is given again, unless another has the address") {
  Lan lan;
  const Ipv4Address own = lan.join(1);
  const auto ack = lan.answer(renewing(1, own), now + 10'000);
  REQUIRE(ack);
  CHECK(ack->type == DhcpType::ack);
  REQUIRE(lan.answer(rebooting(2, own), now + 20'000)->type == DhcpType::ack);
  check_nak(lan.answer(renewing(1, own), now + 20'001));
}

TEST_CASE("a request for no address at all gets none") {
  Lan lan;
  const auto reply = lan.answer(from(1, DhcpType::request));
  if (reply) check_nak(reply);
  CHECK(lan.leases.find(from(1, DhcpType::request).mac, now) == nullptr);
}

TEST_CASE("DHCPDECLINE: the address is left alone, people are told, and the client gets another") {
  Lan lan;
  const Ipv4Address first = lan.join(1);
  DhcpRequest decline = from(1, DhcpType::decline);
  decline.requested = first;
  decline.server = server;
  CHECK_FALSE(lan.answer(decline));
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("10.0.2.15") != std::string::npos);
  CHECK(lan.leases.find(first, now) == nullptr);
  CHECK(lan.join(1) != first);
  check_nak(lan.answer(rebooting(2, first)));
}

TEST_CASE("DHCPDECLINE to another server, without an address or of another's changes nothing") {
  Lan lan;
  const Ipv4Address own = lan.join(1);
  DhcpRequest decline = from(1, DhcpType::decline);
  decline.requested = own;
  decline.server = other_server;
  CHECK_FALSE(lan.answer(decline));
  decline.requested.reset();
  decline.server = server;
  CHECK_FALSE(lan.answer(decline));
  decline = from(2, DhcpType::decline);
  decline.requested = own;
  CHECK_FALSE(lan.answer(decline));
  CHECK(lan.leases.find(own, now) != nullptr);
}

TEST_CASE("DHCPRELEASE: the address is free at once, without an answer") {
  Lan lan;
  const Ipv4Address own = lan.join(1);
  DhcpRequest release = from(1, DhcpType::release);
  release.client = own;
  release.server = server;
  CHECK_FALSE(lan.answer(release));
  CHECK(lan.leases.find(own, now) == nullptr);
  CHECK(lan.answer(rebooting(2, own), now + 1)->type == DhcpType::ack);
}

TEST_CASE("DHCPRELEASE to another server, or of another's address, changes nothing") {
  Lan lan;
  const Ipv4Address own = lan.join(1);
  DhcpRequest release = from(1, DhcpType::release);
  release.client = own;
  release.server = other_server;
  CHECK_FALSE(lan.answer(release));
  CHECK(lan.leases.find(own, now) != nullptr);
  release = from(2, DhcpType::release);
  release.client = own;
  CHECK_FALSE(lan.answer(release));
  CHECK(lan.leases.find(own, now) != nullptr);
}

TEST_CASE("DHCPINFORM: options without an address and without a lease") {
  Lan lan;
  DhcpRequest inform = from(1, DhcpType::inform);
  inform.client = ip(200);
  const auto reply = lan.answer(inform);
  REQUIRE(reply);
  CHECK(reply->type == DhcpType::ack);
  CHECK(reply->yours == Ipv4Address());
  CHECK(reply->lease_seconds == 0);
  CHECK(reply->renew_seconds == 0);
  CHECK(reply->rebind_seconds == 0);
  CHECK(reply->dns == std::vector{ip(3)});
  CHECK(reply->domain == "lab");
  CHECK(lan.leases.find(inform.mac, now) == nullptr);
  CHECK(lan.leases.find(ip(200), now) == nullptr);
}

TEST_CASE("what servers send is not answered, and who has no MAC of its own is no client") {
  Lan lan;
  for (const DhcpType type : {DhcpType::offer, DhcpType::ack, DhcpType::nak}) CHECK_FALSE(lan.answer(from(1, type)));
  for (const MacAddress mac : {MacAddress(), MacAddress(0xFFFF'FFFF'FFFF), MacAddress(0x0100'5E00'0001)}) {
    for (const DhcpType type : {DhcpType::discover, DhcpType::request, DhcpType::inform}) {
      DhcpRequest request = from(1, type);
      request.mac = mac;
      request.requested = ip(15);
      CHECK_FALSE(lan.answer(request));
    }
  }
  CHECK(lan.answer(from(2, DhcpType::discover))->yours == ip(15));
}

TEST_CASE("guests with one name are told apart: only the first is told that it has it") {
  Lan lan;
  lan.join(1, "web");
  const auto offer = lan.answer(from(2, DhcpType::discover));
  DhcpRequest request = selecting(2, offer->yours);
  request.host_name = "web";
  CHECK(lan.answer(request)->host_name.empty());
}

TEST_CASE("a guest that calls itself wpad has its lease and no name, and people are told once") {
  Lan lan;
  const Ipv4Address address = lan.join(1, "wpad");
  CHECK(lan.leases.find_name("wpad", now) == nullptr);
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("52:54:00:00:00:01 calls itself wpad") != std::string::npos);
  DhcpRequest request = renewing(1, address);
  request.host_name = "wpad";
  CHECK(lan.answer(request)->host_name.empty());
  CHECK(lan.reports.size() == 1);
  lan.join(2, "localhost");
  CHECK(lan.reports.size() == 2);
}

namespace {

GatewayConfig gateway() {
  GatewayConfig config;
  config.router = server;
  config.dns = ip(3);
  return config;
}

std::optional<DhcpReply> offer_of(const GatewayConfig& config) {
  Lan lan;
  lan.dhcp.change(dhcp_options_of(config));
  return lan.answer(from(1, DhcpType::discover));
}

}  // namespace

TEST_CASE("the router that guests are told is the gateway, another, or none where nobody gets out") {
  struct Row {
    Outbound outbound;
    bool via_none;
    Ipv4Address via;
    std::vector<Ipv4Address> told;
  };
  const Row rows[] = {
      {Outbound::any, false, {}, {server}},          {Outbound::listed, false, {}, {server}},
      {Outbound::none, false, {}, {}},               {Outbound::any, true, {}, {}},
      {Outbound::none, true, {}, {}},                {Outbound::any, false, ip(9), {ip(9)}},
      {Outbound::none, false, ip(9), {ip(9)}},  // another router leads outside
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.outbound), row.via_none, to_string(row.via));
    GatewayConfig config = gateway();
    config.outbound = row.outbound;
    config.via_none = row.via_none;
    config.via = row.via;
    CHECK(offer_of(config)->routers == row.told);
  }
}

TEST_CASE("the next server is the one that is named, else the router where it serves files, else none") {
  GatewayConfig config = gateway();
  CHECK(offer_of(config)->next_server == Ipv4Address());
  CHECK(offer_of(config)->bootfile.empty());
  config.bootfile = "boot.ipxe";
  CHECK(offer_of(config)->next_server == Ipv4Address());  // it may be a URL
  CHECK(offer_of(config)->bootfile == "boot.ipxe");
  config.tftp_folder = "/srv/tftp";
  CHECK(offer_of(config)->next_server == server);
  config.next_server = *parse_ipv4("192.0.2.7");
  CHECK(offer_of(config)->next_server == parse_ipv4("192.0.2.7"));
}

TEST_CASE("guests are told of other DNS servers where some are named, of those with IPv4 addresses by DHCP") {
  GatewayConfig config = gateway();
  CHECK(offer_of(config)->dns == std::vector{ip(3)});
  config.nameservers = {"10.0.2.9", "2001:db8::53", "192.0.2.53"};
  CHECK(offer_of(config)->dns == std::vector{ip(9), *parse_ipv4("192.0.2.53")});
  config.nameservers = {"2001:db8::53"};
  CHECK(offer_of(config)->dns.empty());
}

TEST_CASE("further options are told with every answer but a refusal") {
  GatewayConfig config = gateway();
  config.dhcp_options = {"42:ip:10.0.2.9", "43:hex:01:02", "252:text:http://proxy/"};
  const auto offer = offer_of(config);
  REQUIRE(offer->more.size() == 3);
  CHECK(offer->more[1] == DhcpOption{43, {std::byte{1}, std::byte{2}}});
  Lan lan;
  lan.dhcp.change(dhcp_options_of(config));
  const auto nak = lan.answer(rebooting(1, *parse_ipv4("192.168.1.5")));
  REQUIRE(nak->type == DhcpType::nak);
  CHECK(nak->more.empty());
  CHECK(nak->bootfile.empty());
}

TEST_CASE("a guest that gives its name with its domain, by option 81, has the name, and is answered in its encoding") {
  Lan lan;
  const auto offer = lan.answer(from(1, DhcpType::discover));
  DhcpRequest request = selecting(1, offer->yours);
  request.host_name = "other";  // RFC 4702, 4: it does not count beside option 81
  struct Row {
    unsigned asked;
    unsigned answered;
  };
  constexpr unsigned s = 1, o = 2, e = 4, n = 8;
  for (const auto [asked, answered] :
       {Row{s | e, s | e}, Row{e, s | o | e}, Row{0, s | o}, Row{s, s}, Row{n | e, n | e}}) {
    CAPTURE(asked);
    request.fqdn = DhcpFqdn{static_cast<std::uint8_t>(asked), "Web.example.com"};
    const auto ack = lan.answer(request);
    REQUIRE(ack);
    CHECK(lan.leases.find(ip(15), now)->name == "web");
    CHECK(ack->host_name == "web");
    REQUIRE(ack->fqdn);
    CHECK(ack->fqdn->flags == answered);
    CHECK(ack->fqdn->name == "web.lab");
  }
  CHECK(lan.reports.empty());
  request.fqdn->name.clear();  // it wants to be told a name, and option 12 is all we know of it
  CHECK(lan.answer(request)->fqdn->name == "other.lab");
  request.fqdn.reset();
  CHECK_FALSE(lan.answer(request)->fqdn);
}

TEST_CASE("a guest whose name here differs from what it calls itself is told of, once") {
  struct Row {
    std::string says, name, told;
  };
  for (const auto& [says, name, told] : {Row{"my_vm", "my-vm", "calls itself my_vm: its name here is my-vm"},
                                         Row{"b\xC3\xBC" "ro.example", "bro", "its name here is bro"},
                                         Row{"!!!", "", "of which no name can be made"},
                                         Row{"WEB.example.com", "web", ""}, Row{"web-2", "web-2", ""}}) {
    CAPTURE(says);
    Lan lan;
    const Ipv4Address address = lan.join(1, says);
    CHECK(lan.leases.find(address, now)->name == name);
    DhcpRequest again = renewing(1, address);
    again.host_name = says;
    REQUIRE(lan.answer(again));
    REQUIRE(lan.reports.size() == (told.empty() ? 0 : 1));
    if (!told.empty()) CHECK(lan.reports[0].find(told) != std::string::npos);
  }
}

// --- Other servers, and addresses in use.

namespace {

DhcpServerSeen seen(DhcpType type, Ipv4Address yours, std::optional<Ipv4Address> by = {}) { return {type, yours, by}; }

const MacAddress rival = *parse_mac("52:55:0a:00:02:02");

}  // namespace

TEST_CASE("each answer of another server is told once for that server, also of one with our own address") {
  Lan lan;
  for (int i = 0; i < 3; ++i)
    lan.dhcp.hear_answer(seen(DhcpType::offer, ip(20), other_server), other_server, rival, now);
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("another DHCP server, 10.0.2.4 (52:55:0a:00:02:02), answers on this network") == 0);
  for (const DhcpType type : {DhcpType::offer, DhcpType::ack})
    lan.dhcp.hear_answer(seen(type, ip(20), server), server, rival, now);
  lan.dhcp.hear_answer(seen(DhcpType::nak, Ipv4Address(), server), server, rival, now);
  CHECK_FALSE(lan.dhcp.hear_rival(server, rival, now));
  REQUIRE(lan.reports.size() == 2);
  CHECK(lan.reports[1].find("10.0.2.2, which is an address of this gateway, is used by another") == 0);
  CHECK(lan.reports[1].find("Leave nat to one host") != std::string::npos);
  CHECK_FALSE(lan.answer(selecting(1, ip(15), other_server)));  // known already
  CHECK(lan.reports.size() == 2);
}

TEST_CASE("a proxy for network boot gives no addresses, and is no other server; a refusal is") {
  Lan lan;
  for (const DhcpType type : {DhcpType::offer, DhcpType::ack}) {
    lan.dhcp.hear_answer(seen(type, Ipv4Address(), other_server), other_server, rival, now);
    lan.dhcp.hear_answer(seen(type, Ipv4Address()), ip(9), rival, now);
  }
  CHECK(lan.reports.empty());
  lan.dhcp.hear_answer(seen(DhcpType::nak, Ipv4Address()), ip(9), rival, now);
  CHECK(lan.reports.size() == 1);
}

TEST_CASE("our address in the frames of another is told for each that has it") {
  Lan lan;
  CHECK(lan.dhcp.hear_rival(server, rival, now));
  CHECK_FALSE(lan.dhcp.hear_rival(server, rival, now));
  CHECK(lan.dhcp.hear_rival(ip(3), rival, now));
  CHECK(lan.reports.size() == 2);
}

TEST_CASE("however many rivals are forged, a real one is told, of each kind, and not many lines a minute") {
  Lan lan;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    (void)lan.dhcp.hear_rival(server, MacAddress(i), now);
    lan.dhcp.hear_answer(
        seen(DhcpType::offer, ip(20), Ipv4Address(0xC000'0000U + static_cast<std::uint32_t>(i))), ip(9),
        rival, now);
  }
  CHECK(lan.reports.size() == Rivals::told_max);
  lan.reports.clear();
  const std::int64_t later = now + Rivals::told_interval_s;
  CHECK(lan.dhcp.hear_rival(server, rival, later));
  lan.dhcp.hear_answer(seen(DhcpType::offer, ip(20), other_server), other_server, rival, later);
  CHECK_FALSE(lan.answer(selecting(1, ip(15), ip(5)), later));
  REQUIRE(lan.reports.size() == 3);
  CHECK(lan.reports[0].find("10.0.2.2, which is an address of this gateway") == 0);
  CHECK(lan.reports[0].find("(before it, 1992 frames of others that are not told of") != std::string::npos);
  CHECK(lan.reports[1].find("another DHCP server, 10.0.2.4") == 0);
  CHECK(lan.reports[1].find("before it") == std::string::npos);
  CHECK(lan.reports[2].find("another DHCP server, 10.0.2.5, is on this network") == 0);
}

TEST_CASE("only DHCPDISCOVER is probed for, and only once") {
  Lan lan;
  CHECK(lan.dhcp.to_probe(from(1, DhcpType::discover), now) == ip(15));
  lan.leases.probed(from(1, DhcpType::discover).mac, ip(15));
  CHECK_FALSE(lan.dhcp.to_probe(from(1, DhcpType::discover), now));
  CHECK(lan.answer(from(1, DhcpType::discover))->yours == ip(15));
  lan.join(1);
  for (const DhcpRequest& request : {from(1, DhcpType::discover), rebooting(1, ip(15)), renewing(1, ip(15)),
                                     rebooting(2, ip(16)), from(0x99, DhcpType::discover)})
    CHECK_FALSE(lan.dhcp.to_probe(request, now + 10));
}

TEST_CASE("DHCPDECLINE of a reserved address is told, and the address stays its guest's") {
  Lan lan;
  REQUIRE(lan.join(0x99) == ip(50));
  DhcpRequest decline = from(0x99, DhcpType::decline);
  decline.requested = ip(50);
  CHECK_FALSE(lan.answer(decline));
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("52:54:00:00:00:99 says that 10.0.2.50 is used by somebody else") == 0);
  CHECK(lan.answer(from(0x99, DhcpType::discover))->yours == ip(50));
}

TEST_CASE("people are told why a guest has not the name that it calls itself") {
  Lan lan;
  lan.join(1, "web");
  CHECK(lan.reports.empty());
  lan.join(2, "web");
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0].find("52:54:00:00:00:02 calls itself web, which is the name of 52:54:00:00:00:01") == 0);
  lan.join(3, "db");
  REQUIRE(lan.reports.size() == 2);
  CHECK(lan.reports[1] == "52:54:00:00:00:03 calls itself db, which is reserved for 52:54:00:00:00:99");
}

}  // namespace dhcp_server_test
