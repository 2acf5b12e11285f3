// What a router's advertisement tells is changed, and the rest of it stays.
#include "frames/router_advertisement.h"

#include <catch2/catch.hpp>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace router_advertisement_test {

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

const char* const headers = "333300000001 525600000002 86dd  60000000 0048 3a ff fe800000000000000000000000000002"
                            "ff020000000000000000000000000001";
// Hop limit 64, O, lifetime 1800; source link-layer address; prefix; a resolver.
const char* const body = "8600 0000 40 40 0708 00000000 00000000  0101 525600000002"
                         "0304 40 c0 00015180 00003840 00000000 fd000001000200030000000000000000";
const char* const resolver = "1903 0000 000004b0 fd000001000200030000000000000003";

unsigned sum_of(const Bytes& frame) {  // 0xFFFF where the checksum is right; not by the code under test
  const std::size_t bytes = load_be16(&frame[18]);
  std::uint32_t sum = static_cast<std::uint32_t>(58 + bytes);
  for (std::size_t at = 22; at < 54 + bytes; at += 2) {
    sum += load_be16(&frame[at]);
    if (sum > 0xFFFF) sum -= 0xFFFF;
  }
  return sum;
}

Bytes advertisement(const std::string& text) {
  Bytes frame = from_hex(headers + text);
  store_be16(&frame[18], static_cast<std::uint16_t>(frame.size() - 54));
  store_be16(&frame[56], static_cast<std::uint16_t>(~sum_of(frame)));
  return frame;
}

Ipv6Bytes address(const char* hex) {
  Ipv6Bytes out{};
  const Bytes bytes = from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("an advertisement tells of the resolvers that it is given instead of its own") {
  for (const bool had_one : {true, false}) {
    const Bytes frame = advertisement(std::string(body) + (had_one ? resolver : ""));
    const auto told = change_router_advertisement(
        frame, {true, {address("fd000000000000000000000000000053"), address("fd000000000000000000000000000054")}});
    REQUIRE(told);
    CHECK(sum_of(*told) == 0xFFFF);
    CHECK(told->size() == 54U + load_be16(&(*told)[18]));
    CHECK(load_be16(&(*told)[60]) == 1800);
    CHECK((*told)[59] == std::byte{0});  // no DHCPv6
    const std::size_t kept = 16 + 8 + 32;
    CHECK(Bytes(told->begin() + 62, told->begin() + 54 + kept) == Bytes(frame.begin() + 62, frame.begin() + 54 + kept));
    CHECK(Bytes(told->begin() + 54 + kept, told->end()) ==
          from_hex("1905 0000 00000708 fd000000000000000000000000000053 fd000000000000000000000000000054"));
  }
}

TEST_CASE("an advertisement tells of the search domains that it is given instead of its own") {
  const char* const other = "1f02 0000 000004b0 036c616e00000000";
  for (const bool had_one : {true, false}) {
    const Bytes frame = advertisement(std::string(body) + (had_one ? other : ""));
    const auto told = change_router_advertisement(frame, {true, {}, {"lan", "lab.example"}});
    REQUIRE(told);
    CHECK(sum_of(*told) == 0xFFFF);
    CHECK(told->size() == 54U + load_be16(&(*told)[18]));
    CHECK(Bytes(told->begin() + 54 + 16 + 8 + 32, told->end()) ==
          from_hex("1f04 0000 00000708 036c616e00 036c6162076578616d706c6500 000000000000"));
    CHECK(change_router_advertisement(*told, {true, {}, {"lan", "lab.example"}}) == told);
  }
}

TEST_CASE("search domains of any length and number fit into an advertisement, the first before the others") {
  const Bytes frame = advertisement(body);
  for (std::size_t domains = 0; domains < 30; ++domains) {
    std::vector<std::string> search;
    for (std::size_t i = 0; i < domains; ++i)
      search.push_back(std::string(1 + i % 9, 'a') + "." + std::string(63, 'b'));
    const auto told = change_router_advertisement(frame, {true, {}, search});
    REQUIRE(told);
    CHECK(sum_of(*told) == 0xFFFF);
    CHECK((told->size() - 54) % 8 == 0);
    CHECK(told->size() <= 54 + 16 + 8 + 32 + 8 + 512);
    CHECK((told->size() == 54 + 16 + 8 + 32) == (domains == 0));
  }
}

TEST_CASE("an advertisement without resolvers and of no default router keeps its prefix") {
  const Bytes frame = advertisement(std::string(body) + resolver);
  const auto told = change_router_advertisement(frame, {false, {}});
  REQUIRE(told);
  CHECK(sum_of(*told) == 0xFFFF);
  CHECK(load_be16(&(*told)[60]) == 0);
  CHECK(told->size() == 54 + 16 + 8 + 32);
}

TEST_CASE("what is no advertisement, or not whole, is not changed") {
  const Bytes frame = advertisement(std::string(body) + resolver);
  REQUIRE(change_router_advertisement(frame, {}));
  for (std::size_t size = 0; size < frame.size(); ++size)
    CHECK_FALSE(change_router_advertisement(std::span(frame).first(size), {}));
  for (std::size_t bit = 54 * 8; bit < frame.size() * 8; ++bit) {
    Bytes changed = frame;
    changed[bit / 8] ^= static_cast<std::byte>(0x80 >> bit % 8);
    CHECK_FALSE(change_router_advertisement(changed, {}));
  }
  for (const char* options : {"0100525600000002", "0102525600000002", "01"}) {
    CAPTURE(options);
    CHECK_FALSE(change_router_advertisement(advertisement(std::string("8600 0000 40 40 0708 00000000 00000000") + options), {}));
  }
}

TEST_CASE("an advertisement tells of the MAC that its frame comes from") {
  Bytes frame = advertisement(body);
  const Bytes mac = from_hex("52560a000204");
  std::copy(mac.begin(), mac.end(), &frame[6]);
  const auto told = change_router_advertisement(frame, {});
  REQUIRE(told);
  CHECK(sum_of(*told) == 0xFFFF);
  CHECK(Bytes(told->begin() + 70, told->begin() + 78) == from_hex("0101 52560a000204"));
}

}  // namespace router_advertisement_test
