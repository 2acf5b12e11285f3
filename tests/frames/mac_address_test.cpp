// MAC addresses: on the wire, as numbers and as text.
#include "frames/mac_address.h"

#include <array>
#include <catch2/catch.hpp>

namespace mac_address_test {

using namespace lanyard;

TEST_CASE("a MAC address is read from the wire first byte first") {
  const std::array<std::byte, 6> wire = {std::byte{0x52}, std::byte{0x54}, std::byte{0x00},
                                         std::byte{0xAB}, std::byte{0xCD}, std::byte{0xEF}};
  CHECK(MacAddress::read(wire.data()) == MacAddress(0x5254'00AB'CDEFULL));
}

TEST_CASE("a MAC address is written with colons in lower case") {
  CHECK(to_string(MacAddress(0x5254'00AB'CDEFULL)) == "52:54:00:ab:cd:ef");
  CHECK(to_string(MacAddress()) == "00:00:00:00:00:00");
  CHECK(to_string(MacAddress(0xFFFF'FFFF'FFFFULL)) == "ff:ff:ff:ff:ff:ff");
}

TEST_CASE("a MAC address is read from text in either case, with colons or hyphens") {
  for (const char* text : {"52:54:00:ab:cd:ef", "52:54:00:AB:CD:EF", "52-54-00-aB-Cd-eF"}) {
    CAPTURE(text);
    CHECK(parse_mac(text) == MacAddress(0x5254'00AB'CDEFULL));
  }
}

TEST_CASE("what is written is read back") {
  for (std::uint64_t value = 1; value < (1ULL << 48); value = value * 3 + 1) {
    const MacAddress address(value);
    CHECK(parse_mac(to_string(address)) == address);
  }
}

TEST_CASE("text that is not a MAC address is refused") {
  const char* text =
      GENERATE("", "52", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567", "52:54:00:12:34:56:78",
               "52:54:00:12:34:5g", "52:54:00:12:34-56", "52-54-00-12-34:56", "525400123456",
               "52.54.00.12.34.56", " 2:54:00:12:34:56", "+2:54:00:12:34:56", "52:54:00:12:34:56 ",
               "5:254:00:12:34:56", "0x:54:00:12:34:56");
  CAPTURE(text);
  CHECK_FALSE(parse_mac(text));
}

TEST_CASE("text with a NUL inside is refused") {
  CHECK_FALSE(parse_mac(std::string_view("52:54:00:12:34:5\0", 17)));
}

TEST_CASE("group addresses are told by the first bit sent") {
  CHECK(MacAddress(0xFFFF'FFFF'FFFFULL).is_group());
  CHECK(MacAddress(0x3333'0000'0001ULL).is_group());
  CHECK(MacAddress(0x0100'5E00'0001ULL).is_group());
  CHECK_FALSE(MacAddress(0x5254'0000'0001ULL).is_group());
  CHECK_FALSE(MacAddress().is_group());
}

TEST_CASE("exactly 01:80:C2:00:00:00 to 0F are reserved for the link") {
  CHECK_FALSE(MacAddress(0x0180'C1FF'FFFFULL).is_reserved());
  for (std::uint64_t last = 0; last < 16; ++last) CHECK(MacAddress(0x0180'C200'0000ULL + last).is_reserved());
  CHECK_FALSE(MacAddress(0x0180'C200'0010ULL).is_reserved());
}

}  // namespace mac_address_test
