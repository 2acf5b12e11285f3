// The host's resolvers: resolv.conf as glibc reads it, and followed when it changes.
#include "switchd/gateway/resolvers.h"

#include <net/if.h>

#include <catch2/catch.hpp>

#include "tests/gateway/temporary_folder.h"

namespace resolvers_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::vector<SocketAddress>& servers) {
  Lines lines;
  for (const SocketAddress& server : servers) lines.push_back(to_string(server));
  return lines;
}

Lines parsed(std::string_view text) { return lines_of(parse_resolv_conf(text)); }

}  // namespace

TEST_CASE("the nameserver lines of resolv.conf are the resolvers, in their order") {
  CHECK(parsed("# made by NetworkManager\nsearch lab.example\nnameserver 192.0.2.1\nnameserver 2001:db8::53\n"
               "options edns0 trust-ad\n") == Lines{"192.0.2.1:53", "[2001:db8::53]:53"});
}

TEST_CASE("blanks, line ends and comments are as glibc takes them") {
  CHECK(parsed("nameserver\t \t192.0.2.1 \t\r\nnameserver 192.0.2.2 # the other\nnameserver 192.0.2.3") ==
        Lines{"192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"});
}

TEST_CASE("only the first three count") {
  CHECK(parsed("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n").size() == 3);
}

TEST_CASE("what is no nameserver line is passed over, and does not use up one of the three") {
  CHECK(parsed("nameserver\nnameserver \nnameserver192.0.2.7\nnameservers 192.0.2.8\n# nameserver 192.0.2.9\n"
               ";nameserver 192.0.2.9\nNAMESERVER 192.0.2.9\nnameserver example.org\nnameserver 192.0.2\n"
               "nameserver 192.0.2.256\nnameserver 192.0.2.1:53\nnameserver [::1]\nnameserver 192.0.2.1\n") ==
        Lines{"192.0.2.1:53"});
}

TEST_CASE("without any nameserver, this host is asked") {
  const Lines here{"127.0.0.1:53"};
  CHECK(parsed("") == here);
  CHECK(parsed("\n\n\n") == here);
  CHECK(parsed("search lan\n") == here);
  CHECK(parsed("nameserver nonsense") == here);
  CHECK(parsed(std::string_view("\0\0nameserver", 12)) == here);
}

TEST_CASE("a link-local resolver is on the interface that is named or numbered") {
  const unsigned loopback = ::if_nametoindex("lo");
  REQUIRE(loopback != 0);
  const auto by_name = parse_resolv_conf("nameserver fe80::1%lo\n");
  REQUIRE(by_name.size() == 1);
  CHECK(by_name[0].v6.sin6_scope_id == loopback);
  const auto by_number = parse_resolv_conf("nameserver fe80::1%" + std::to_string(loopback) + "\n");
  REQUIRE(by_number.size() == 1);
  CHECK(by_number[0].v6.sin6_scope_id == loopback);
}

TEST_CASE("a link-local resolver on no interface of this host is passed over") {
  for (const char* text :
       {"nameserver fe80::1%there-is-none\nnameserver 192.0.2.1\n", "nameserver fe80::1%\nnameserver 192.0.2.1\n",
        "nameserver fe80::1%0x1\nnameserver 192.0.2.1\n"}) {
    CAPTURE(text);
    CHECK(parsed(text) == Lines{"192.0.2.1:53"});
  }
}

TEST_CASE("resolvers follow the file, at most a second behind") {
  const TemporaryFolder folder;
  const std::string path = folder.file("resolv.conf");
  write_file(path, "nameserver 192.0.2.1\n");
  Resolvers resolvers(path);
  CHECK(lines_of(resolvers.current(10'000)) == Lines{"192.0.2.1:53"});
  write_file(path, "nameserver 192.0.2.2\n");
  CHECK(lines_of(resolvers.current(11'001)) == Lines{"192.0.2.2:53"});

  SECTION("also where the file is replaced by another") {
    write_file(folder.file("other"), "nameserver 192.0.2.3\n");
    std::filesystem::rename(folder.file("other"), path);
    CHECK(lines_of(resolvers.current(12'002)) == Lines{"192.0.2.3:53"});
  }
  SECTION("and keep what it said while it is away") {
    std::filesystem::remove(path);
    CHECK(lines_of(resolvers.current(12'002)) == Lines{"192.0.2.2:53"});
    write_file(path, "nameserver 192.0.2.5\n");
    CHECK(lines_of(resolvers.current(13'003)) == Lines{"192.0.2.5:53"});
  }
  SECTION("but is not read for every query") {
    write_file(path, "nameserver 192.0.2.4\n");
    CHECK(lines_of(resolvers.current(11'900)) == Lines{"192.0.2.2:53"});
    CHECK(lines_of(resolvers.current(12'100)) == Lines{"192.0.2.4:53"});
  }
}

TEST_CASE("there is always a resolver, whatever the file is") {
  const TemporaryFolder folder;
  CHECK(lines_of(Resolvers(folder.file("missing")).current(1)) == Lines{"127.0.0.1:53"});
  CHECK(lines_of(Resolvers(folder.path().string()).current(1)) == Lines{"127.0.0.1:53"});
  CHECK(lines_of(Resolvers(folder.file("missing")).current(0)) == Lines{"127.0.0.1:53"});
}

TEST_CASE("the last search or domain line of resolv.conf has the search domains") {
  CHECK(parse_search_domains("search Lab.Example. eng.example\nnameserver 192.0.2.1\n") ==
        Lines{"lab.example", "eng.example"});
  CHECK(parse_search_domains("domain a.example\nsearch b.example\t c.example # d\n") ==
        Lines{"b.example", "c.example", "d"});  // as glibc: there are no comments behind a line
  CHECK(parse_search_domains("search b.example\ndomain a.example b.example\n") == Lines{"a.example"});
  CHECK(parse_search_domains("search a.example a.example .\n") == Lines{"a.example"});
  CHECK(parse_search_domains("search . \n").empty());
  CHECK(parse_search_domains("searching a.example\n# search a.example\nsearch\nsearch \n").empty());
  CHECK(parse_search_domains("search a b c d e f g h\n").size() == search_domains_max);
  CHECK(parse_search_domains("").empty());
}

namespace {

struct Three {
  Three() { write_file(path, "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"); }
  Lines to_ask(std::int64_t now_ms) { return lines_of(resolvers.to_ask(now_ms)); }
  TemporaryFolder folder;
  std::string path = folder.file("resolv.conf");
  Resolvers resolvers{path};
  SocketAddress first = parse_resolv_conf("nameserver 192.0.2.1").front();
};

const Lines in_order{"192.0.2.1:53", "192.0.2.2:53", "192.0.2.3:53"};
const Lines first_is_last{"192.0.2.2:53", "192.0.2.3:53", "192.0.2.1:53"};

}  // namespace

TEST_CASE("a resolver that was silent is asked last for a minute, then one query tries it again") {
  Three three;
  CHECK(three.to_ask(10'000) == in_order);
  three.resolvers.silent(three.first, 10'000, 12'000);
  CHECK(three.to_ask(12'000) == first_is_last);
  CHECK(three.to_ask(71'999) == first_is_last);
  CHECK(three.to_ask(72'000) == in_order);
  CHECK(three.to_ask(72'001) == first_is_last);  // another, while that one waits
  SECTION("and if it is silent again, once more") {
    three.resolvers.silent(three.first, 72'000, 74'000);
    CHECK(three.to_ask(74'000) == first_is_last);
    CHECK(three.to_ask(133'999) == first_is_last);
  }
  SECTION("and if it answers, it is the first again") {
    three.resolvers.heard(three.first, 72'500);
    CHECK(three.to_ask(72'500) == in_order);
  }
}

TEST_CASE("a resolver that has answered another query meanwhile is not silent") {
  Three three;
  CHECK(three.to_ask(10'000) == in_order);
  three.resolvers.heard(three.first, 11'000);
  three.resolvers.silent(three.first, 10'000, 12'000);
  CHECK(three.to_ask(12'000) == in_order);
}

TEST_CASE("a resolver that was silent is that also when the file changes, as long as it is in it") {
  Three three;
  CHECK(three.to_ask(10'000) == in_order);
  three.resolvers.silent(three.first, 10'000, 12'000);
  write_file(three.path, "nameserver 192.0.2.1\nnameserver 192.0.2.9\n");
  CHECK(three.to_ask(13'000) == Lines{"192.0.2.9:53", "192.0.2.1:53"});
}

}  // namespace resolvers_test
