// What a gateway makes of stations that speak, answer and are silent: a LAN of guests in a time of the test's own.
#include "switchd/gateway/lease_keeper.h"

#include <catch2/catch.hpp>
#include <set>

namespace lease_keeper_test {

using namespace lanyard;

namespace {

constexpr std::int64_t start_s = 1'700'000'000;
constexpr std::uint32_t lease_seconds = 3600;

MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }
Ipv4Address ip(unsigned last) { return Ipv4Address(0x0A00'0200U + last); }

// Guests answer for their addresses one turn after they are asked.
struct Lan {
  void run(std::int64_t ms) {
    for (const std::int64_t end = now_ms + ms; now_ms < end; now_ms += 50) turn();
  }
  void turn() {
    keeper.look(now_ms, now_s());
    for (const Ipv4Address address : std::exchange(asked, {})) {
      ++requests;
      for (const auto& [where, who] : guests)
        if (where == address) keeper.hear(where, MacAddress(who), now_ms, now_s());
    }
    for (const MacAddress client : keeper.turn(now_ms, now_s())) probed.push_back(client);
  }
  [[nodiscard]] std::int64_t now_s() const { return start_s + now_ms / 1000 + slept_s; }

  // As the DHCP server does it.
  std::optional<Ipv4Address> lease(std::uint64_t client, const std::string& name = "") {
    for (int tries = 0; tries < 10; ++tries) {
      const auto address = leases.offer(mac(client), std::nullopt, now_s());
      keeper.answered(mac(client), now_s());
      if (!address) return std::nullopt;
      if (leases.to_probe(mac(client), now_s())) {
        REQUIRE(keeper.probe(*address, mac(client)));
        probed.clear();
        while (probed.empty()) run(50);
        continue;
      }
      REQUIRE(leases.bind(mac(client), *address, name, now_s()));
      keeper.answered(mac(client), now_s());
      guests.emplace(*address, mac(client).value());
      return address;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<MacAddress> named(const std::string& name) const {
    const Lease* lease = leases.find_name(name, now_s());
    return lease == nullptr ? std::nullopt : std::optional(lease->mac);
  }
  void vanish(std::uint64_t client) {
    std::erase_if(guests, [&](const auto& guest) { return guest.second == mac(client).value(); });
  }
  // The host sleeps: its calendar goes on, and nothing else.
  void sleep(std::int64_t seconds) { slept_s += seconds; }

  LeaseTable leases{{ip(15), ip(20), lease_seconds, {{mac(9), ip(30), "db"}}}};
  std::int64_t now_ms = 1'000'000;
  std::int64_t slept_s = 0;
  std::set<std::pair<Ipv4Address, std::uint64_t>> guests;
  std::vector<Ipv4Address> asked;
  std::vector<MacAddress> probed;
  std::vector<std::string> reports;
  unsigned requests = 0;
  LeaseKeeper keeper{leases, [this](Ipv4Address address) { asked.push_back(address); },
                     [this](const char* kind, const std::string& line) {
                       reports.push_back(std::string(kind) + ": " + line);
                     }};
};

}  // namespace

TEST_CASE("a VM that is made again has its name within seconds, and people are told") {
  Lan lan;
  REQUIRE(lan.lease(1, "web") == ip(15));
  lan.vanish(1);
  REQUIRE(lan.lease(2, "web") == ip(16));
  CHECK(lan.named("web") == mac(1));
  lan.run(4000);
  CHECK(lan.named("web") == mac(2));
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0] ==
        "name_moved: web is now 10.0.2.16 (52:54:00:00:00:02): 52:54:00:00:00:01, which had the name, does not answer");
  lan.run(120'000);
  CHECK(lan.named("web") == mac(2));
  CHECK(lan.reports.size() == 1);
}

TEST_CASE("a VM that can be reached keeps its name, and loses it soon after it cannot any more") {
  Lan lan;
  REQUIRE(lan.lease(1, "web"));
  REQUIRE(lan.lease(2, "web"));
  lan.run(300'000);
  CHECK(lan.named("web") == mac(1));
  CHECK(lan.reports.empty());
  CHECK(lan.requests < 40);  // two for each offer, and one in a while
  lan.vanish(1);
  lan.run(70'000);
  CHECK(lan.named("web") == mac(2));
  CHECK(lan.reports.size() == 1);
}

TEST_CASE("a VM that is paused for less than it takes to ask for it keeps its name") {
  Lan lan;
  const Ipv4Address address = *lan.lease(1, "web");
  lan.vanish(1);
  REQUIRE(lan.lease(2, "web"));
  lan.run(1800);
  lan.guests.emplace(address, mac(1).value());
  lan.run(20'000);
  CHECK(lan.named("web") == mac(1));
  CHECK(lan.reports.empty());
}

TEST_CASE("a reserved name never moves") {
  Lan lan;
  REQUIRE(lan.lease(1, "db"));
  lan.run(120'000);
  CHECK(lan.named("db") == mac(9));
  CHECK(lan.reports.empty());
}

TEST_CASE("after a sleep of the host, guests that are there have their names and addresses, and others have not") {
  Lan lan;
  REQUIRE(lan.lease(1, "web") == ip(15));
  REQUIRE(lan.lease(2, "shop") == ip(16));
  lan.run(10'000);
  lan.sleep(GENERATE(1900, 3600, 100'000));
  lan.vanish(2);
  lan.turn();
  CHECK(lan.named("web") == mac(1));  // at once: nobody has to be asked for that
  lan.run(2 * lease_seconds * 1000);  // web is an idle server, whose own clock slept, too
  CHECK(lan.named("web") == mac(1));
  CHECK_FALSE(lan.named("shop"));
  CHECK(lan.leases.find(ip(15), lan.now_s()) != nullptr);
  for (std::uint64_t client = 11; client < 16; ++client) CHECK(lan.lease(client) != ip(15));
  CHECK(lan.reports.empty());
}

TEST_CASE("a guest that was too slow to answer is known again when it speaks") {
  Lan lan;
  const Ipv4Address address = *lan.lease(1, "web");
  lan.vanish(1);
  lan.sleep(100'000);
  lan.run(10'000);
  REQUIRE_FALSE(lan.named("web"));
  lan.keeper.hear(address, mac(1), lan.now_ms, lan.now_s());
  CHECK(lan.named("web") == mac(1));
}

TEST_CASE("an address that a VM uses without a lease is not offered, whether it has spoken or only answers") {
  const bool has_spoken = GENERATE(true, false);
  CAPTURE(has_spoken);
  Lan lan;
  lan.guests.emplace(ip(18), mac(0x77).value());
  if (has_spoken) lan.keeper.hear(ip(18), mac(0x77), lan.now_ms, lan.now_s());
  std::set<Ipv4Address> given;
  for (const std::uint64_t client : {1U, 2U, 3U, 4U}) given.insert(*lan.lease(client));
  CHECK(given == std::set{ip(15), ip(16), ip(17), ip(19)});
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0] ==
        (has_spoken ? "address_in_use: 10.0.2.18 is used by 52:54:00:00:00:77, which has no lease of it: it is not "
                      "given to others"
                    : "address_in_use: 52:54:00:00:00:77 answers at 10.0.2.18, which it has no lease of: "
                      "52:54:00:00:00:04 gets another address"));
  CHECK(lan.keeper.mac_of(ip(18), lan.now_s()) == mac(0x77));
}

TEST_CASE("when all addresses are used without a lease, nobody is offered one, and each was asked for once") {
  Lan lan;
  for (unsigned last = 15; last <= 20; ++last) lan.guests.emplace(ip(last), mac(0x70 + last).value());
  CHECK_FALSE(lan.lease(1));
  CHECK(lan.requests == 6);
  CHECK(lan.reports.size() == 6);
}

TEST_CASE("a first offer takes 200 ms, and that of an address which a guest has no time") {
  Lan lan;
  const std::int64_t before = lan.now_ms;
  REQUIRE(lan.lease(1) == ip(15));
  CHECK(lan.now_ms - before >= 200);
  CHECK(lan.now_ms - before <= 300);
  const std::int64_t again = lan.now_ms;
  REQUIRE(lan.lease(1) == ip(15));
  CHECK(lan.now_ms == again);
}

TEST_CASE("two stations at one leased address are told") {
  Lan lan;
  REQUIRE(lan.lease(1) == ip(15));
  lan.keeper.hear(ip(15), mac(7), lan.now_ms, lan.now_s());
  REQUIRE(lan.reports.size() == 1);
  CHECK(lan.reports[0] == "address_in_use: 10.0.2.15 is used by 52:54:00:00:00:07, and leased to 52:54:00:00:00:01");
  CHECK(lan.keeper.mac_of(ip(15), lan.now_s()) == mac(1));
}

}  // namespace lease_keeper_test
