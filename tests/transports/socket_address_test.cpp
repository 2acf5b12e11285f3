// Socket addresses: what makes two of them one, and how they are written.
#include "transports/socket_address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <catch2/catch.hpp>

namespace socket_address_test {

using namespace lanyard;

namespace {

[[nodiscard]] SocketAddress link_local(std::uint32_t zone, std::uint16_t port = 7000) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(port);
  address.sin6_scope_id = zone;
  REQUIRE(inet_pton(AF_INET6, "fe80::1", &address.sin6_addr) == 1);
  return SocketAddress(&address, sizeof address);
}

}  // namespace

TEST_CASE("one link-local address on two interfaces is two addresses, and two hosts") {
  const SocketAddress one = link_local(1);
  const SocketAddress other = link_local(2);
  CHECK_FALSE(one == other);
  CHECK_FALSE(one.host() == other.host());
  CHECK(one.hash() != other.hash());
  CHECK(one == link_local(1));
  CHECK(one.hash() == link_local(1).hash());
  CHECK(one.host() == link_local(1, 7001).host());
  CHECK_FALSE(one == link_local(1, 7001));
}

TEST_CASE("a zone is written with the name of its interface, or its number where there is none") {
  const std::uint32_t loopback = ::if_nametoindex("lo");
  REQUIRE(loopback > 0);
  CHECK(to_string(link_local(loopback)) == "[fe80::1%lo]:7000");
  CHECK(to_string(link_local(2'000'000'000)) == "[fe80::1%2000000000]:7000");
  CHECK(to_string(link_local(0)) == "[fe80::1]:7000");
  CHECK(link_local(loopback).is_in_zone("lo"));
  CHECK(link_local(loopback).is_in_zone(std::to_string(loopback)));
  CHECK_FALSE(link_local(loopback).is_in_zone("eth0"));
  CHECK_FALSE(link_local(0).is_in_zone("lo"));
}

}  // namespace socket_address_test
