// Which MAC has which address, both ways, and what is forgotten.
#include "switchd/gateway/neighbours.h"

#include <catch2/catch.hpp>

#include "frames/ipv4_address.h"

namespace neighbours_test {

using namespace lanyard;

namespace {

MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }
Ipv4Address ip(unsigned last) { return Ipv4Address(0x0A00'0200U + last); }

using Addresses = std::vector<Ipv4Address>;

}  // namespace

TEST_CASE("an address is whose frame said so last") {
  Neighbours<Ipv4Address> neighbours(16);
  neighbours.learn(ip(2), mac(1));
  neighbours.learn(ip(1), mac(1));
  neighbours.learn(ip(3), mac(2));
  neighbours.learn(ip(3), mac(2));
  CHECK(neighbours.find(ip(1)) == mac(1));
  CHECK(neighbours.addresses_of(mac(1)) == Addresses{ip(1), ip(2)});
  CHECK(neighbours.addresses_of(mac(2)) == Addresses{ip(3)});
  neighbours.learn(ip(2), mac(2));
  CHECK(neighbours.find(ip(2)) == mac(2));
  CHECK(neighbours.addresses_of(mac(1)) == Addresses{ip(1)});
  CHECK(neighbours.addresses_of(mac(2)) == Addresses{ip(2), ip(3)});
  CHECK(neighbours.addresses_of(mac(3)).empty());
}

TEST_CASE("of too many addresses the one that was learned first is forgotten, both ways") {
  Neighbours<Ipv4Address> neighbours(2);
  neighbours.learn(ip(1), mac(1));
  neighbours.learn(ip(2), mac(1));
  neighbours.learn(ip(1), mac(2));
  neighbours.learn(ip(3), mac(1));
  CHECK_FALSE(neighbours.find(ip(1)));
  CHECK(neighbours.addresses_of(mac(2)).empty());
  CHECK(neighbours.addresses_of(mac(1)) == Addresses{ip(2), ip(3)});
}

}  // namespace neighbours_test
