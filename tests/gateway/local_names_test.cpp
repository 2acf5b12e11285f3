// The names that a gateway knows itself, forwards and back, and which questions are none of its business.
#include "switchd/gateway/local_names.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>

#include "tests/gateway/temporary_folder.h"

namespace local_names_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

constexpr std::int64_t now = 1'700'000'000;

const MacAddress web = *parse_mac("52:54:00:00:00:01");
const MacAddress nameless = *parse_mac("52:54:00:00:00:02");
const MacAddress db = *parse_mac("52:54:00:00:00:09");

Ipv6Bytes address6(const char* text) {
  Ipv6Bytes address{};
  REQUIRE(inet_pton(AF_INET6, text, address.data()) == 1);
  return address;
}

// The nibbles back to front (RFC 3596, 2.5).
std::string reverse6(const char* text) {
  std::string name;
  const Ipv6Bytes address = address6(text);
  for (std::size_t i = address.size(); i-- > 0;)
    for (const unsigned digit :
         {std::to_integer<unsigned>(address[i]) & 15U, std::to_integer<unsigned>(address[i]) >> 4U}) {
      name.push_back("0123456789abcdef"[digit]);
      name.push_back('.');
    }
  return name + "ip6.arpa";
}

struct Lan {
  explicit Lan(const std::string& prefix6 = "fd6c:616e:a00:200::") {
    config.network = *parse_ipv4_network("10.0.2.0/24");
    config.router = *parse_ipv4("10.0.2.2");
    config.dns = *parse_ipv4("10.0.2.3");
    config.domain = "lab.test";
    config.ipv6_prefix = prefix6;
    REQUIRE(leases.bind(web, *parse_ipv4("10.0.2.15"), "web", now));
    REQUIRE(leases.bind(nameless, *parse_ipv4("10.0.2.16"), "", now));
  }

  std::optional<DnsAnswer> ask(const std::string& name, std::uint16_t type = dns_types::a, std::int64_t at = now,
                               std::uint16_t type_class = 1) const {
    DnsQuery query;
    query.name = name;
    query.type = type;
    query.type_class = type_class;
    return LocalNames(config, leases, neighbours6).answer(query, at);
  }
  DnsAnswer known(const std::string& name, std::int64_t at = now) const {
    const auto answer = ask(name, dns_types::a, at);
    REQUIRE(answer);
    return *answer;
  }

  GatewayConfig config;
  LeaseTable leases{{*parse_ipv4("10.0.2.15"), *parse_ipv4("10.0.2.20"), 3600, {{db, *parse_ipv4("10.0.2.50"), "db"}}}};
  Neighbours<Ipv6Bytes> neighbours6{16};
};

}  // namespace

TEST_CASE("a guest is known by its name, with the domain and without") {
  const Lan lan;
  for (const char* name : {"web", "web.lab.test"}) {
    const DnsAnswer answer = lan.known(name);
    CHECK(answer.code == DnsCode::ok);
    CHECK(answer.addresses == std::vector{*parse_ipv4("10.0.2.15")});
    CHECK(answer.addresses6.empty());
    CHECK(answer.ttl_seconds > 0);
    CHECK(answer.ttl_seconds <= 60);  // guests come and go
  }
  CHECK(lan.known("db.lab.test").addresses == std::vector{*parse_ipv4("10.0.2.50")});
  CHECK(lan.known("gateway.lab.test").addresses == std::vector{*parse_ipv4("10.0.2.2")});
}

TEST_CASE("a name under the domain that nobody has does not exist; a bare one may, elsewhere") {
  const Lan lan;
  CHECK(lan.known("shop.lab.test").code == DnsCode::no_such_name);
  CHECK(lan.known("a.web.lab.test").code == DnsCode::no_such_name);
  CHECK_FALSE(lan.ask("shop"));
}

TEST_CASE("the domain itself is there and has no address") {
  const DnsAnswer answer = Lan().known("lab.test");
  CHECK(answer.code == DnsCode::ok);
  CHECK(answer.addresses.empty());
  CHECK(answer.addresses6.empty());
}

TEST_CASE("other names are for the host's resolvers") {
  const Lan lan;
  for (const char* name : {"", "test", "example.org", "web.example.org", "xlab.test", "webxlab.test",
                           "web.lab.test.org", "web.lab", "lab.tes", "in-addr.arpa", "ip6.arpa"}) {
    CAPTURE(name);
    CHECK_FALSE(lan.ask(name));
  }
}

TEST_CASE("a question of another class is not ours, whatever the name") {
  const Lan lan;
  for (const std::uint16_t type_class : {std::uint16_t{0}, std::uint16_t{3}, std::uint16_t{255}})
    CHECK_FALSE(lan.ask("web.lab.test", dns_types::a, now, type_class));
}

TEST_CASE("a name of ours asked for another type is there and has no such record") {
  const auto answer = Lan().ask("web.lab.test", 15);  // MX
  REQUIRE(answer);
  CHECK(answer->code == DnsCode::ok);
}

TEST_CASE("a guest whose lease has ended is not known any more") {
  const Lan lan;
  CHECK(lan.known("web.lab.test", now + 3599).code == DnsCode::ok);
  CHECK(lan.known("web.lab.test", now + 3600).code == DnsCode::no_such_name);
  CHECK_FALSE(lan.ask("web", dns_types::a, now + 3600));
  CHECK(lan.known("15.2.0.10.in-addr.arpa", now + 3600).code == DnsCode::no_such_name);
  CHECK(lan.known("db.lab.test", now + 1'000'000).code == DnsCode::ok);
}

TEST_CASE("an address of the network has the name of its guest") {
  const Lan lan;
  CHECK(lan.known("15.2.0.10.in-addr.arpa").name == "web.lab.test");
  CHECK(lan.known("50.2.0.10.in-addr.arpa").name == "db.lab.test");
  CHECK(lan.known("2.2.0.10.in-addr.arpa").name == "gateway.lab.test");
  for (const char* name : {"16.2.0.10.in-addr.arpa", "17.2.0.10.in-addr.arpa", "255.2.0.10.in-addr.arpa"}) {
    CAPTURE(name);
    CHECK(lan.known(name).code == DnsCode::no_such_name);
  }
  CHECK_FALSE(lan.ask("15.3.0.10.in-addr.arpa"));
  CHECK_FALSE(lan.ask("1.1.1.1.in-addr.arpa"));
}

TEST_CASE("a guest has the IPv6 addresses that it uses in the gateway's prefix, and no others") {
  Lan lan;
  lan.neighbours6.learn(address6("fd6c:616e:a00:200::15"), web);
  lan.neighbours6.learn(address6("fe80::15"), web);
  lan.neighbours6.learn(address6("fd6c:616e:a00:201::15"), web);
  lan.neighbours6.learn(address6("fd6c:616e:a00:200::16"), nameless);
  CHECK(lan.known("web.lab.test").addresses6 == std::vector{address6("fd6c:616e:a00:200::15")});
  CHECK(lan.known(reverse6("fd6c:616e:a00:200::15")).name == "web.lab.test");
  CHECK(lan.known(reverse6("fd6c:616e:a00:200::16")).code == DnsCode::no_such_name);
  CHECK(lan.known(reverse6("fd6c:616e:a00:200::17")).code == DnsCode::no_such_name);
  CHECK_FALSE(lan.ask(reverse6("fe80::15")));
  CHECK_FALSE(lan.ask(reverse6("fd6c:616e:a00:201::15")));
}

TEST_CASE("a guest with very many IPv6 addresses has some of them") {
  Lan lan;
  for (unsigned i = 0; i < 16; ++i)
    lan.neighbours6.learn(address6(("fd6c:616e:a00:200::1:" + std::to_string(i)).c_str()), web);
  const std::size_t given = lan.known("web.lab.test").addresses6.size();
  CHECK(given >= 1);
  CHECK(given * 28 + 12 + 255 + 4 <= 512);  // what every client takes
}

TEST_CASE("without IPv6, no IPv6 address is ours") {
  Lan lan("");
  lan.neighbours6.learn(address6("fd6c:616e:a00:200::15"), web);
  lan.neighbours6.learn(address6("::15"), web);
  CHECK(lan.known("web.lab.test").addresses6.empty());
  CHECK_FALSE(lan.ask(reverse6("fd6c:616e:a00:200::15")));
  CHECK_FALSE(lan.ask(reverse6("::15")));
}

TEST_CASE("a guest that calls itself gateway is not taken for the gateway") {
  Lan lan;
  const MacAddress rogue = *parse_mac("52:54:00:00:00:66");
  REQUIRE(lan.leases.bind(rogue, *parse_ipv4("10.0.2.17"), "gateway", now));
  for (const char* name : {"gateway", "gateway.lab.test"})
    CHECK(lan.known(name).addresses == std::vector{*parse_ipv4("10.0.2.2")});
  CHECK(lan.known("17.2.0.10.in-addr.arpa").name != "gateway.lab.test");
}

TEST_CASE("the addresses learned longest ago are forgotten first, and one that moves is known at its new place") {
  Neighbours<Ipv6Bytes> neighbours(3);
  for (const char* address : {"fd00::1", "fd00::2", "fd00::3"}) neighbours.learn(address6(address), web);
  neighbours.learn(address6("fd00::2"), nameless);
  CHECK(neighbours.find(address6("fd00::2")) == nameless);
  CHECK(neighbours.addresses_of(web) == std::vector{address6("fd00::1"), address6("fd00::3")});
  neighbours.learn(address6("fd00::4"), db);
  CHECK_FALSE(neighbours.find(address6("fd00::1")));
  CHECK(neighbours.find(address6("fd00::2")) == nameless);
  CHECK(neighbours.find(address6("fd00::3")) == web);
  CHECK(neighbours.find(address6("fd00::4")) == db);
}

TEST_CASE("a negative answer is of the domain, of the network's part of the reverse tree, or of the name alone") {
  Lan lan;
  lan.neighbours6.learn(address6("fd6c:616e:a00:200::15"), web);
  CHECK(lan.known("shop.lab.test").zone == "lab.test");
  CHECK(lan.known("lab.test").zone == "lab.test");
  CHECK(lan.known("web").zone == "web");
  CHECK(lan.known("17.2.0.10.in-addr.arpa").zone == "2.0.10.in-addr.arpa");
  CHECK(lan.known(reverse6("fd6c:616e:a00:200::17")).zone == reverse6("fd6c:616e:a00:200::17").substr(32));
  for (const char* name : {"shop.lab.test", "lab.test", "web", "17.2.0.10.in-addr.arpa"}) {
    CHECK(lan.known(name).domain == "lab.test");
    CHECK(lan.known(name).ttl_seconds > 0);
    CHECK(lan.known(name).ttl_seconds <= 60);
  }
  lan.config.network = *parse_ipv4_network("10.0.0.0/14");
  CHECK(lan.known("1.2.0.10.in-addr.arpa").zone == "10.in-addr.arpa");
}

namespace {

struct WithHosts : Lan {
  explicit WithHosts(const std::string& text) {
    write_file(folder.file("hosts"), text);
    config.reservations = {{db, *parse_ipv4("10.0.2.50"), "db"}};
  }
  std::optional<DnsAnswer> ask(const std::string& name, std::uint16_t type = dns_types::a) {
    DnsQuery query;
    query.name = name;
    query.type = type;
    query.type_class = 1;
    LocalNames names(config, leases, neighbours6);
    names.use(hosts);
    return names.answer(query, now);
  }
  std::vector<Ipv4Address> addresses(const std::string& name) {
    const auto answer = ask(name);
    REQUIRE(answer);
    return answer->addresses;
  }
  TemporaryFolder folder;
  HostsFile hosts{folder.file("hosts")};
};

const std::vector<Ipv4Address> nas{*parse_ipv4("192.0.2.7")};

}  // namespace

TEST_CASE("the host's names are known, those without a dot in the domain, too, and back") {
  WithHosts lan("192.0.2.7 nas\n192.0.2.8 db2.example.org\n2001:db8::7 nas\n10.0.2.77 printer.lab.test\n");
  CHECK(lan.addresses("nas") == nas);
  CHECK(lan.addresses("nas.lab.test") == nas);
  CHECK(lan.ask("nas", dns_types::aaaa)->addresses6 == std::vector{address6("2001:db8::7")});
  CHECK(lan.addresses("db2.example.org") == std::vector{*parse_ipv4("192.0.2.8")});
  CHECK(lan.addresses("printer.lab.test") == std::vector{*parse_ipv4("10.0.2.77")});
  CHECK(lan.ask("db2.example.org.lab.test")->code == DnsCode::no_such_name);
  CHECK(lan.ask("7.2.0.192.in-addr.arpa", dns_types::ptr)->name == "nas.lab.test");
  CHECK(lan.ask("8.2.0.192.in-addr.arpa", dns_types::ptr)->name == "db2.example.org");
  CHECK(lan.ask("77.2.0.10.in-addr.arpa", dns_types::ptr)->name == "printer.lab.test");
  CHECK(lan.ask(reverse6("2001:db8::7"), dns_types::ptr)->name == "nas.lab.test");
  CHECK_FALSE(lan.ask("9.2.0.192.in-addr.arpa", dns_types::ptr));
}

TEST_CASE("of a name of the host's elsewhere, only the addresses are answered here") {
  WithHosts lan("192.0.2.8 db2.example.org\n");
  CHECK(lan.ask("db2.example.org", dns_types::aaaa)->code == DnsCode::ok);  // there is none: not another host's
  CHECK_FALSE(lan.ask("db2.example.org", 15));
  CHECK_FALSE(lan.ask("example.org"));
}

TEST_CASE("the gateway and reservations come before the host's names, and these before what guests call themselves") {
  WithHosts lan("192.0.2.7 gateway gateway.lab.test web db db.lab.test\n");
  CHECK(lan.addresses("gateway") == std::vector{*parse_ipv4("10.0.2.2")});
  CHECK(lan.addresses("db.lab.test") == std::vector{*parse_ipv4("10.0.2.50")});
  CHECK(lan.addresses("web.lab.test") == nas);
  CHECK(lan.ask("15.2.0.10.in-addr.arpa", dns_types::ptr)->name == "web.lab.test");
}

TEST_CASE(
    "a name that the host has and a guest calls itself is the host's, whole, however it is written and asked "
    "for") {
  const std::string line = GENERATE(as<std::string>{}, "192.0.2.7 web", "192.0.2.7 web.lab.test",
                                    "192.0.2.7 web web.lab.test", "192.0.2.7 web.lab.test\n192.0.2.9 web");
  CAPTURE(line);
  WithHosts lan(line + "\n");
  lan.neighbours6.learn(address6("fd6c:616e:a00:200::15"), web);
  for (const char* name : {"web", "web.lab.test"}) {
    CAPTURE(name);
    CHECK(lan.addresses(name) == nas);
    CHECK(lan.ask(name, dns_types::aaaa)->addresses6.empty());  // none of the guest's beside it
    CHECK(lan.ask(name, dns_types::aaaa)->code == DnsCode::ok);
  }
}

TEST_CASE("localhost is nobody's name, in no domain and wherever the host's file has it") {
  const std::string address = GENERATE(as<std::string>{}, "127.0.0.1", "192.0.2.7", "2001:db8::7");
  CAPTURE(address);
  WithHosts lan(address +
                " localhost localhost.lab.test localhost.localdomain web.localhost box.example.org\n");
  lan.config.host_loopback = true;
  CHECK(lan.ask("localhost.lab.test")->code == DnsCode::no_such_name);
  for (const char* name : {"localhost", "localhost.localdomain", "web.localhost"}) CHECK_FALSE(lan.ask(name));
  CHECK(lan.ask("box.example.org"));
}

TEST_CASE("the host's own name at its loopback is at the router where that leads there, and else not known") {
  WithHosts lan("127.0.0.1 localhost\n127.0.1.1 box.example.org box\n");
  CHECK_FALSE(lan.ask("box.example.org"));
  CHECK_FALSE(lan.ask("box"));
  CHECK(lan.ask("box.lab.test")->code == DnsCode::no_such_name);
  lan.config.host_loopback = true;
  CHECK(lan.addresses("box.example.org") == std::vector{*parse_ipv4("10.0.2.2")});
  CHECK(lan.addresses("box.lab.test") == std::vector{*parse_ipv4("10.0.2.2")});
  CHECK_FALSE(lan.ask("localhost"));
}

}  // namespace local_names_test
