// nat ports: every key, good and bad, by the PORT grammar and in YAML; what is filled in; and what does not go
// together.
#include <arpa/inet.h>

#include <catch2/catch.hpp>
#include <set>

#include "switchd/port_keys.h"
#include "tests/switchd/config_helpers.h"

namespace config_nat_test {

using namespace lanyard;

namespace {

GatewayConfig gateway_of(const std::string& port) {
  const auto [config, errors, warnings] = complete_ports({port});
  CAPTURE(port);
  CHECK(errors == Lines{});
  return config.ports.at(0).gateway;
}

Completed complete_yaml(const std::string& text) {
  Completed completed;
  std::vector<ConfigError> errors;
  parse_yaml(text, "lan.yaml", completed.config, errors);
  complete(completed.config, errors);
  completed.errors = lines_of(errors);
  return completed;
}

Ipv4Address ip(const char* text) {
  const auto address = parse_ipv4(text);
  REQUIRE(address);
  return *address;
}

bool is_in(const Lines& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("a nat port needs nothing said: its network is the one that people know from QEMU") {
  const GatewayConfig gateway = gateway_of("nat");
  CHECK(to_string(gateway.network) == "10.0.2.0/24");
  CHECK(gateway.router == ip("10.0.2.2"));
  CHECK(gateway.dns == ip("10.0.2.3"));
  CHECK(told_router(gateway) == ip("10.0.2.2"));
  CHECK(told_nameservers(gateway) == std::vector{ip("10.0.2.3")});
  CHECK(told_next_server(gateway) == Ipv4Address());
  CHECK(gateway.dhcp);
  CHECK(gateway.pool_first == ip("10.0.2.15"));
  CHECK(gateway.pool_last == ip("10.0.2.254"));
  CHECK(gateway.domain == "lan");
  CHECK(gateway.lease_seconds == 3600);
  CHECK(gateway.mtu == 1500);
  CHECK(gateway.outbound == Outbound::any);
  CHECK_FALSE(gateway.host_loopback);
  CHECK_FALSE(gateway.hosts);
  CHECK(gateway.reservations.empty());
  CHECK(gateway.forwards.empty());
}

TEST_CASE("what is left out follows the network that is named") {
  const GatewayConfig gateway = gateway_of("out=nat:192.168.77.9/24,network=lab");
  CHECK(to_string(gateway.network) == "192.168.77.0/24");
  CHECK(gateway.router == ip("192.168.77.2"));
  CHECK(gateway.dns == ip("192.168.77.3"));
  CHECK(gateway.pool_first == ip("192.168.77.15"));
  CHECK(gateway.pool_last == ip("192.168.77.254"));
}

TEST_CASE("a large network has a pool of bounded size") {
  for (const char* port : {"nat:10.0.0.0/8", "nat:172.16.0.0/12", "nat:10.9.0.0/16"}) {
    const GatewayConfig gateway = gateway_of(port);
    CHECK(gateway.pool_last.value() - gateway.pool_first.value() + 1 == limits::leases_max);
    CHECK(gateway.network.contains(gateway.pool_last));
  }
}

TEST_CASE("a small network has room for guests beside the gateway") {
  for (const char* port : {"nat:10.0.2.0/29", "nat:10.0.2.8/29", "nat:10.0.2.0/28", "nat:10.0.2.240/28",
                           "nat:10.0.2.0/27", "nat:10.0.2.0/26"}) {
    CAPTURE(port);
    const GatewayConfig gateway = gateway_of(port);
    const Ipv4Network& network = gateway.network;
    CHECK(network.contains(gateway.router));
    CHECK(network.contains(gateway.dns));
    CHECK(network.contains(gateway.pool_first));
    CHECK(network.contains(gateway.pool_last));
    CHECK(gateway.pool_last.value() == network.broadcast().value() - 1);
    CHECK(gateway.pool_last.value() - gateway.pool_first.value() + 1 >= 3);
    CHECK(gateway.pool_first > gateway.dns);
    CHECK(gateway.dns > gateway.router);
    CHECK(gateway.router > network.address);
  }
  CHECK(gateway_of("nat:10.0.2.0/29").pool_first == ip("10.0.2.4"));
  CHECK(gateway_of("nat:10.0.2.0/28").pool_last == ip("10.0.2.14"));
}

TEST_CASE("each IPv4 network has an IPv6 network of 64 bits, of the addresses for sites of their own") {
  std::set<std::string> prefixes;
  for (const char* port :
       {"nat", "nat:10.0.3.0/24", "nat:10.2.0.0/16", "nat:192.168.0.0/24", "nat:172.16.0.0/12", "nat:10.0.2.128/29"}) {
    CAPTURE(port);
    const std::string prefix = gateway_of(port).ipv6_prefix;
    in6_addr address{};
    REQUIRE(inet_pton(AF_INET6, prefix.c_str(), &address) == 1);
    CHECK(address.s6_addr[0] == 0xFD);  // RFC 4193, 3.1
    for (std::size_t i = 8; i < 16; ++i) CHECK(address.s6_addr[i] == 0);
    CHECK(prefixes.insert(prefix).second);
  }
  CHECK(gateway_of("nat").ipv6_prefix == gateway_of("nat").ipv6_prefix);  // for guests that keep what they had
}

TEST_CASE("every key of a nat port can be written") {
  const GatewayConfig gateway = gateway_of(
      "out=nat:10.1.0.0/"
      "16,router=10.1.0.1,dns=10.1.0.53,via=10.1.0.9,pool=10.1.1.0-10.1.1.99,lease=60,domain=lab.test,mtu=65520,"
      "ipv6=fd00:1:2:3::/64,outbound=192.0.2.0/24+2001:db8::/32,host-loopback=allow,hosts=on,"
      "reserve=52:54:00:12:34:56+10.1.0.20+web,forward=tcp:8080:web:80,forward=udp:0.0.0.0:5353:10.1.1.5:53,"
      "reserve=52:54:00:12:34:57+10.1.1.7+db");
  CHECK(gateway.router == ip("10.1.0.1"));
  CHECK(gateway.dns == ip("10.1.0.53"));
  CHECK(gateway.via == ip("10.1.0.9"));
  CHECK(gateway.pool_first == ip("10.1.1.0"));
  CHECK(gateway.pool_last == ip("10.1.1.99"));
  CHECK(gateway.lease_seconds == 60);
  CHECK(gateway.domain == "lab.test");
  CHECK(gateway.mtu == 65520);
  CHECK(gateway.ipv6_prefix == "fd00:1:2:3::");
  CHECK(gateway.outbound == Outbound::listed);
  CHECK(gateway.outbound_prefixes == std::vector<std::string>{"192.0.2.0/24", "2001:db8::/32"});
  CHECK(gateway.host_loopback);
  CHECK(gateway.hosts);
  CHECK(gateway.reservations == std::vector<Reservation>{{*parse_mac("52:54:00:12:34:56"), ip("10.1.0.20"), "web"},
                                                         {*parse_mac("52:54:00:12:34:57"), ip("10.1.1.7"), "db"}});
  CHECK(gateway.forwards == std::vector<Forward>{{false, "127.0.0.1", 8080, "web", 80},
                                                 {true, "0.0.0.0", 5353, "10.1.1.5", 53}});
}

TEST_CASE("the values at the limits of a key are good") {
  CHECK(gateway_of("nat,lease=31536000").lease_seconds == 31'536'000);
  CHECK(gateway_of("nat,mtu=576").mtu == 576);
  CHECK(gateway_of("nat,ipv6=off").ipv6_prefix.empty());
  CHECK(gateway_of("nat,ipv6=fd00::5/64").ipv6_prefix == "fd00::");
  CHECK(gateway_of("nat,outbound=any").outbound == Outbound::any);
  CHECK(gateway_of("nat,outbound=none").outbound == Outbound::none);
  CHECK(gateway_of("nat,outbound=192.0.2.7").outbound_prefixes.size() == 1);
  CHECK_FALSE(gateway_of("nat,host-loopback=deny").host_loopback);
  CHECK_FALSE(gateway_of("nat,hosts=off").hosts);
  CHECK(gateway_of("nat,domain=a").domain == "a");
  CHECK(gateway_of("nat,domain=" + std::string(63, 'a') + ".b-1").domain.size() == 67);
  CHECK(gateway_of("nat,pool=10.0.2.9-10.0.2.9").pool_last == ip("10.0.2.9"));
  CHECK(gateway_of("nat:10.0.2.0/29,router=10.0.2.1,dns=10.0.2.2,pool=10.0.2.3-10.0.2.6").router == ip("10.0.2.1"));
}

TEST_CASE("nat in YAML is as on the command line") {
  const auto [config, errors, warnings] = complete_yaml(R"(
ports:
  out:
    type: nat
    address: 10.1.0.0/16
    router: 10.1.0.1
    dns: 10.1.0.53
    via: 10.1.0.9
    nameserver: [10.1.0.54, "2001:db8::53"]
    dhcp: off
    bootfile: http://10.1.0.69/menu
    next-server: 10.1.0.69
    tftp: /srv/tftp
    option: ["42:ip:10.1.0.9+10.1.0.10", "43:hex:01ff"]
    pool: 10.1.1.0-10.1.1.99
    lease: 60
    domain: lab.test
    mtu: 1400
    ipv6: "fd00:1:2:3::/64"
    outbound: [192.0.2.0/24, "2001:db8::/32"]
    host-loopback: allow
    hosts: on
    reserve: ["52:54:00:12:34:56+10.1.0.20+web", "52:54:00:12:34:57+10.1.1.7+db"]
    forward: ["tcp:8080:web:80", "udp:0.0.0.0:5353:10.1.1.5:53"]
)");
  CHECK(errors == Lines{});
  REQUIRE(config.ports.size() == 1);
  CHECK(
      config.ports[0].gateway ==
      gateway_of(
          "nat:10.1.0.0/16,router=10.1.0.1,dns=10.1.0.53,via=10.1.0.9,pool=10.1.1.0-10.1.1.99,lease=60,domain=lab.test,"
          "nameserver=10.1.0.54+2001:db8::53,dhcp=off,bootfile=http://10.1.0.69/menu,next-server=10.1.0.69,"
          "tftp=/srv/tftp,option=42:ip:10.1.0.9+10.1.0.10,option=43:hex:01ff,"
          "mtu=1400,ipv6=fd00:1:2:3::/64,outbound=192.0.2.0/24+2001:db8::/32,host-loopback=allow,hosts=on,"
          "reserve=52:54:00:12:34:56+10.1.0.20+web,reserve=52:54:00:12:34:57+10.1.1.7+db,"
          "forward=tcp:8080:web:80,forward=udp:0.0.0.0:5353:10.1.1.5:53"));
  CHECK(complete_yaml("ports: {out: {type: nat}}").config.ports.at(0).gateway == gateway_of("nat"));
  CHECK(complete_yaml("ports: {out: {type: nat, forward: \"tcp:8080:10.0.2.20:80\"}}").errors == Lines{});
}

TEST_CASE("mistakes in YAML have their places") {
  CHECK(complete_yaml("ports:\n  out:\n    type: nat\n    mtu: 100\n").errors ==
        Lines{"lan.yaml:4:10: mtu: expected a number of bytes from 576 to 65520, not '100'"});
  CHECK(complete_yaml("ports:\n  out:\n    type: nat\n    router: [10.0.2.5, 10.0.2.6]\n").errors ==
        Lines{"lan.yaml:4:5: router: expected one value, not a list"});
  CHECK(is_in(complete_yaml("ports:\n  out:\n    type: nat\n    forward: [\"tcp:1:10.0.2.20:1\", nonsense]\n").errors,
              "lan.yaml:4:36: forward: expected tcp:[HOST:]PORT:GUEST:PORT"));
}

TEST_CASE("a key of nat that is wrong says what was expected") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const std::string_view network = "expected an IPv4 network from /8 to /29, such as 10.0.2.0/24, not ";
  const std::string_view pool = "pool: expected FIRST-LAST, such as 10.0.2.15-10.0.2.99, not ";
  const std::string_view reserve = "reserve: expected MAC+ADDRESS+NAME, such as 52:54:00:12:34:56+10.0.2.20+web, not ";
  const std::string_view name = "reserve: expected a name of lower-case letters, digits and hyphens, not ";
  const std::string_view domain = "domain: expected a domain of lower-case letters, digits, hyphens and dots, not ";
  const std::string_view ipv6 = "ipv6: expected off or an IPv6 prefix of 64 bits, such as fd00:1:2:3::/64, not ";
  const std::string_view outbound =
      "outbound: expected any, none, or addresses and prefixes such as 192.0.2.0/24, not ";
  const Row rows[] = {
      {"nat:", network},
      {"nat:10.0.2.0", network},
      {"nat:10.0.2.0/30", network},
      {"nat:10.0.0.0/7", network},
      {"nat:10.0.2.0/33", network},
      {"nat:fd00::/64", network},
      {"nat:lan", network},
      {"nat:0.0.0.0/8", network},
      {"nat:127.0.0.0/8", network},
      {"nat:224.0.0.0/24", network},
      {"nat,router=10.0.2", "router: expected an IPv4 address, not '10.0.2'"},
      {"nat,router=fd00::1", "router: expected an IPv4 address, not 'fd00::1'"},
      {"nat,router=", "router: expected an IPv4 address, not ''"},
      {"nat,router=0.0.0.0", "router: expected an IPv4 address, not '0.0.0.0'"},
      {"nat,dns=0.0.0.0", "dns: expected an IPv4 address, not '0.0.0.0'"},
      {"nat,via=gw", "via: expected none or an IPv4 address, not 'gw'"},
      {"nat,via=0.0.0.0", "via: expected none or an IPv4 address, not '0.0.0.0'"},
      {"nat,nameserver=", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not ''"},
      {"nat,nameserver=dns.lab", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not 'dns.lab'"},
      {"nat,nameserver=224.0.0.251", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not '224.0.0.251'"},
      {"nat,nameserver=ff02::fb", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not 'ff02::fb'"},
      {"nat,nameserver=::1", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not '::1'"},
      {"nat,nameserver=fe80::1%eth0", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not 'fe80::1%eth0'"},
      {"nat,nameserver=10.0.0.0/8", "nameserver: expected the IPv4 or IPv6 address of a DNS server, not '10.0.0.0/8'"},
      {"nat,nameserver=10.0.0.1+10.0.0.1", "nameserver: 10.0.0.1 is given twice"},
      {"nat,nameserver=1.0.0.1+1.0.0.2+1.0.0.3+1.0.0.4+1.0.0.5+1.0.0.6+1.0.0.7+1.0.0.8+1.0.0.9",
       "nameserver: more than 8 servers"},
      {"nat,dhcp=no", "dhcp: expected on or off, not 'no'"},
      {"nat,bootfile=", "bootfile: expected the name of a file or a URL, of at most 127 printable characters, not ''"},
      {"nat,bootfile=a b", "bootfile: expected the name of a file or a URL"},
      {"nat,next-server=tftp.lab", "next-server: expected the IPv4 address of a server, not 'tftp.lab'"},
      {"nat,next-server=0.0.0.0", "next-server: expected the IPv4 address of a server, not '0.0.0.0'"},
      {"nat,tftp=", "tftp: expected a path"},
      {"nat,option=43", "option: expected NUMBER:hex:BYTES, NUMBER:text:TEXT or NUMBER:ip:ADDR[+ADDR], not '43'"},
      {"nat,option=3:ip:10.0.2.9", "option: 3 is the server's own: use via"},
      {"nat,option=43:hex:01,option=43:text:a", "option: 43 is given twice"},
      {"tap:a,bootfile=x", "key 'bootfile' is for nat, not for tap"},
      {"nat,dns=here", "dns: expected an IPv4 address, not 'here'"},
      {"nat,pool=10.0.2.20", pool},
      {"nat,pool=10.0.2.20-", pool},
      {"nat,pool=-10.0.2.20", pool},
      {"nat,pool=10.0.2.20-10.0.2.19", pool},
      {"nat,pool=10.0.2.20-30", pool},
      {"nat,pool=10.0.2.20-10.0.2.30-10.0.2.40", pool},
      {"nat,pool=0.0.0.0-10.0.2.30", pool},
      {"nat,lease=59", "lease: expected a number of seconds from 60 to 31536000, not '59'"},
      {"nat,lease=31536001", "lease: expected a number of seconds from 60 to 31536000, not '31536001'"},
      {"nat,lease=1h", "lease: expected a number of seconds from 60 to 31536000, not '1h'"},
      {"nat,reserve=web", reserve},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20", reserve},
      {"nat,reserve=52:54:00:12:34+10.0.2.20+web", "reserve: expected a MAC address, not '52:54:00:12:34'"},
      {"nat,reserve=01:00:5e:00:00:01+10.0.2.20+web", "reserve: expected a MAC address, not '01:00:5e:00:00:01'"},
      {"nat,reserve=00:00:00:00:00:00+10.0.2.20+web", "reserve: expected a MAC address, not '00:00:00:00:00:00'"},
      {"nat,reserve=52:54:00:12:34:56+10.0.2+web", "reserve: expected an IPv4 address, not '10.0.2'"},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20+", name},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20+Web", name},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20+web.lan", name},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20+-web", name},
      {"nat,reserve=52:54:00:12:34:56+10.0.2.20+web+db", name},
      {"nat,domain=", domain},
      {"nat,domain=Lan", domain},
      {"nat,domain=.lan", domain},
      {"nat,domain=lan.", domain},
      {"nat,domain=a..b", domain},
      {"nat,domain=a_b", domain},
      {"nat,mtu=575", "mtu: expected a number of bytes from 576 to 65520, not '575'"},
      {"nat,mtu=65521", "mtu: expected a number of bytes from 576 to 65520, not '65521'"},
      {"nat,ipv6=on", ipv6},
      {"nat,ipv6=fd00::/48", ipv6},
      {"nat,ipv6=fd00::", ipv6},
      {"nat,ipv6=10.0.0.0/24", ipv6},
      {"nat,ipv6=::/64", ipv6},       // holds the host's loopback
      {"nat,ipv6=fe80::/64", ipv6},   // every link has it
      {"nat,ipv6=ff05::/64", ipv6},   // of groups
      {"nat,forward=tcp:80", "forward: expected tcp:[HOST:]PORT:GUEST:PORT or udp:..., not 'tcp:80'"},
      {"nat,forward=tcp:0:web:80", "forward: expected port numbers from 1 to 65535 in 'tcp:0:web:80'"},
      {"nat,outbound=", outbound},
      {"nat,outbound=all", outbound},
      {"nat,outbound=example.org", outbound},
      {"nat,outbound=192.0.2.0/24+", outbound},
      {"nat,outbound=192.0.2.0/24+any", "outbound: any and none stand alone"},
      {"nat,outbound=none+192.0.2.0/24", "outbound: any and none stand alone"},
      {"nat,outbound=any+192.0.2.0/24", "outbound: any and none stand alone"},
      {"nat,outbound=none+any", "outbound: any and none stand alone"},
      {"nat,outbound=any+any", "outbound: any and none stand alone"},
      {"nat,hosts=yes", "hosts: expected on or off, not 'yes'"},
      {"nat,host-loopback=yes", "host-loopback: expected allow or deny, not 'yes'"},
      {"nat,router=10.0.2.5,router=10.0.2.6", "key 'router' is given twice"},
      {"nat,outbound=none,outbound=any", "key 'outbound' is given twice"},
      {"nat,remote=h:1", "key 'remote' is for udp and unix-dgram, not for nat"},
      {"udp:0,allow=::1,forward=tcp:1:a:1", "key 'forward' is for nat, not for udp"},
      {"nat,reserv=x", "unknown key 'reserv', did you mean 'reserve'?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Lines errors = parse_port(row.text).errors;
    CHECK(is_in(errors, std::string(row.text) + ": " + std::string(row.expected)));
  }
}

TEST_CASE("a domain has room for the names before it") {
  const std::string label(49, 'a');
  CHECK(parse_port("nat,domain=" + label + "." + label).errors.empty());
  CHECK_FALSE(parse_port("nat,domain=" + label + "." + label + ".bb").errors.empty());
  CHECK_FALSE(parse_port("nat,domain=" + std::string(64, 'a')).errors.empty());
}

TEST_CASE("addresses of the gateway that do not go together are refused") {
  struct Row {
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"nat,router=10.0.3.2", "router: 10.0.3.2 is no address of a host in 10.0.2.0/24"},
      {"nat,router=10.0.2.0", "router: 10.0.2.0 is no address of a host in 10.0.2.0/24"},
      {"nat,router=10.0.2.255", "router: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,via=10.0.3.1", "via: 10.0.3.1 is no address of a host in 10.0.2.0/24"},
      {"nat,via=10.0.2.255", "via: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,via=10.0.2.20,pool=10.0.2.15-10.0.2.30", "pool: holds the router, 10.0.2.20"},
      {"nat,nameserver=10.0.2.20,pool=10.0.2.15-10.0.2.30", "pool: holds the DNS server, 10.0.2.20"},
      {"nat,next-server=10.0.2.20,pool=10.0.2.15-10.0.2.30", "pool: holds the next server, 10.0.2.20"},
      {"nat,nameserver=10.0.2.255", "nameserver: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,next-server=10.0.2.255", "next-server: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat:10.0.2.0/29,router=10.0.2.4,dns=10.0.2.5,via=10.0.2.6",
       "no address is left for VMs: give a pool, or a larger network"},
      {"nat,dns=192.0.2.1", "dns: 192.0.2.1 is no address of a host in 10.0.2.0/24"},
      {"nat,dns=10.0.2.2", "router and dns must be different addresses"},
      {"nat,pool=10.0.2.1-10.0.2.2", "pool: holds the gateway, 10.0.2.2"},
      {"nat,pool=10.0.2.3-10.0.2.9", "pool: holds the DNS server, 10.0.2.3"},
      {"nat,router=10.0.2.20,pool=10.0.2.15-10.0.2.30", "pool: holds the gateway, 10.0.2.20"},
      {"nat,pool=10.0.2.200-10.0.2.255", "pool: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,pool=10.0.1.200-10.0.2.1", "pool: 10.0.1.200 is no address of a host in 10.0.2.0/24"},
      {"nat:10.0.0.0/8,pool=10.1.0.0-10.1.16.0", "pool: more than 4096 addresses"},
      {"nat,reserve=52:54:00:00:00:01+10.0.3.20+web", "reserve: 10.0.3.20 is no address of a host in 10.0.2.0/24"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.255+web", "reserve: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.2+web", "reserve: 10.0.2.2 is the gateway's own"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.3+web", "reserve: 10.0.2.3 is the gateway's own"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.20+a,reserve=52:54:00:00:00:01+10.0.2.21+b",
       "reserve: 52:54:00:00:00:01 has two reservations"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.20+a,reserve=52:54:00:00:00:02+10.0.2.20+b",
       "reserve: 10.0.2.20 is reserved twice"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.20+a,reserve=52:54:00:00:00:02+10.0.2.21+a",
       "reserve: two have the name 'a'"},
      {"nat,reserve=52:54:00:00:00:01+10.0.2.20+gateway", "reserve: 'gateway' is the gateway's own name"},
      {"nat,forward=tcp:80:web:80", "forward tcp:127.0.0.1:80:web:80: no reservation has the name 'web'"},
      {"nat,forward=tcp:80:10.0.3.1:80", "forward: 10.0.3.1 is no address of a host in 10.0.2.0/24"},
      {"nat,forward=tcp:80:10.0.2.255:80", "forward: 10.0.2.255 is no address of a host in 10.0.2.0/24"},
      {"nat,forward=tcp:80:10.0.2.2:80", "forward: 10.0.2.2 is the gateway's own"},
      {"nat,forward=tcp:80:10.0.2.20:80,forward=tcp:80:10.0.2.21:80",
       "forward tcp:127.0.0.1:80:10.0.2.21:80: that port of this host is forwarded already"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(complete_ports({row.text}).errors == Lines{std::string(row.text) + ": " + row.expected});
  }
}

TEST_CASE("another router may be a guest that has its address for good") {
  const GatewayConfig gateway = gateway_of("nat,via=10.0.2.10,reserve=52:54:00:00:00:01+10.0.2.10+router");
  CHECK(gateway.via == ip("10.0.2.10"));
  CHECK(gateway.router == ip("10.0.2.2"));
  CHECK(told_router(gateway) == ip("10.0.2.10"));
}

TEST_CASE("VMs are told of no router where none leads outside") {
  CHECK(told_router(gateway_of("nat")) == ip("10.0.2.2"));
  CHECK(told_router(gateway_of("nat,outbound=192.0.2.0/24")) == ip("10.0.2.2"));
  CHECK_FALSE(told_router(gateway_of("nat,outbound=none")));
  CHECK_FALSE(told_router(gateway_of("nat,via=none")));
  CHECK_FALSE(told_router(gateway_of("nat,via=none,outbound=any")));
  CHECK(told_router(gateway_of("nat,via=10.0.2.9,outbound=none")) == ip("10.0.2.9"));
}

TEST_CASE("the pool that is left out steps aside for what has an address in it") {
  struct Row {
    std::string port;
    const char* first;
    const char* last;
  };
  const Row rows[] = {
      {"nat:192.168.1.0/24,router=192.168.1.254", "192.168.1.15", "192.168.1.253"},
      {"nat:192.168.1.0/24,router=192.168.1.254,dns=192.168.1.253", "192.168.1.15", "192.168.1.252"},
      {"nat:192.168.1.0/24,router=192.168.1.1,dns=192.168.1.254", "192.168.1.15", "192.168.1.253"},
      {"nat,router=10.0.2.15", "10.0.2.16", "10.0.2.254"},
      {"nat,router=10.0.2.20", "10.0.2.21", "10.0.2.254"},
      {"nat,router=10.0.2.200", "10.0.2.15", "10.0.2.199"},
      {"nat,router=10.0.2.15,dns=10.0.2.254", "10.0.2.16", "10.0.2.253"},
      {"nat,router=10.0.2.100,dns=10.0.2.200", "10.0.2.101", "10.0.2.199"},
      {"nat,via=10.0.2.254", "10.0.2.15", "10.0.2.253"},
      {"nat,nameserver=10.0.2.253,next-server=10.0.2.254", "10.0.2.15", "10.0.2.252"},
      {"nat,nameserver=192.0.2.1+fd00::1,next-server=192.0.2.2", "10.0.2.15", "10.0.2.254"},
      {"nat:10.0.2.0/29,router=10.0.2.6,dns=10.0.2.5", "10.0.2.4", "10.0.2.4"},
      {"nat:10.0.0.0/8,router=10.0.0.20", "10.0.0.21", "10.0.16.14"},
      {"nat:10.0.0.0/8,router=10.0.16.14,dns=10.0.16.15", "10.0.0.15", "10.0.16.13"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.port);
    const GatewayConfig gateway = gateway_of(row.port);
    CHECK(to_string(gateway.pool_first) == row.first);
    CHECK(to_string(gateway.pool_last) == row.last);
  }
}

TEST_CASE("what VMs are told beside addresses is read and written back") {
  const std::string text =
      "nat,via=none,nameserver=10.0.2.9+2001:db8::53,dhcp=off,bootfile=boot.ipxe,next-server=10.0.2.9,tftp=/srv/tftp,"
      "option=42:ip:10.0.2.9,option=43:hex:01ff";
  const GatewayConfig gateway = gateway_of(text);
  CHECK(gateway.via_none);
  CHECK(gateway.nameservers == Lines{"10.0.2.9", "2001:db8::53"});
  CHECK_FALSE(gateway.dhcp);
  CHECK(gateway.bootfile == "boot.ipxe");
  CHECK(gateway.next_server == ip("10.0.2.9"));
  CHECK(gateway.tftp_folder == "/srv/tftp");
  CHECK(gateway.dhcp_options == Lines{"42:ip:10.0.2.9", "43:hex:01ff"});
  std::string again = "nat";
  for (const WrittenValues& written : written_keys(parse_port(text).port)) {
    const bool repeated = written.key == "option";
    for (std::size_t i = 0; i < written.values.size(); ++i)
      again += (i == 0 || repeated ? "," + std::string(written.key) + "=" : "+") + written.values[i];
  }
  CHECK(again == text);
}

TEST_CASE("forwards of one number but another protocol or another address of this host go together") {
  CHECK(gateway_of("nat,forward=tcp:53:10.0.2.20:53,forward=udp:53:10.0.2.20:53,forward=tcp:192.0.2.1:53:10.0.2.21:53")
            .forwards.size() == 3);
}

TEST_CASE("forwards and reservations are bounded, on the command line and in a file") {
  std::string port = "nat:10.0.0.0/16", list;
  for (std::size_t i = 0; i < limits::forwards_max; ++i) {
    const std::string forward = "tcp:" + std::to_string(1000 + i) + ":10.0.1.1:80";
    port += ",forward=" + forward;
    list += "\"" + forward + "\", ";
  }
  CHECK(complete_ports({port}).errors == Lines{});
  CHECK(complete_yaml("ports: {out: {type: nat, address: 10.0.0.0/16, forward: [" + list + "]}}").errors == Lines{});
  CHECK(is_in(complete_ports({port + ",forward=udp:1:10.0.1.1:80"}).errors, "forward: more than 256 forwards"));

  std::string reserved = "nat:10.0.0.0/16";
  for (std::size_t i = 0; i <= limits::reservations_max; ++i) {
    if (i == limits::reservations_max) CHECK(complete_ports({reserved}).errors == Lines{});
    const std::string number = std::to_string(i);
    char mac[18];
    std::snprintf(mac, sizeof mac, "52:54:00:00:%02x:%02x", static_cast<unsigned>(i >> 8),
                  static_cast<unsigned>(i & 255));
    reserved += std::string(",reserve=") + mac + "+10.0." + std::to_string(200 + (i >> 8)) + "." +
                std::to_string(i & 255) + "+n" + number;
  }
  CHECK(is_in(complete_ports({reserved}).errors, "reserve: more than 256 reservations"));
}

TEST_CASE("two gateways on one network have networks apart") {
  CHECK(is_in(complete_ports({"nat", "nat"}).errors, "10.0.2.0/24 overlaps 10.0.2.0/24 of nat, on the same network"));
  CHECK(is_in(complete_ports({"nat:10.0.0.0/16", "nat:10.0.2.0/24"}).errors, "10.0.2.0/24 overlaps 10.0.0.0/16"));
  CHECK(is_in(complete_ports({"nat:10.0.2.128/25", "nat:10.0.0.0/8"}).errors, "10.0.0.0/8 overlaps 10.0.2.128/25"));
  CHECK(complete_ports({"nat:10.0.2.0/25", "nat:10.0.2.128/25"}).errors == Lines{});
  CHECK(complete_ports({"nat", "nat:10.0.3.0/24"}).errors == Lines{});
  const std::string prefix = ",ipv6=fd00:1:2:3::/64";
  CHECK(is_in(complete_ports({"nat" + prefix, "nat:10.0.3.0/24" + prefix}).errors,
              "ipv6 is fd00:1:2:3::/64 as of nat" + prefix + ", on the same network"));
  CHECK(complete_ports({"nat,ipv6=off", "nat:10.0.3.0/24,ipv6=off"}).errors == Lines{});
}

TEST_CASE("gateways of networks of their own may have the same addresses") {
  CHECK(complete_ports({"nat,network=a", "nat,network=b"}).errors == Lines{});
}

TEST_CASE("each of two gateways that overlap an earlier one is told") {
  CHECK(complete_ports({"nat:10.0.0.0/16", "udp:0,allow=::1", "nat:10.0.1.0/24", "nat:10.0.2.0/24"}).errors.size() ==
        2);
}

}  // namespace config_nat_test
