// Leases as guests meet them: the same address again, for one guest only, and for as long as was said.
#include "switchd/gateway/lease_table.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <set>

using namespace lanyard;

namespace {

constexpr std::int64_t now = 1'700'000'000;
constexpr std::uint32_t lease_seconds = 3600;
constexpr std::int64_t long_after = now + 1'000'000;

MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }

Ipv4Address ip(unsigned last) { return Ipv4Address(0x0A00'0200U + last); }

LeaseOptions pool(unsigned first, unsigned last, std::vector<Reservation> reservations = {}) {
  return {ip(first), ip(last), lease_seconds, std::move(reservations)};
}

// What a client does that takes what it is offered.
std::optional<Ipv4Address> lease(LeaseTable& table, MacAddress client, std::int64_t at_s,
                                 const std::string& name = "") {
  const auto address = table.offer(client, std::nullopt, at_s);
  if (!address || !table.bind(client, *address, name, at_s)) return std::nullopt;
  return address;
}

std::string name_of(const LeaseTable& table, MacAddress client, std::int64_t at_s) {
  const Lease* found = table.find(client, at_s);
  return found == nullptr ? "none" : found->name;
}

}  // namespace

TEST_CASE("a guest gets an address of the pool, and the same one again") {
  LeaseTable table(pool(15, 20));
  const auto first = lease(table, mac(1), now);
  REQUIRE(first == ip(15));
  CHECK(lease(table, mac(2), now) == ip(16));
  CHECK(lease(table, mac(1), now + 1) == first);
  CHECK(lease(table, mac(1), now + lease_seconds - 1) == first);
}

TEST_CASE("a guest gets its address again long after its lease ended") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now) == ip(15));
  REQUIRE(lease(table, mac(2), now) == ip(16));
  CHECK(lease(table, mac(2), long_after) == ip(16));
  CHECK(lease(table, mac(3), long_after) == ip(17));
  CHECK(lease(table, mac(1), long_after) == ip(15));
}

TEST_CASE("a lease is known until the second it ends") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  for (const std::int64_t at : {now, now + lease_seconds - 1}) {
    REQUIRE(table.find(ip(15), at) != nullptr);
    CHECK(table.find(ip(15), at)->mac == mac(1));
    CHECK(table.find(mac(1), at) == table.find(ip(15), at));
    CHECK(table.find_name("web", at) == table.find(ip(15), at));
  }
  CHECK(table.find(ip(15), now + lease_seconds) == nullptr);
  CHECK(table.find(mac(1), now + lease_seconds) == nullptr);
  CHECK(table.find_name("web", now + lease_seconds) == nullptr);
}

TEST_CASE("an address that is only offered is nobody's yet, and nobody else's") {
  LeaseTable table(pool(15, 16));
  REQUIRE(table.offer(mac(1), std::nullopt, now) == ip(15));
  CHECK(table.find(ip(15), now) == nullptr);
  CHECK(table.offer(mac(2), ip(15), now) == ip(16));
  CHECK_FALSE(table.bind(mac(3), ip(15), "", now));
  CHECK_FALSE(table.offer(mac(3), std::nullopt, now));
  CHECK(table.offer(mac(3), std::nullopt, now + 3600));  // who does not take it, loses it
  CHECK(table.bound().empty());
}

TEST_CASE("a guest that only asks for an offer after its lease ended has no lease") {
  LeaseTable table(pool(15, 16));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(table.offer(mac(1), std::nullopt, long_after) == ip(15));
  CHECK(table.find(ip(15), long_after) == nullptr);
  CHECK(table.find_name("web", long_after) == nullptr);
  CHECK_FALSE(table.bind(mac(2), ip(15), "", long_after));  // but it is held for it
}

TEST_CASE("a guest gets the address it asks for where that is free") {
  LeaseTable table(pool(15, 20, {{mac(9), ip(20), "web"}}));
  CHECK(table.offer(mac(1), ip(18), now) == ip(18));
  CHECK(table.offer(mac(2), ip(18), now) == ip(15));
  CHECK(table.offer(mac(3), ip(2), now) == ip(16));   // not of the pool
  CHECK(table.offer(mac(4), ip(21), now) == ip(17));
  CHECK(table.offer(mac(5), ip(20), now) == ip(19));  // reserved
}

TEST_CASE("a guest that is known gets its own and not what it asks for") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now) == ip(15));
  CHECK(table.offer(mac(1), ip(18), now) == ip(15));
}

TEST_CASE("an address is leased without an offer where it is free, as to a guest that was here before the gateway") {
  LeaseTable table(pool(15, 20));
  CHECK(table.bind(mac(1), ip(17), "", now));
  CHECK_FALSE(table.bind(mac(2), ip(17), "", now));
  CHECK_FALSE(table.bind(mac(2), ip(14), "", now));
  CHECK_FALSE(table.bind(mac(2), ip(21), "", now));
  CHECK_FALSE(table.bind(mac(2), Ipv4Address(), "", now));
  CHECK(table.find(mac(2), now) == nullptr);
}

TEST_CASE("a guest that takes another address gives its old one back") {
  LeaseTable table(pool(15, 16));
  REQUIRE(table.bind(mac(1), ip(15), "", now));
  REQUIRE(table.bind(mac(1), ip(16), "", now));
  CHECK(table.find(ip(15), now) == nullptr);
  CHECK(table.find(mac(1), now)->address == ip(16));
  CHECK(table.bind(mac(2), ip(15), "", now));
}

TEST_CASE("a released address is free for others, and remembered for its guest") {
  LeaseTable table(pool(15, 16));
  REQUIRE(lease(table, mac(1), now) == ip(15));
  const auto changes = table.changes();
  table.release(mac(1), ip(15), now + 1);
  CHECK(table.changes() != changes);
  CHECK(table.find(mac(1), now + 1) == nullptr);
  CHECK(table.offer(mac(1), std::nullopt, now + 2) == ip(15));
  table.release(mac(1), ip(15), now + 3);
  CHECK(table.bind(mac(2), ip(15), "", now + 4));
}

TEST_CASE("nobody releases or declines the address of another") {
  LeaseTable table(pool(15, 16, {{mac(9), ip(30), "web"}}));
  REQUIRE(lease(table, mac(1), now) == ip(15));
  table.release(mac(2), ip(15), now);
  table.decline(mac(2), ip(15), now);
  table.release(mac(1), ip(16), now);
  table.decline(mac(1), ip(16), now);
  table.release(mac(1), ip(30), now);
  table.decline(mac(1), ip(30), now);
  CHECK(table.find(mac(1), now)->address == ip(15));
  CHECK(table.find(mac(9), now)->address == ip(30));
}

TEST_CASE("an address that somebody else uses is left alone for a while") {
  LeaseTable table(pool(15, 16));
  REQUIRE(lease(table, mac(1), now, "web") == ip(15));
  table.decline(mac(1), ip(15), now);
  CHECK(table.find(ip(15), now) == nullptr);
  CHECK(table.find(mac(1), now) == nullptr);
  CHECK(table.find_name("web", now) == nullptr);
  CHECK_FALSE(table.bind(mac(1), ip(15), "", now));
  CHECK(lease(table, mac(1), now) == ip(16));
  CHECK_FALSE(lease(table, mac(2), now));
  CHECK(lease(table, mac(2), long_after));
}

TEST_CASE("a release does not end the rest of an address that was declined") {
  LeaseTable table(pool(15, 15));
  REQUIRE(lease(table, mac(1), now));
  table.decline(mac(1), ip(15), now);
  table.release(mac(1), ip(15), now);
  table.release(MacAddress(), ip(15), now);
  CHECK_FALSE(lease(table, mac(2), now));
}

TEST_CASE("a reserved address is its guest's, inside the pool and outside, for ever") {
  for (const unsigned last : {16U, 99U}) {
    CAPTURE(last);
    LeaseTable table(pool(15, 17, {{mac(9), ip(last), "web"}}));
    for (const std::int64_t at : {now, long_after, std::numeric_limits<std::int64_t>::max() - 1'000'000}) {
      REQUIRE(table.find(ip(last), at) != nullptr);
      CHECK(table.find_name("web", at)->address == ip(last));
      CHECK_FALSE(table.bind(mac(1), ip(last), "", at));
      CHECK(table.offer(mac(1), ip(last), at) != ip(last));
    }
    CHECK(table.offer(mac(9), ip(17), now) == ip(last));
    CHECK_FALSE(table.bind(mac(9), ip(17), "", now));
    REQUIRE(table.bind(mac(9), ip(last), "other", now));
    table.release(mac(9), ip(last), now);
    table.decline(mac(9), ip(last), now);
    CHECK(name_of(table, mac(9), long_after) == "web");
    CHECK(table.bound().empty());  // the file need not know
  }
}

TEST_CASE("ten thousand guests get the addresses of the pool and no more") {
  constexpr unsigned first = 15, last = 514;
  LeaseTable table({Ipv4Address(0x0A00'0000 + first), Ipv4Address(0x0A00'0000 + last), lease_seconds, {}});
  CHECK(table.capacity() == last - first + 1);
  std::set<Ipv4Address> given;
  for (std::uint64_t client = 0; client < 10'000; ++client)
    if (const auto address = lease(table, mac(client), now)) {
      CHECK(given.insert(*address).second);
      CHECK(address->value() >= 0x0A00'0000 + first);
      CHECK(address->value() <= 0x0A00'0000 + last);
    }
  CHECK(given.size() == table.capacity());
  CHECK(table.bound().size() == table.capacity());
  CHECK(table.find(mac(0), now) != nullptr);
  CHECK(table.find(mac(9'999), now) == nullptr);
}

TEST_CASE("ten thousand offers that nobody takes hold the pool for a moment only") {
  LeaseTable table(pool(15, 64));
  std::size_t offered = 0;
  for (std::uint64_t client = 0; client < 10'000; ++client) offered += table.offer(mac(client), {}, now).has_value();
  CHECK(offered == table.capacity());
  CHECK(lease(table, mac(20'000), now + 120));
}

TEST_CASE("when the pool is used up, the lease that ended longest ago is given up first") {
  LeaseTable table(pool(15, 17));
  REQUIRE(lease(table, mac(1), now + 20) == ip(15));
  REQUIRE(lease(table, mac(2), now) == ip(16));
  REQUIRE(lease(table, mac(3), now + 10) == ip(17));
  CHECK(lease(table, mac(4), long_after) == ip(16));
  CHECK(lease(table, mac(5), long_after) == ip(17));
  CHECK(lease(table, mac(1), long_after) == ip(15));
  CHECK_FALSE(lease(table, mac(2), long_after));
}

TEST_CASE("a pool of the last addresses there are has an end") {
  LeaseTable table({Ipv4Address(0xFFFF'FFFE), Ipv4Address(0xFFFF'FFFF), lease_seconds, {}});
  CHECK(lease(table, mac(1), now));
  CHECK(lease(table, mac(2), now));
  CHECK_FALSE(lease(table, mac(3), now));
}

TEST_CASE("a name is one guest's, the first one's, and stays it") {
  LeaseTable table(pool(15, 20, {{mac(9), ip(30), "db"}}));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(lease(table, mac(2), now, "web"));
  REQUIRE(lease(table, mac(3), now, "db"));
  CHECK(name_of(table, mac(1), now) == "web");
  CHECK(name_of(table, mac(2), now).empty());
  CHECK(name_of(table, mac(3), now).empty());
  CHECK(table.find_name("web", now)->mac == mac(1));
  CHECK(table.find_name("db", now)->mac == mac(9));
}

TEST_CASE("a guest may change its name, and keeps it while it says none") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(table.bind(mac(1), ip(15), "", now));
  CHECK(name_of(table, mac(1), now) == "web");
  REQUIRE(table.bind(mac(1), ip(15), "shop", now));
  CHECK(name_of(table, mac(1), now) == "shop");
  CHECK(table.find_name("web", now) == nullptr);
  CHECK(table.find_name("", now) == nullptr);
}

TEST_CASE("a guest that comes back does not share its name with the one that took it meanwhile") {
  // In both orders of addresses: a look-up goes by them.
  const bool old_is_first = GENERATE(true, false);
  CAPTURE(old_is_first);
  const Ipv4Address old_address = old_is_first ? ip(15) : ip(20);
  LeaseTable table(pool(15, 20));
  REQUIRE(table.bind(mac(1), old_address, "web", now));
  REQUIRE(table.bind(mac(2), ip(17), "web", long_after));
  REQUIRE(name_of(table, mac(2), long_after) == "web");
  const std::string says = GENERATE(as<std::string>{}, "web", "");
  CAPTURE(says);
  REQUIRE(table.offer(mac(1), std::nullopt, long_after) == old_address);
  CHECK(table.find_name("web", long_after)->mac == mac(2));
  REQUIRE(table.bind(mac(1), old_address, says, long_after));
  CHECK(table.find_name("web", long_after)->mac == mac(2));
  CHECK(name_of(table, mac(1), long_after).empty());
}

TEST_CASE("a host name becomes a label of DNS") {
  CHECK(dns_label("web") == "web");
  CHECK(dns_label("Web-01.example.org") == "web-01");
  CHECK(dns_label("-web-") == "web");
  CHECK(dns_label("my host_name!") == "myhostname");
  CHECK(dns_label("w\xC3\xA4" "b\n") == "wb");
  CHECK(dns_label("") == "");
  CHECK(dns_label(".web") == "");
  CHECK(dns_label("---") == "");
  CHECK(dns_label(std::string(300, 'a')) == std::string(63, 'a'));
  CHECK(dns_label(std::string(62, 'a') + "-b") == std::string(62, 'a'));
  CHECK(dns_label(std::string("a\0b", 3)) == "ab");
}

TEST_CASE("a name that programs trust is no guest's, however it is written, and a reservation's where that says so") {
  for (const char* name : {"wpad", "WPAD.lan", "w_pad", "isatap", "localhost", "LocalHost.localdomain",
                           "web.localhost", "a.web.LOCALHOST."}) {
    CAPTURE(name);
    CHECK(is_special_name(name));
    LeaseTable table(pool(15, 20));
    REQUIRE(lease(table, mac(1), now, "web"));
    REQUIRE(lease(table, mac(1), now, name));
    CHECK(name_of(table, mac(1), now) == "web");
    REQUIRE(lease(table, mac(2), now, name));
    CHECK(name_of(table, mac(2), now).empty());
  }
  for (const char* name : {"", "...", "wpad1", "my-wpad", "web.wpad", "localhost1", "web.isatap.lan"}) {
    CAPTURE(name);
    CHECK_FALSE(is_special_name(name));
  }
  const LeaseTable reserved(pool(15, 20, {{mac(9), ip(30), "wpad"}}));
  CHECK(reserved.find_name("wpad", now)->mac == mac(9));
}

TEST_CASE("what one gateway saves, the next one knows") {
  LeaseTable before(pool(15, 20));
  REQUIRE(lease(before, mac(1), now, "web"));
  REQUIRE(lease(before, mac(2), now + 5, ""));
  REQUIRE(before.offer(mac(3), std::nullopt, now));
  REQUIRE(lease(before, mac(4), now));
  before.decline(mac(4), ip(18), now);
  REQUIRE(before.bound().size() == 2);

  LeaseTable after(pool(15, 20));
  after.load(before.bound());
  for (const std::uint64_t client : {1U, 2U}) {
    REQUIRE(after.find(mac(client), now) != nullptr);
    CHECK(after.find(mac(client), now)->address == before.find(mac(client), now)->address);
    CHECK(after.find(mac(client), now)->name == before.find(mac(client), now)->name);
    CHECK(after.find(mac(client), now)->expires_s == before.find(mac(client), now)->expires_s);
  }
  CHECK(after.find(ip(17), now) == nullptr);
  CHECK(lease(after, mac(2), long_after) == ip(16));
}

TEST_CASE("what a file says that does not fit any more is left out") {
  const auto entry = [](MacAddress client, Ipv4Address address, const std::string& name = "") {
    return Lease{client, address, name, Lease::State::bound, long_after};
  };
  LeaseTable table(pool(15, 20, {{mac(9), ip(16), "web"}, {mac(8), ip(30), "db"}}));
  table.load({entry(mac(1), ip(14)), entry(mac(2), ip(21)), entry(mac(3), ip(16)), entry(mac(9), ip(17)),
              entry(mac(4), ip(30)), entry(MacAddress(), ip(17)), entry(MacAddress(0x0100'5E00'0001), ip(17)),
              entry(mac(5), ip(18)), entry(mac(6), ip(18)), entry(mac(5), ip(19))});
  const auto kept = table.bound();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].mac == mac(5));
  CHECK(kept[0].address == ip(18));
  CHECK(table.find(mac(9), now)->address == ip(16));
}

TEST_CASE("names that a file gives twice, or that are reserved now, are one guest's") {
  LeaseTable table(pool(15, 20, {{mac(9), ip(30), "web"}}));
  table.load({{mac(1), ip(15), "web", Lease::State::bound, long_after},
              {mac(2), ip(16), "db", Lease::State::bound, long_after},
              {mac(3), ip(17), "db", Lease::State::bound, long_after},
              {mac(4), ip(18), "Not A.Label", Lease::State::bound, long_after},
              {mac(5), ip(19), "wpad", Lease::State::bound, long_after}});
  CHECK(table.find_name("web", now)->mac == mac(9));
  CHECK(name_of(table, mac(1), now).empty());
  CHECK(name_of(table, mac(2), now) == "db");
  CHECK(name_of(table, mac(3), now).empty());
  CHECK(name_of(table, mac(4), now) == dns_label("Not A.Label"));
  CHECK(name_of(table, mac(5), now).empty());
}

TEST_CASE("a file that says for ever makes no reservation") {
  LeaseTable table(pool(15, 15));
  table.load({{mac(1), ip(15), "", Lease::State::bound, std::numeric_limits<std::int64_t>::max()}});
  REQUIRE(table.bound().size() == 1);
  table.release(mac(1), ip(15), now);
  CHECK(lease(table, mac(2), now + 1));
}

TEST_CASE("whatever guests do, an address is one guest's and a guest has one address") {
  const unsigned seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U);
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned most) { return static_cast<unsigned>(random() % most); };
  const std::vector<Reservation> reservations{{mac(0), ip(17), "web"}, {mac(1), ip(40), "db"}};
  const std::array<std::string, 5> names{"", "web", "db", "shop", "mail"};
  auto table = std::make_unique<LeaseTable>(pool(15, 22, reservations));
  std::int64_t at = now;
  for (int step = 0; step < 2000; ++step) {
    CAPTURE(step);
    const MacAddress client = mac(below(14));
    const Ipv4Address address = ip(13 + below(30));
    switch (below(8)) {
      case 0: at += below(2) == 0 ? below(60) : below(4000); break;
      case 1:
      case 2: {
        const auto offered = table->offer(client, below(2) == 0 ? std::optional(address) : std::nullopt, at);
        if (offered && below(3) > 0) CHECK(table->bind(client, *offered, names[below(5)], at));
        break;
      }
      case 3:
      case 4:
        if (table->bind(client, address, names[below(5)], at)) {
          REQUIRE(table->find(client, at) != nullptr);
          CHECK(table->find(client, at)->address == address);
        }
        break;
      case 5: table->release(client, address, at); break;
      case 6: table->decline(client, address, at); break;
      default:
        if (below(20) == 0) {  // the gateway starts again
          auto next = std::make_unique<LeaseTable>(pool(15, 22, reservations));
          next->load(table->bound());
          table = std::move(next);
        }
    }
    std::set<std::uint64_t> macs;
    std::set<std::string> used;
    for (unsigned last = 0; last < 64; ++last) {
      const Lease* found = table->find(ip(last), at);
      if (found == nullptr) continue;
      CHECK(((last >= 15 && last <= 22) || last == 40));
      CHECK(found->address == ip(last));
      CHECK(macs.insert(found->mac.value()).second);
      CHECK(table->find(found->mac, at) == found);
      if (!found->name.empty()) CHECK(used.insert(found->name).second);
    }
    for (const Reservation& reserved : reservations) {
      REQUIRE(table->find(reserved.mac, at) != nullptr);
      CHECK(table->find(reserved.mac, at)->address == reserved.address);
      CHECK(table->find_name(reserved.name, at)->mac == reserved.mac);
    }
  }
}
