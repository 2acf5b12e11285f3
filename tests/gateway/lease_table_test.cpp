// Leases as guests meet them: the same address again, for one guest only, and for as long as was said.
#include "switchd/gateway/lease_table.h"

#include <catch2/catch.hpp>
#include <limits>
#include <random>
#include <set>

#include "tests/support/deadline.h"

namespace lease_table_test {

using namespace lanyard;
using namespace std::chrono_literals;
using lanyard::test::Deadline;

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
  CHECK(dns_label("my host_name!") == "my-host-name");
  CHECK(dns_label("my_vm") == "my-vm");
  CHECK(dns_label("_vm_") == "vm");
  CHECK(dns_label("w\xC3\xA4" "b\n") == "wb");
  CHECK(dns_label("") == "");
  CHECK(dns_label(".web") == "");
  CHECK(dns_label("---") == "");
  CHECK(dns_label(std::string(300, 'a')) == std::string(63, 'a'));
  CHECK(dns_label(std::string(62, 'a') + "-b") == std::string(62, 'a'));
  CHECK(dns_label(std::string("a\0b", 3)) == "ab");
}

TEST_CASE("a name that programs trust is no guest's, however it is written, and a reservation's where that says so") {
  for (const char* name : {"wpad", "WPAD.lan", "w!pad", "_wpad", "isatap", "localhost", "LocalHost.localdomain",
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
  after.load(before.bound(), now);
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
  (void)table.load(
      {entry(mac(1), ip(14)), entry(mac(2), ip(21)), entry(mac(3), ip(16)), entry(mac(9), ip(17)),
       entry(mac(4), ip(30)), entry(MacAddress(), ip(17)), entry(MacAddress(0x0100'5E00'0001), ip(17)),
       entry(mac(5), ip(18)), entry(mac(6), ip(18)), entry(mac(5), ip(19))},
      now);
  const auto kept = table.bound();
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].mac == mac(5));
  CHECK(kept[0].address == ip(18));
  CHECK(table.find(mac(9), now)->address == ip(16));
}

TEST_CASE("leases that a change of the pool or of reservations ends are told, and the others are kept") {
  LeaseTable before(pool(15, 20));
  for (const std::uint64_t client : {1U, 2U, 3U, 4U, 5U})
    REQUIRE(lease(before, mac(client), now, "vm" + std::to_string(client)));
  LeaseTable after(pool(17, 30, {{mac(9), ip(17), "db"}, {mac(5), ip(19), "shop"}}));
  const auto changes = after.changes();
  const auto left_out = after.load(before.bound(), now + 1);
  REQUIRE(left_out.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(left_out[i].mac == mac(i + 1));
    CHECK(left_out[i].name == "vm" + std::to_string(i + 1));
  }
  CHECK(after.changes() != changes);  // the file forgets them, and they are told once
  CHECK(after.find_name("vm4", now + 1)->address == ip(18));
  CHECK(after.find(mac(5), now + 1)->address == ip(19));
  CHECK(LeaseTable(pool(17, 30)).load(before.bound(), long_after).empty());  // they had ended
  CHECK(LeaseTable(pool(15, 20)).load(before.bound(), now + 1).empty());
}

TEST_CASE("names that a file gives twice, or that are reserved now, are one guest's") {
  LeaseTable table(pool(15, 20, {{mac(9), ip(30), "web"}}));
  table.load({{mac(1), ip(15), "web", Lease::State::bound, long_after},
              {mac(2), ip(16), "db", Lease::State::bound, long_after},
              {mac(3), ip(17), "db", Lease::State::bound, long_after},
              {mac(4), ip(18), "Not A.Label", Lease::State::bound, long_after},
              {mac(5), ip(19), "wpad", Lease::State::bound, long_after}}, now);
  CHECK(table.find_name("web", now)->mac == mac(9));
  CHECK(name_of(table, mac(1), now).empty());
  CHECK(name_of(table, mac(2), now) == "db");
  CHECK(name_of(table, mac(3), now).empty());
  CHECK(name_of(table, mac(4), now) == dns_label("Not A.Label"));
  CHECK(name_of(table, mac(5), now).empty());
}

TEST_CASE("a file that says for ever makes no reservation") {
  LeaseTable table(pool(15, 15));
  table.load({{mac(1), ip(15), "", Lease::State::bound, std::numeric_limits<std::int64_t>::max()}}, now);
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
    switch (below(15)) {
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
      case 7:
      case 8: (void)table->hear(address, client, at); break;
      case 9: (void)table->end_soon(at); break;
      case 10:
      case 11: table->silent(client, address, at); break;
      case 12: (void)table->use(address, client, at); break;
      case 13:
        for (const NameMove& move : table->take_moves(at)) {
          REQUIRE(table->find(move.to, at) != nullptr);
          CHECK(move.to_address == table->find(move.to, at)->address);
        }
        break;
      default:
        if (below(20) == 0) {  // the gateway starts again
          auto next = std::make_unique<LeaseTable>(pool(15, 22, reservations));
          next->load(table->bound(), at);
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
      if (found->name.empty()) continue;
      CHECK(used.insert(found->name).second);
      CHECK(table->find_name(found->name, at) == found);
    }
    for (const Reservation& reserved : reservations) {
      REQUIRE(table->find(reserved.mac, at) != nullptr);
      CHECK(table->find(reserved.mac, at)->address == reserved.address);
      CHECK(table->find_name(reserved.name, at)->mac == reserved.mac);
    }
  }
}

// --- Stations: a lease is no sign of life.

namespace {

std::string moves(LeaseTable& table, std::int64_t at_s) {
  std::string all;
  for (const NameMove& move : table.take_moves(at_s))
    all += move.name + " from " + to_string(move.from) + " to " + to_string(move.to) + " at " +
           to_string(move.to_address) + "\n";
  return all;
}

}  // namespace

TEST_CASE("a name goes to the guest that claims it when the one that has it is silent, and not before") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(lease(table, mac(2), now, "web"));
  REQUIRE(table.claimed_from(mac(2), now) != nullptr);
  CHECK(table.claimed_from(mac(2), now)->mac == mac(1));
  CHECK(table.claimed_from(mac(1), now) == nullptr);
  REQUIRE(table.to_ask(now).size() == 1);
  CHECK(table.to_ask(now)[0].mac == mac(1));
  CHECK(moves(table, now).empty());
  CHECK(table.find_name("web", now)->mac == mac(1));

  const auto changes = table.changes();
  table.silent(mac(1), ip(15), now + 3);
  CHECK(moves(table, now + 3) == "web from 52:54:00:00:00:01 to 52:54:00:00:00:02 at 10.0.2.16\n");
  CHECK(table.changes() != changes);  // the file knows
  CHECK(table.find_name("web", now + 3)->mac == mac(2));
  CHECK(name_of(table, mac(1), now + 3).empty());
  CHECK(table.find(ip(15), now + 3)->mac == mac(1));  // its address is its own until the lease ends
  CHECK(table.to_ask(now + 3).empty());
  CHECK(moves(table, now + 3).empty());

  // The first comes back: it has to wait in its turn.
  REQUIRE(table.bind(mac(1), ip(15), "web", now + 60));
  CHECK(table.find_name("web", now + 60)->mac == mac(2));
  CHECK(table.claimed_from(mac(1), now + 60)->mac == mac(2));
}

TEST_CASE("of several that claim a name, the one that said so last gets it") {
  LeaseTable table(pool(15, 20));
  for (const std::uint64_t client : {1U, 2U, 3U}) REQUIRE(lease(table, mac(client), now, "web"));
  REQUIRE(table.bind(mac(2), ip(16), "web", now + 5));
  table.silent(mac(1), ip(15), now + 9);
  CHECK(moves(table, now + 9) == "web from 52:54:00:00:00:01 to 52:54:00:00:00:02 at 10.0.2.16\n");
  CHECK(table.claimed_from(mac(3), now + 9)->mac == mac(2));  // it still does
}

TEST_CASE("a name that its guest gives up goes to the one that claims it at once") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(lease(table, mac(2), now, "web"));
  SECTION("by a release") { table.release(mac(1), ip(15), now + 1); }
  SECTION("by a decline") { REQUIRE(table.decline(mac(1), ip(15), now + 1)); }
  SECTION("by another name") { REQUIRE(table.bind(mac(1), ip(15), "shop", now + 1)); }
  CHECK(moves(table, now + 1) == "web from 00:00:00:00:00:00 to 52:54:00:00:00:02 at 10.0.2.16\n");
  CHECK(table.find_name("web", now + 1)->mac == mac(2));
}

TEST_CASE("a claim ends with another name or with the lease, and not with a renewal that says none") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(lease(table, mac(2), now, "web"));
  REQUIRE(table.bind(mac(2), ip(16), "", now + 1));
  CHECK(table.claimed_from(mac(2), now + 1) != nullptr);
  SECTION("another name") { REQUIRE(table.bind(mac(2), ip(16), "shop", now + 2)); }
  SECTION("a release") { table.release(mac(2), ip(16), now + 2); }
  CHECK(table.to_ask(now + 2).empty());
  table.silent(mac(1), ip(15), now + 3);
  CHECK(moves(table, now + 3).empty());
  CHECK(table.find_name("web", now + 3)->mac == mac(1));  // nobody else wants it
}

TEST_CASE("a guest that lost its name while it was silent claims it again by a renewal that says none") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web"));
  REQUIRE(lease(table, mac(2), now, "web"));
  table.silent(mac(1), ip(15), now + 3);
  REQUIRE_FALSE(moves(table, now + 3).empty());
  REQUIRE(table.bind(mac(1), ip(15), "", now + 60));
  REQUIRE(table.claimed_from(mac(1), now + 60) != nullptr);
  CHECK(table.claimed_from(mac(1), now + 60)->mac == mac(2));
  table.release(mac(2), ip(16), now + 61);
  CHECK(moves(table, now + 61) == "web from 00:00:00:00:00:00 to 52:54:00:00:00:01 at 10.0.2.15\n");
}

TEST_CASE("names that become free by one another go round at once") {
  LeaseTable table(pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "a"));
  REQUIRE(lease(table, mac(2), now, "b"));
  REQUIRE(lease(table, mac(3), now, "c"));
  REQUIRE(lease(table, mac(2), now, "a"));
  REQUIRE(lease(table, mac(3), now, "b"));
  table.release(mac(1), ip(15), now);
  CHECK(moves(table, now) ==
        "a from 00:00:00:00:00:00 to 52:54:00:00:00:02 at 10.0.2.16\n"
        "b from 00:00:00:00:00:00 to 52:54:00:00:00:03 at 10.0.2.17\n");
  CHECK(table.find_name("c", now) == nullptr);
}

TEST_CASE("a reserved name never moves, however silent its guest is") {
  LeaseTable table(pool(15, 20, {{mac(9), ip(30), "db"}}));
  REQUIRE(lease(table, mac(1), now, "db"));
  CHECK(table.claimed_from(mac(1), now) == nullptr);
  CHECK(table.to_ask(now).empty());
  table.silent(mac(9), ip(30), now + 3);
  CHECK(moves(table, now + 3).empty());
  CHECK(table.find_name("db", now + 3)->mac == mac(9));
}

TEST_CASE("a lease whose time is over is kept until its station is silent") {
  LeaseTable table(pool(15, 15));
  REQUIRE(lease(table, mac(1), now, "web"));
  CHECK(table.end_soon(now).empty());
  const std::int64_t at = GENERATE(now + lease_seconds - 1, now + lease_seconds, long_after);  // the host slept
  const auto ending = table.end_soon(at);
  REQUIRE(ending.size() == 1);
  CHECK(ending[0].address == ip(15));
  CHECK(table.end_soon(at).empty());  // once
  for (const std::int64_t later : {at, at + 10'000}) {
    CHECK(table.find_name("web", later)->mac == mac(1));
    CHECK_FALSE(table.offer(mac(2), std::nullopt, later));
    CHECK(table.to_ask(later).size() == 1);
  }
  SECTION("it renews") {
    REQUIRE(table.bind(mac(1), ip(15), "", long_after));
    table.silent(mac(1), ip(15), long_after);  // an answer that came too late to count
    CHECK(table.find_name("web", long_after)->mac == mac(1));
    CHECK(table.to_ask(long_after).empty());
    CHECK(table.end_soon(long_after + lease_seconds).size() == 1);
  }
  SECTION("it is silent") {
    table.silent(mac(1), ip(15), long_after);
    CHECK(table.find_name("web", long_after) == nullptr);
    CHECK(table.to_ask(long_after).empty());
    CHECK(table.end_soon(long_after).empty());
    SECTION("and heard again") {
      CHECK_FALSE(table.hear(ip(15), mac(1), long_after));
      CHECK(table.find_name("web", long_after)->mac == mac(1));
      CHECK(table.to_ask(long_after).size() == 1);
    }
    SECTION("and another gets the address") { CHECK(table.offer(mac(2), std::nullopt, long_after) == ip(15)); }
  }
}

TEST_CASE("a guest that is heard again after its lease ended does not take its name from the one that has it now") {
  const bool old_is_first = GENERATE(true, false);
  const Ipv4Address old_address = old_is_first ? ip(15) : ip(20);
  LeaseTable table(pool(15, 20));
  REQUIRE(table.bind(mac(1), old_address, "web", now));
  REQUIRE(table.bind(mac(2), ip(17), "web", long_after));
  CHECK_FALSE(table.hear(old_address, mac(1), long_after));
  CHECK(table.find(mac(1), long_after) != nullptr);
  CHECK(table.find_name("web", long_after)->mac == mac(2));
}

TEST_CASE("a station that has released its lease does not keep it by a last frame") {
  LeaseTable table(pool(15, 15));
  REQUIRE(lease(table, mac(1), now, "web"));
  table.release(mac(1), ip(15), now + 1);
  CHECK_FALSE(table.hear(ip(15), mac(1), now + 1));
  CHECK(table.find_name("web", now + 1) == nullptr);
  CHECK(table.end_soon(long_after).empty());
}

TEST_CASE("leases of a file that have ended count again when their stations are heard") {
  LeaseTable table(pool(15, 20));
  table.load({{mac(1), ip(15), "web", Lease::State::bound, now}}, now + 1);
  CHECK(table.end_soon(now + 1).empty());
  CHECK(table.find_name("web", now + 1) == nullptr);
  CHECK_FALSE(table.hear(ip(15), mac(1), now + 1));
  CHECK(table.find_name("web", now + 1)->mac == mac(1));
}

// --- Addresses in use.

TEST_CASE("an address that is heard of without a lease is passed over, told once, and free again after a silence") {
  LeaseTable table(pool(15, 18));
  CHECK_FALSE(table.hear(ip(15), mac(7), now));
  CHECK_FALSE(table.hear(ip(18), mac(8), now));
  CHECK(table.take_passed_over().empty());  // nobody was in its way yet
  CHECK(lease(table, mac(1), now) == ip(16));
  auto told = table.take_passed_over();
  REQUIRE(told.size() == 1);
  CHECK(told[0].mac == mac(7));
  CHECK(table.offer(mac(2), ip(18), now) == ip(17));  // nor by asking for it
  told = table.take_passed_over();
  REQUIRE(told.size() == 1);
  CHECK(told[0].address == ip(18));
  CHECK_FALSE(table.bind(mac(3), ip(18), "", now));
  CHECK_FALSE(table.offer(mac(3), std::nullopt, now));
  CHECK(table.take_passed_over().empty());
  CHECK(table.bound().size() == 1);

  CHECK_FALSE(table.hear(ip(15), mac(7), now + 500));
  CHECK(table.offer(mac(3), std::nullopt, now + 700) == ip(17));  // the offer that was not taken
  CHECK(lease(table, mac(4), now + 700) == ip(18));
  CHECK_FALSE(lease(table, mac(5), now + 700));
  CHECK(lease(table, mac(5), now + 1200) == ip(17));
  CHECK(lease(table, mac(6), now + 1200) == ip(15));
}

TEST_CASE("who uses an address without a lease gets it when it asks") {
  LeaseTable table(pool(15, 20));
  CHECK_FALSE(table.hear(ip(17), mac(1), now));  // the gateway has lost its leases
  SECTION("for it") { CHECK(table.offer(mac(1), ip(17), now) == ip(17)); }
  SECTION("for a confirmation") {}
  REQUIRE(table.bind(mac(1), ip(17), "web", now));
  CHECK(table.find_name("web", now)->address == ip(17));
  CHECK(lease(table, mac(1), now + 1) == ip(17));
}

TEST_CASE("an offer whose address somebody else is heard at is void") {
  LeaseTable table(pool(15, 20));
  REQUIRE(table.offer(mac(1), std::nullopt, now) == ip(15));
  CHECK_FALSE(table.hear(ip(15), mac(7), now));
  CHECK_FALSE(table.bind(mac(1), ip(15), "", now));
  CHECK(lease(table, mac(1), now) == ip(16));
}

TEST_CASE("another at a leased address is told once until its guest is heard again, and takes nothing away") {
  const bool reserved = GENERATE(false, true);
  LeaseTable table(reserved ? pool(15, 20, {{mac(1), ip(15), "web"}}) : pool(15, 20));
  REQUIRE(lease(table, mac(1), now, "web") == ip(15));
  CHECK_FALSE(table.hear(ip(15), mac(1), now));
  CHECK(table.hear(ip(15), mac(7), now));
  CHECK_FALSE(table.hear(ip(15), mac(7), now + 1));
  CHECK(table.find(ip(15), now + 1)->mac == mac(1));
  CHECK(table.find_name("web", now + 1)->mac == mac(1));
  CHECK_FALSE(table.hear(ip(15), mac(1), now + 2));
  CHECK(table.hear(ip(15), mac(7), now + 3));
}

TEST_CASE("an address is probed before it is offered, unless its guest has it already") {
  LeaseTable table(pool(15, 16, {{mac(9), ip(30), "db"}}));
  REQUIRE(table.offer(mac(1), std::nullopt, now) == ip(15));
  CHECK(table.to_probe(mac(1), now) == ip(15));
  REQUIRE(table.offer(mac(1), std::nullopt, now + 1) == ip(15));
  CHECK(table.to_probe(mac(1), now + 1) == ip(15));
  table.probed(mac(1), ip(16));  // of another offer, which it did not take
  CHECK(table.to_probe(mac(1), now + 1) == ip(15));
  table.probed(mac(1), ip(15));
  CHECK_FALSE(table.to_probe(mac(1), now + 1));
  REQUIRE(table.offer(mac(1), std::nullopt, now + 2) == ip(15));  // it asks again
  CHECK_FALSE(table.to_probe(mac(1), now + 2));
  REQUIRE(table.bind(mac(1), ip(15), "", now + 2));
  REQUIRE(table.offer(mac(1), std::nullopt, now + 10) == ip(15));  // it starts again
  CHECK_FALSE(table.to_probe(mac(1), now + 10));
  CHECK(table.hear(ip(15), mac(7), now + 11));
  CHECK(table.to_probe(mac(1), now + 11) == ip(15));  // it may have it no more
  REQUIRE(table.use(ip(15), mac(7), now + 11));
  CHECK(table.offer(mac(1), std::nullopt, now + 11) == ip(16));
  CHECK(table.to_probe(mac(1), now + 11) == ip(16));

  REQUIRE(table.offer(mac(9), std::nullopt, now) == ip(30));
  CHECK_FALSE(table.to_probe(mac(9), now));
  CHECK_FALSE(table.use(ip(30), mac(7), now));
  CHECK_FALSE(table.to_probe(mac(2), now));
}

TEST_CASE("an address that was leased long ago is probed again") {
  LeaseTable table(pool(15, 15));
  REQUIRE(lease(table, mac(1), now, "web"));
  const std::uint64_t client = GENERATE(1U, 2U);
  REQUIRE(table.offer(mac(client), std::nullopt, long_after) == ip(15));
  CHECK(table.to_probe(mac(client), long_after) == ip(15));
}

// --- Many: what one message costs does not depend on how many leases there are. Where it does, these take
// minutes.

namespace {

constexpr unsigned many = 4096;

LeaseTable large_table() { return LeaseTable({ip(0), ip(many - 1), lease_seconds, {}}); }

void check_time(const Deadline& deadline) {
  if (deadline.passed()) FAIL("this costs more with each lease that there is");
}

}  // namespace

TEST_CASE("thousands that claim one name are served as fast as one, and each gets it in its turn") {
  const Deadline deadline(10s);
  LeaseTable table = large_table();
  REQUIRE(table.bind(mac(0), ip(many - 1), "web", now));
  for (unsigned n = 1; n < many; ++n) {
    REQUIRE(table.bind(mac(n), ip(n - 1), "web", now));
    REQUIRE(table.claimed_from(mac(n), now)->mac == mac(0));
    REQUIRE(table.take_moves(now).empty());
    check_time(deadline);
  }
  table.silent(mac(0), ip(many - 1), now + 1);
  for (unsigned n = many - 1; n > 0; --n) {
    const auto moved = table.take_moves(now + 1);
    REQUIRE(moved.size() == 1);
    REQUIRE(moved[0].to == mac(n));
    table.release(mac(n), ip(n - 1), now + 1);
    check_time(deadline);
  }
  CHECK(table.find_name("web", now + 1) == nullptr);
}

TEST_CASE("thousands that had one name and left cost those nothing that have it after them") {
  const Deadline deadline(10s);
  LeaseTable table = large_table();
  for (unsigned round = 0; round < 4; ++round)
    for (unsigned n = 0; n < many; ++n) {
      REQUIRE(table.bind(mac(n), ip(n), "web", now));
      REQUIRE(table.find_name("web", now)->mac == mac(n));
      table.release(mac(n), ip(n), now);
      REQUIRE(table.take_moves(now).empty());
      check_time(deadline);
    }
}

TEST_CASE(
    "a pool that is used up is no more work for who asks for an address, leased or used without a lease") {
  const Deadline deadline(10s);
  const bool is_leased = GENERATE(true, false);
  LeaseTable table = large_table();
  for (unsigned n = 0; n < many; ++n)
    if (is_leased)
      REQUIRE(table.bind(mac(n), ip(n), "", now));
    else
      REQUIRE(table.use(ip(n), mac(n), now));
  std::size_t told = 0;
  for (unsigned n = 0; n < 100'000; ++n) {
    REQUIRE_FALSE(table.offer(mac(many + n), std::nullopt, now));
    told += table.take_passed_over().size();
    check_time(deadline);
  }
  CHECK(told == (is_leased ? 0 : many));
  CHECK(table.offer(mac(many), std::nullopt, long_after) == ip(0));
}

}  // namespace lease_table_test
