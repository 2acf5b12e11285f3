// Where guests may go: some places never, whatever the configuration says; others as it says.
#include "switchd/gateway/outbound_policy.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>

namespace lanyard {
static std::ostream& operator<<(std::ostream& out, OutboundPolicy::Decision decision) {
  return out << (decision == OutboundPolicy::Decision::pass     ? "pass"
                 : decision == OutboundPolicy::Decision::link   ? "link"
                 : decision == OutboundPolicy::Decision::dns    ? "dns"
                 : decision == OutboundPolicy::Decision::ignore ? "ignore"
                                                                : "refuse");
}
}  // namespace lanyard

namespace outbound_policy_test {

using namespace lanyard;

namespace {

using Decision = OutboundPolicy::Decision;

GatewayConfig lan(Outbound outbound = Outbound::any, std::vector<std::string> prefixes = {}) {
  GatewayConfig config;
  config.network = *parse_ipv4_network("10.0.2.0/24");
  config.router = *parse_ipv4("10.0.2.2");
  config.dns = *parse_ipv4("10.0.2.3");
  config.ipv6_prefix = "fd6c:616e:a00:200::";
  config.outbound = outbound;
  config.outbound_prefixes = std::move(prefixes);
  return config;
}

Decision to4(const GatewayConfig& config, const char* address) {
  return OutboundPolicy(config).decide(*parse_ipv4(address));
}

Decision to6(const GatewayConfig& config, const char* text) {
  Ipv6Bytes address{};
  REQUIRE(inet_pton(AF_INET6, text, address.data()) == 1);
  return OutboundPolicy(config).decide(address);
}

}  // namespace

TEST_CASE("some IPv4 addresses are never reached through a gateway, even where they are listed") {
  const GatewayConfig any = lan();
  const GatewayConfig none = lan(Outbound::none);
  const GatewayConfig all_listed = lan(Outbound::listed, {"0.0.0.0/0", "127.0.0.0/8", "224.0.0.0/4"});
  for (const char* address :
       {"127.0.0.1", "127.0.0.53", "127.255.255.255", "0.0.0.0", "0.0.0.1", "0.255.255.255", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "10.0.2.0", "10.0.2.15", "10.0.2.255"}) {
    CAPTURE(address);
    CHECK(to4(any, address) == Decision::ignore);
    CHECK(to4(none, address) == Decision::ignore);
    CHECK(to4(all_listed, address) == Decision::ignore);
  }
}

TEST_CASE("the gateway's own addresses are reached whatever the policy") {
  for (const Outbound outbound : {Outbound::any, Outbound::none, Outbound::listed}) {
    CHECK(to4(lan(outbound), "10.0.2.2") == Decision::pass);
    CHECK(to4(lan(outbound), "10.0.2.3") == Decision::dns);
    CHECK(to6(lan(outbound), "64:ff9b::127.0.0.1") == Decision::ignore);
    CHECK(to6(lan(outbound), "fd6c:616e:a00:200::2") == Decision::pass);
  }
}

TEST_CASE("any: every other address") {
  for (const char* address :
       {"1.1.1.1", "10.0.1.255", "10.0.3.0", "126.255.255.255", "128.0.0.0", "192.168.1.1", "223.255.255.255"})
    CHECK(to4(lan(), address) == Decision::pass);
  for (const char* address : {"2001:db8::1", "fd00::1", "64:ff9b::8.8.8.8", "1::"})
    CHECK(to6(lan(), address) == Decision::pass);
}

TEST_CASE("none: no other address, and guests are told") {
  const GatewayConfig none = lan(Outbound::none);
  for (const char* address : {"1.1.1.1", "10.0.3.1", "192.168.1.1"}) CHECK(to4(none, address) == Decision::refuse);
  for (const char* address : {"2001:db8::1", "fd00::1"}) CHECK(to6(none, address) == Decision::refuse);
}

TEST_CASE("a list: its addresses and no others, each of its kind") {
  const GatewayConfig config = lan(Outbound::listed, {"192.0.2.0/25", "198.51.100.7/32", "2001:db8:1::/48"});
  CHECK(to4(config, "192.0.2.0") == Decision::pass);
  CHECK(to4(config, "192.0.2.127") == Decision::pass);
  CHECK(to4(config, "192.0.2.128") == Decision::refuse);
  CHECK(to4(config, "192.0.1.255") == Decision::refuse);
  CHECK(to4(config, "198.51.100.7") == Decision::pass);
  CHECK(to4(config, "198.51.100.8") == Decision::refuse);
  CHECK(to6(config, "2001:db8:1::") == Decision::pass);
  CHECK(to6(config, "2001:db8:1:ffff::1") == Decision::pass);
  CHECK(to6(config, "2001:db8:2::1") == Decision::refuse);
  CHECK(to4(lan(Outbound::listed, {"::/0"}), "192.0.2.1") == Decision::refuse);
  CHECK(to6(lan(Outbound::listed, {"0.0.0.0/0"}), "2001:db8::1") == Decision::refuse);
  CHECK(to4(lan(Outbound::listed), "192.0.2.1") == Decision::refuse);
}

TEST_CASE("IPv4 addresses in IPv6 clothes, and this host's own, never pass") {
  // Through an IPv6 socket they would reach what the IPv4 policy keeps closed: ::ffff:127.0.0.1 first of all.
  GatewayConfig without_ipv6 = lan();
  without_ipv6.ipv6_prefix.clear();
  GatewayConfig listed = lan(Outbound::listed, {"::/0", "0.0.0.0/0", "127.0.0.0/8"});
  for (const GatewayConfig& config : {lan(), lan(Outbound::none), listed, without_ipv6})
    for (const char* address : {"::", "::1", "::2", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:192.0.2.1",
                                "::ffff:10.0.2.2", "::ffff:0.0.0.0", "::ffff:224.0.0.1"}) {
      CAPTURE(address, config.ipv6_prefix);
      CHECK(to6(config, address) == Decision::ignore);
    }
}

TEST_CASE("where there is no IPv6 network, none of its addresses is the gateway's") {
  GatewayConfig config = lan(Outbound::none);
  config.ipv6_prefix.clear();
  CHECK(to6(config, "0:0:0:0:1::") == Decision::refuse);
  CHECK(to6(config, "fd6c:616e:a00:200::2") == Decision::refuse);
}

TEST_CASE("neighbour discovery reaches the gateway whatever the policy") {
  const GatewayConfig none = lan(Outbound::none);
  CHECK(to6(none, "ff02::1:ff00:2") == Decision::link);
  CHECK(to6(none, "ff02::2") == Decision::link);
  CHECK(to6(none, "fe80::2") == Decision::link);
  CHECK(to6(none, "fec0::2") == Decision::refuse);  // was link-local's neighbour once
}

}  // namespace outbound_policy_test
