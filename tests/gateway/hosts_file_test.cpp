// The host's table of names: what of it is for guests, and following the file.
#include "switchd/gateway/hosts_file.h"

#include <arpa/inet.h>

#include <catch2/catch.hpp>

#include "tests/gateway/temporary_folder.h"

namespace hosts_file_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Lines = std::vector<std::string>;

Ipv6Bytes address6(const char* text) {
  Ipv6Bytes address{};
  REQUIRE(inet_pton(AF_INET6, text, address.data()) == 1);
  return address;
}

// The addresses of a name; "loopback" among them; nothing: it is not known.
Lines addresses(const HostNames& names, const std::string& name) {
  Lines lines;
  const HostNames::Entry* entry = names.find(name);
  if (entry == nullptr) return lines;
  for (const Ipv4Address address : entry->addresses) lines.push_back(to_string(address));
  for (const Ipv6Bytes& address : entry->addresses6) {
    char text[INET6_ADDRSTRLEN];
    lines.emplace_back(inet_ntop(AF_INET6, address.data(), text, sizeof text));
  }
  if (entry->loopback) lines.emplace_back("loopback");
  return lines;
}

}  // namespace

TEST_CASE("a line of hosts gives an address its names, and comments and blanks do not matter") {
  const HostNames names = parse_hosts(
      "# the lab\n192.0.2.7 nas.example.org\tnas   NAS2 # the old one\r\n\n  192.0.2.8  db.\n#192.0.2.9 gone\n"
      "2001:db8::7 nas");
  CHECK(addresses(names, "nas.example.org") == Lines{"192.0.2.7"});
  CHECK(addresses(names, "nas") == Lines{"192.0.2.7", "2001:db8::7"});
  CHECK(addresses(names, "nas2") == Lines{"192.0.2.7"});
  CHECK(addresses(names, "db") == Lines{"192.0.2.8"});
  CHECK(names.find("gone") == nullptr);
  CHECK(names.find("the") == nullptr);
  CHECK(names.size() == 4);
}

TEST_CASE("an address has the first name that it is given") {
  const HostNames names = parse_hosts("192.0.2.7 nas.example.org nas\n192.0.2.7 other\n2001:db8::7 six\n");
  REQUIRE(names.name_of(*parse_ipv4("192.0.2.7")) != nullptr);
  CHECK(*names.name_of(*parse_ipv4("192.0.2.7")) == "nas.example.org");
  REQUIRE(names.name_of(address6("2001:db8::7")) != nullptr);
  CHECK(*names.name_of(address6("2001:db8::7")) == "six");
  CHECK(names.name_of(*parse_ipv4("192.0.2.8")) == nullptr);
  CHECK(addresses(names, "other") == Lines{"192.0.2.7"});
}

TEST_CASE("what would lead a guest to itself, or is of one link, is no address for it") {
  const HostNames names = parse_hosts(
      "127.0.0.1 localhost localhost.localdomain\n127.0.1.1 box.example.org box\n"
      "::1 localhost ip6-localhost ip6-loopback\nfe00::0 ip6-localnet\nff00::0 ip6-mcastprefix\n"
      "ff02::1 ip6-allnodes\nfe80::1 router\nfe80::1%eth0 router\n224.0.0.1 all-hosts\n"
      "255.255.255.255 broadcasthost\n::ffff:127.0.0.1 clothed\n192.0.2.1 localhost a.localhost\n");
  CHECK(addresses(names, "box") == Lines{"loopback"});
  CHECK(addresses(names, "box.example.org") == Lines{"loopback"});
  CHECK(names.size() == 2);  // localhost in no domain
  CHECK(names.name_of(*parse_ipv4("127.0.1.1")) == nullptr);
}

TEST_CASE("names that are blocked stay so") {
  const HostNames names = parse_hosts("0.0.0.0 ads.example\n:: ads.example\n");
  CHECK(addresses(names, "ads.example") == Lines{"0.0.0.0", "::"});
  CHECK(names.name_of(Ipv4Address()) == nullptr);
}

TEST_CASE("lines that are none are passed over") {
  const HostNames names = parse_hosts("192.0.2.7\n192.0.2 a\n192.0.2.256 b\nhost c\n192.0.2.7:80 d\n192.0.2.7 b/d e..f\n" +
                                      std::string("192.0.2.7 nul\0led\n", 18) + "192.0.2.9 good");
  CHECK(names.size() == 1);
  CHECK(addresses(names, "good") == Lines{"192.0.2.9"});
}

TEST_CASE("a table has as many names, and a name as many addresses, as there is room for") {
  std::string text;
  for (std::size_t i = 0; i < HostNames::names_max + 10; ++i) text += "192.0.2.1 n" + std::to_string(i) + "\n";
  for (unsigned i = 1; i < 20; ++i) text += "192.0.2." + std::to_string(i) + " n0\n";
  const HostNames names = parse_hosts(text);
  CHECK(names.size() == HostNames::names_max);
  CHECK(addresses(names, "n0").size() == HostNames::addresses_of_name_max);
}

TEST_CASE("the table follows its file, at most a second behind") {
  const TemporaryFolder folder;
  const std::string path = folder.file("hosts");
  HostsFile hosts(path);
  CHECK(hosts.current(1).size() == 0);
  write_file(path, "192.0.2.1 a\n");
  CHECK(hosts.current(1).size() == 0);
  CHECK(addresses(hosts.current(2), "a") == Lines{"192.0.2.1"});
  SECTION("where it is replaced by another") {
    write_file(folder.file("new"), "192.0.2.2 a\n");
    std::filesystem::rename(folder.file("new"), path);
    CHECK(addresses(hosts.current(3), "a") == Lines{"192.0.2.2"});
  }
  SECTION("where it is written anew") {
    write_file(path, "192.0.2.1 a\n192.0.2.2 a b\n");
    CHECK(addresses(hosts.current(3), "a") == Lines{"192.0.2.1", "192.0.2.2"});
    CHECK(addresses(hosts.current(3), "b") == Lines{"192.0.2.2"});
  }
  SECTION("and while it is away, it is what it was") {
    std::filesystem::remove(path);
    CHECK(addresses(hosts.current(3), "a") == Lines{"192.0.2.1"});
    std::filesystem::create_directory(path);
    CHECK(addresses(hosts.current(4), "a") == Lines{"192.0.2.1"});
  }
}

}  // namespace hosts_file_test
