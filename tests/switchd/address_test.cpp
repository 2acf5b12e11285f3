// Addresses as people write them: HOST:PORT, prefixes, groups, paths, interfaces.
#include "switchd/address.h"

#include <catch2/catch.hpp>

namespace address_test {

using namespace lanyard;

namespace {

constexpr HostPortRules to_bind = {.host_required = false, .port_zero = true};
constexpr HostPortRules to_reach = {.host_required = true, .port_zero = false};

std::string cidr_text(std::string_view text) {
  const auto cidr = parse_cidr(text);
  return cidr ? to_string(*cidr) : "refused";
}

struct PeerAddress {
  bool v6;
  std::array<std::uint8_t, 16> bytes;
};

// An address is a prefix of full length, so the one reader serves for both.
PeerAddress address(std::string_view text) {
  const Cidr cidr = parse_cidr(text).value();
  return {cidr.v6, cidr.address};
}

bool contains(std::string_view cidr, std::string_view peer) {
  const PeerAddress from = address(peer);
  return parse_cidr(cidr).value().contains(from.v6, from.bytes.data());
}

}  // namespace

TEST_CASE("an address has a host and a port, and a listener may leave the host out") {
  struct Row {
    std::string_view text;
    HostPort expected;
  };
  const Row rows[] = {
      {"7000", {"", 7000}},
      {"0", {"", 0}},
      {"127.0.0.1:7000", {"127.0.0.1", 7000}},
      {"0.0.0.0:65535", {"0.0.0.0", 65535}},
      {"localhost:7000", {"localhost", 7000}},
      {"vm-1.lab_2.example:7000", {"vm-1.lab_2.example", 7000}},
      {"[::1]:7000", {"::1", 7000}},
      {"[::]:0", {"::", 0}},
      {"[fe80::1%eth0]:7000", {"fe80::1%eth0", 7000}},
      {"[::ffff:10.0.0.1]:7000", {"::ffff:10.0.0.1", 7000}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    HostPort parsed;
    CHECK(read_host_port(row.text, to_bind, parsed).empty());
    CHECK(parsed == row.expected);
    CHECK(to_string(parsed) == row.text);
  }
}

TEST_CASE("an address that is wrong says what was expected") {
  struct Row {
    std::string_view text;
    HostPortRules rules;
    std::string_view expected;
  };
  const Row rows[] = {
      {"", to_bind, "expected [HOST:]PORT"},
      {"", to_reach, "expected HOST:PORT"},
      {"localhost", to_bind, "expected [HOST:]PORT, not 'localhost'"},
      {"7000", to_reach, "expected HOST:PORT, not '7000'"},
      {"65536", to_bind, "expected a port number from 0 to 65535, not '65536'"},
      {"-1", to_bind, "expected [HOST:]PORT, not '-1'"},
      {"h:0", to_reach, "expected a port number from 1 to 65535, not '0'"},
      {"h:http", to_reach, "expected a port number from 1 to 65535, not 'http'"},
      {"h:", to_bind, "expected a port number from 0 to 65535, not ''"},
      {"h:99999999999999999999", to_bind,
       "expected a port number from 0 to 65535, not '99999999999999999999'"},
      {":7000", to_bind, "nothing stands before ':'; name a host, such as 127.0.0.1 or 0.0.0.0"},
      {"*:7000", to_bind, "expected a host, not '*'; every address of this machine is 0.0.0.0 or [::]"},
      {"10.0.0.300:7000", to_bind, "'10.0.0.300' is not an IPv4 address"},
      {"10.1:7000", to_bind, "'10.1' is not an IPv4 address"},
      {"a b:7000", to_bind, "expected a host name or address, not 'a b'"},
      {"::1:7000", to_bind, "an IPv6 address goes in brackets: [::1]:7000"},
      {"fe80::abcd", to_bind, "an IPv6 address goes in brackets, and a port follows: [fe80::abcd]:PORT"},
      {"a:b:c", to_bind, "expected HOST:PORT, not 'a:b:c'; an IPv6 address goes in brackets: [::1]:7000"},
      {"[::1", to_bind, "'[' without its ']' in '[::1'"},
      {"[::1]", to_bind, "expected ':PORT' after ']' in '[::1]'"},
      {"[::1]7000", to_bind, "expected ':PORT' after ']' in '[::1]7000'"},
      {"[10.0.0.1]:7000", to_bind, "expected an IPv6 address in the brackets, not '10.0.0.1'"},
      {"[]:7000", to_bind, "expected an IPv6 address in the brackets, not ''"},
      {"[fe80::1]:7000", to_reach, "a link-local address needs its interface: [fe80::1%eth0]"},
      {"[::1%lo]:7000", to_bind, "only a link-local address (fe80::/10) has an interface, not '::1%lo'"},
      {"[fe80::1%0123456789abcdef]:7000", to_bind,
       "expected an IPv6 address in the brackets, not 'fe80::1%0123456789abcdef'"},
      {"[::1%]:7000", to_bind, "expected an IPv6 address in the brackets, not '::1%'"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    HostPort parsed{"untouched", 1};
    CHECK(read_host_port(row.text, row.rules, parsed) == row.expected);
    CHECK(parsed == HostPort{"untouched", 1});
  }
}

TEST_CASE("a host longer than any name in the DNS is refused") {
  HostPort parsed;
  std::string text = ":1";
  text.insert(0, 253, 'a');
  CHECK(read_host_port(text, to_bind, parsed).empty());
  text.insert(0, 1, 'a');
  CHECK(read_host_port(text, to_bind, parsed) == "a host has at most 253 characters");
}

TEST_CASE("a prefix loses its host bits and a bare address is a prefix of full length") {
  struct Row {
    std::string_view text;
    std::string_view expected;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "10.0.0.0/8"},
      {"10.1.2.3/8", "10.0.0.0/8"},
      {"10.1.2.3/31", "10.1.2.2/31"},
      {"10.1.2.3", "10.1.2.3/32"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"255.255.255.255/0", "0.0.0.0/0"},
      {"fd00::/8", "fd00::/8"},
      {"fdff:1::1/9", "fd80::/9"},
      {"::1", "::1/128"},
      {"::/0", "::/0"},
      {"::ffff:10.1.2.3/104", "10.0.0.0/8"},
      {"::ffff:10.1.2.3", "10.1.2.3/32"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(cidr_text(row.text) == row.expected);
  }
}

TEST_CASE("a link-local prefix may have the interface that it is meant on") {
  CHECK(cidr_text("fe80::%eth0/64") == "fe80::%eth0/64");
  CHECK(cidr_text("fe80::1%2") == "fe80::1%2/128");
  CHECK(cidr_text("fe80::1%br0.7/64") == "fe80::%br0.7/64");
  CHECK(parse_cidr("fe80::1%eth0") != parse_cidr("fe80::1"));
}

TEST_CASE("what is not a prefix is refused") {
  const std::string_view rows[] = {
      "",          "/8",        "10.0.0.0/",    "10.0.0.0/33",  "10.0.0.0/-1",
      "10/8",      "10.0.0/24", "10.0.0.0/+8",  "::/129",       "localhost",
      "10.0.0.0 ", "[::1]",     "fe80::1%",     "10.0.0.0/8/8", "10.0.0.0/255.0.0.0",
      "::1%lo",    "fd00::%eth0/64", "10.0.0.1%eth0", "fe80::/64%eth0", "fe80::%eth0/9", "fe80::%a b/64"};
  for (const std::string_view text : rows) {
    CAPTURE(text);
    CHECK_FALSE(parse_cidr(text));
  }
}

TEST_CASE("a prefix contains what agrees with its bits, and nothing of the other family") {
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  CHECK(contains("10.0.0.128/25", "10.0.0.200"));
  CHECK_FALSE(contains("10.0.0.128/25", "10.0.0.127"));
  CHECK(contains("10.0.0.1", "10.0.0.1"));
  CHECK_FALSE(contains("10.0.0.1", "10.0.0.2"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK(contains("fd00::/9", "fd7f::1"));
  CHECK_FALSE(contains("fd00::/9", "fd80::1"));
  CHECK(contains("::1", "::1"));
  CHECK_FALSE(contains("::/0", "10.0.0.1"));
  CHECK_FALSE(contains("0.0.0.0/0", "::1"));
}

TEST_CASE("an IPv4 peer of a dual-stack socket is judged as the IPv4 address it is") {
  const std::uint8_t mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10, 0, 0, 1};
  CHECK(parse_cidr("10.0.0.0/8").value().contains(true, mapped));
  CHECK_FALSE(parse_cidr("11.0.0.0/8").value().contains(true, mapped));
}

TEST_CASE("a multicast group is an IPv4 address of 224.0.0.0/4, with a port") {
  HostPort group;
  CHECK(read_multicast_group("230.0.0.1:5558", group).empty());
  CHECK(group == HostPort{"230.0.0.1", 5558});
  CHECK(read_multicast_group("224.0.0.0:1", group).empty());
  CHECK(read_multicast_group("239.255.255.255:1", group).empty());
  const std::string expected = "expected a multicast group from 224.0.0.0 to 239.255.255.255, not ";
  CHECK(read_multicast_group("223.255.255.255:1", group) == expected + "'223.255.255.255'");
  CHECK(read_multicast_group("240.0.0.0:1", group) == expected + "'240.0.0.0'");
  CHECK(read_multicast_group("lab:1", group) == expected + "'lab'");
  CHECK(read_multicast_group("[ff02::1]:1", group) ==
        "only IPv4 groups: QEMU's multicast back ends carry no IPv6");
  CHECK(read_multicast_group("230.0.0.1:0", group) == "expected a port number from 1 to 65535, not '0'");
  CHECK(read_multicast_group("5558", group) == "expected HOST:PORT, not '5558'");
}

TEST_CASE("a UNIX path fits the kernel's address and one line of output") {
  CHECK(check_unix_path("/run/lan.sock").empty());
  CHECK(check_unix_path("with, comma and space").empty());
  CHECK(check_unix_path(std::string(107, 'p')).empty());
  CHECK(check_unix_path(std::string(108, 'p')) ==
        "a UNIX socket's path has at most 107 bytes, this one has 108");
  CHECK(check_unix_path("") == "expected a path");
  CHECK(check_unix_path("/run/a\nb") == "a path cannot have control characters");
  CHECK(check_unix_path(std::string_view("/run/a\0b", 8)) == "a path cannot have control characters");
}

TEST_CASE("an interface is an IPv4 address or a name that the kernel could have given") {
  for (const std::string_view good : {"eth0", "10.0.0.1", "br-0123456789ab", "eth0.100", "lo"}) {
    CAPTURE(good);
    CHECK(check_interface(good).empty());
  }
  for (const std::string_view bad : {"", "0123456789abcdef", "a/b", "a b", "10.0.0.300", "fe80::1", "."}) {
    CAPTURE(bad);
    CHECK(check_interface(bad) ==
          "expected an IPv4 address or the name of an interface (at most 15 characters), not '" +
              std::string(bad) + "'");
  }
}

TEST_CASE("loopback is what only this machine can reach") {
  for (const std::string_view host : {"", "localhost", "127.0.0.1", "127.8.9.10", "::1"}) {
    CAPTURE(host);
    CHECK(is_loopback(host));
  }
  for (const std::string_view host : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "::2", "example.org"}) {
    CAPTURE(host);
    CHECK_FALSE(is_loopback(host));
  }
}

}  // namespace address_test
