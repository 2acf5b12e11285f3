// Which other gateways are news, and for how long.
#include "switchd/gateway/rivals.h"

#include <catch2/catch.hpp>

namespace rivals_test {

using namespace lanyard;

namespace {

constexpr std::int64_t now = 1'700'000'000;

Ipv4Address ip(std::uint32_t last) { return Ipv4Address(0x0A00'0200U + last); }
MacAddress mac(std::uint64_t number) { return MacAddress(0x5254'0000'0000ULL + number); }

}  // namespace

TEST_CASE("a rival is news once while it is heard, and again when it was silent for long") {
  Rivals rivals;
  CHECK(rivals.hear(ip(2), mac(1), now) == 0U);
  for (std::int64_t at = now; at < now + 3 * Rivals::forgotten_s; at += Rivals::forgotten_s - 1)
    CHECK_FALSE(rivals.hear(ip(2), mac(1), at));
  CHECK(rivals.hear(ip(2), mac(1), now + 5 * Rivals::forgotten_s) == 0U);
}

TEST_CASE("one with another address or another MAC is another") {
  Rivals rivals;
  CHECK(rivals.hear(ip(2), mac(1), now));
  CHECK(rivals.hear(ip(3), mac(1), now));
  CHECK(rivals.hear(ip(2), mac(2), now));
  CHECK(rivals.known() == 3);
}

TEST_CASE("a few are told each minute, and those that had to wait are counted") {
  Rivals rivals;
  unsigned told = 0;
  for (std::uint64_t n = 0; n < 100; ++n) told += rivals.hear(ip(2), mac(n), now + 59).has_value();
  CHECK(told == Rivals::told_max);
  CHECK_FALSE(rivals.hear(ip(2), mac(99), now + 118));
  CHECK(rivals.hear(ip(2), mac(99), now + 119) == 100 - Rivals::told_max + 1);
  CHECK(rivals.hear(ip(2), mac(98), now + 119) == 0U);
  CHECK(rivals.hear(ip(2), mac(97), now - 10'000));  // the calendar went back
}

TEST_CASE(
    "however many are forged, few are remembered, and one that is heard all the time is not told again") {
  Rivals rivals;
  REQUIRE(rivals.hear(ip(2), mac(1), now));
  std::int64_t at = now;
  for (std::uint64_t n = 100; n < 10'100; ++n) {
    if (n % 8 == 0) at += Rivals::told_interval_s;
    (void)rivals.hear(ip(2), mac(n), at);
    REQUIRE_FALSE(rivals.hear(ip(2), mac(1), at));
  }
  CHECK(rivals.known() == Rivals::known_max);
}

}  // namespace rivals_test
