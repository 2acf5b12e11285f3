// IPv4 addresses and networks as text.
#include "frames/ipv4_address.h"

#include <catch2/catch.hpp>

namespace ipv4_address_test {

using namespace lanyard;

TEST_CASE("IPv4 addresses are read and printed as people write them") {
  CHECK(parse_ipv4("10.0.2.15") == Ipv4Address(0x0A00020F));
  CHECK(parse_ipv4("255.255.255.255") == Ipv4Address(0xFFFFFFFF));
  CHECK(to_string(Ipv4Address(0x0A00020F)) == "10.0.2.15");
  CHECK(to_string(Ipv4Address()) == "0.0.0.0");
  for (const char* text : {"", "10", "10.0.2", "10.0.2.", "10.0.2.256", "10.0.2.15.1", "10.0.2.015", "10.0.2.-1",
                           " 10.0.2.15", "10.0.2.15 ", "10..2.15", "a.b.c.d", "99999999999.0.0.1"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ipv4(text));
  }
}

TEST_CASE("a network knows its mask, its broadcast address and its members") {
  const auto network = parse_ipv4_network("10.0.2.77/24");
  REQUIRE(network);
  CHECK(to_string(*network) == "10.0.2.0/24");
  CHECK(to_string(network->mask()) == "255.255.255.0");
  CHECK(to_string(network->broadcast()) == "10.0.2.255");
  CHECK(network->contains(*parse_ipv4("10.0.2.255")));
  CHECK_FALSE(network->contains(*parse_ipv4("10.0.3.0")));
  CHECK(parse_ipv4_network("1.2.3.4/0")->contains(Ipv4Address(0xFFFFFFFF)));
  CHECK(parse_ipv4_network("1.2.3.4/32")->mask() == Ipv4Address(0xFFFFFFFF));
  for (const char* text : {"10.0.2.0", "10.0.2.0/", "10.0.2.0/33", "10.0.2.0/24x", "/24", "10.0.2.0/024"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_ipv4_network(text));
  }
}

}  // namespace ipv4_address_test
