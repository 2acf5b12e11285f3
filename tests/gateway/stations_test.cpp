// Stations that are heard, and questions to those that are not, in a time of the test's own.
#include "switchd/gateway/stations.h"

#include <catch2/catch.hpp>

namespace stations_test {

using namespace lanyard;

namespace {

using About = Stations::About;

MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }
Ipv4Address ip(unsigned last) { return Ipv4Address(0x0A00'0200U + last); }

struct Lan {
  // The last parts of the addresses that are asked for at that time.
  std::vector<unsigned> turn(std::int64_t now_ms) {
    std::vector<unsigned> asked;
    over = stations.turn(now_ms, [&](Ipv4Address address) { asked.push_back(address.value() & 255); });
    return asked;
  }
  Stations stations;
  std::vector<Stations::Outcome> over;
};

using Asked = std::vector<unsigned>;

}  // namespace

TEST_CASE("who was heard last at an address is known, and for how long it has been silent") {
  Stations stations;
  CHECK_FALSE(stations.find(ip(15)));
  CHECK(stations.hear(ip(15), mac(1), 1000));
  CHECK_FALSE(stations.hear(ip(15), mac(1), 1999));  // nothing new
  CHECK(stations.hear(ip(15), mac(1), 2000));
  CHECK(stations.find(ip(15)) == mac(1));
  CHECK(stations.heard_within(ip(15), mac(1), 500, 2499));
  CHECK_FALSE(stations.heard_within(ip(15), mac(1), 500, 2500));
  CHECK_FALSE(stations.heard_within(ip(15), mac(2), 500, 2000));
  CHECK_FALSE(stations.heard_within(ip(16), mac(1), 500, 2000));
  CHECK(stations.hear(ip(15), mac(2), 2001));
  CHECK(stations.find(ip(15)) == mac(2));
}

TEST_CASE("the address that was heard of first is forgotten first") {
  Stations stations;
  for (std::uint32_t i = 0; i <= Stations::addresses_max; ++i) stations.hear(Ipv4Address(i), mac(i), 0);
  CHECK_FALSE(stations.find(Ipv4Address(0)));
  CHECK(stations.find(Ipv4Address(1)) == mac(1));
  CHECK(stations.find(Ipv4Address(Stations::addresses_max)));
}

TEST_CASE("an address is free when nobody else has answered 200 ms after it was asked for") {
  Lan lan;
  CHECK_FALSE(lan.stations.next_ms());
  REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(1)));
  CHECK(lan.stations.next_ms() == 0);  // at once
  CHECK(lan.turn(5000) == Asked{15});
  CHECK(lan.stations.next_ms() == 5100);
  CHECK(lan.turn(5099).empty());
  CHECK(lan.turn(5100) == Asked{15});
  lan.stations.hear(ip(15), mac(1), 5150);  // the client itself, which has it already
  lan.stations.hear(ip(16), mac(2), 5150);
  CHECK(lan.turn(5199).empty());
  CHECK(lan.over.empty());
  CHECK(lan.turn(5200).empty());
  REQUIRE(lan.over.size() == 1);
  CHECK(lan.over[0].about == About::is_free);
  CHECK(lan.over[0].address == ip(15));
  CHECK(lan.over[0].mac == mac(1));
  CHECK_FALSE(lan.over[0].who);
  CHECK_FALSE(lan.stations.next_ms());
  CHECK(lan.turn(9999).empty());
  CHECK(lan.over.empty());
}

TEST_CASE("an address is not free as soon as anybody else is heard there") {
  Lan lan;
  REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(1)));
  CHECK(lan.turn(5000) == Asked{15});
  lan.stations.hear(ip(15), mac(7), 5001);
  CHECK(lan.stations.next_ms() == 0);
  CHECK(lan.turn(5001).empty());
  REQUIRE(lan.over.size() == 1);
  CHECK(lan.over[0].who == mac(7));
  CHECK(lan.turn(5200).empty());
  CHECK(lan.over.empty());
}

TEST_CASE("a station is there when it is heard at its address within 3 s, asked or not, and else it is silent") {
  const std::int64_t heard_ms = GENERATE(0, 1, 1500, 2999, 3000);
  CAPTURE(heard_ms);
  Lan lan;
  lan.stations.hear(ip(15), mac(1), 0);  // before: that does not count
  REQUIRE(lan.stations.ask(About::is_there, ip(15), mac(1)));
  unsigned requests = 0;
  for (std::int64_t now_ms = 0; now_ms <= 3000; ++now_ms) {
    requests += static_cast<unsigned>(lan.turn(now_ms).size());
    if (!lan.over.empty()) {
      CHECK(now_ms == (heard_ms < 3000 ? heard_ms + 1 : 3000));
      CHECK(lan.over[0].who == (heard_ms < 3000 ? std::optional(mac(1)) : std::nullopt));
      CHECK(requests == (heard_ms < 1000 ? 1 : heard_ms < 2000 ? 2 : 3));
      return;
    }
    lan.stations.hear(ip(15), mac(7), now_ms);  // another there, and the same elsewhere, are no sign of it
    lan.stations.hear(ip(16), mac(1), now_ms);
    if (now_ms == heard_ms) lan.stations.hear(ip(15), mac(1), now_ms);
  }
  FAIL("it never ends");
}

TEST_CASE("questions about one address do not disturb each other, and the same question is asked once") {
  Lan lan;
  REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(1)));
  REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(1)));
  REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(2)));
  REQUIRE(lan.stations.ask(About::is_there, ip(15), mac(2)));
  CHECK(lan.turn(0) == Asked{15, 15, 15});
  lan.stations.hear(ip(15), mac(2), 10);
  CHECK(lan.turn(10).empty());
  REQUIRE(lan.over.size() == 2);
  for (const auto& outcome : lan.over) CHECK(outcome.who == mac(2));
  CHECK(lan.turn(100) == Asked{15});
  CHECK(lan.turn(200).empty());
  REQUIRE(lan.over.size() == 1);
  CHECK(lan.over[0].mac == mac(2));
  CHECK_FALSE(lan.over[0].who);
}

TEST_CASE("questions are bounded") {
  Lan lan;
  for (std::uint64_t i = 0; i < Stations::questions_max; ++i) REQUIRE(lan.stations.ask(About::is_free, ip(15), mac(i)));
  CHECK(lan.stations.ask(About::is_free, ip(15), mac(0)));
  CHECK_FALSE(lan.stations.ask(About::is_free, ip(16), mac(0)));
  lan.turn(0);
  lan.turn(100);
  lan.turn(200);
  CHECK(lan.over.size() == Stations::questions_max);
  CHECK(lan.stations.ask(About::is_free, ip(16), mac(0)));
}

}  // namespace stations_test
