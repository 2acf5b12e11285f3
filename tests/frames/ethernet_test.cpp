// Ethernet headers and VLAN tags as they are met on the wire, whole and cut short.
#include "frames/ethernet.h"

#include <catch2/catch.hpp>
#include <initializer_list>
#include <vector>

namespace ethernet_test {

using namespace lanyard;

namespace {

std::vector<std::byte> bytes(std::initializer_list<int> values) {
  std::vector<std::byte> result;
  for (const int value : values) result.push_back(static_cast<std::byte>(value));
  return result;
}

// 52:54:00:00:00:02 to 52:54:00:00:00:01, then `rest`.
std::vector<std::byte> frame(std::initializer_list<int> rest) {
  std::vector<std::byte> result = bytes({0x52, 0x54, 0, 0, 0, 1, 0x52, 0x54, 0, 0, 0, 2});
  for (const int value : rest) result.push_back(static_cast<std::byte>(value));
  return result;
}

}  // namespace

TEST_CASE("an untagged frame has its EtherType after the addresses") {
  const auto data = frame({0x08, 0x00, 0x45, 0x00});
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  CHECK(view->destination() == MacAddress(0x5254'0000'0001ULL));
  CHECK(view->source() == MacAddress(0x5254'0000'0002ULL));
  CHECK(view->tags().empty());
  CHECK(view->ether_type() == ether_types::ipv4);
  CHECK(view->header_bytes() == 14);
  CHECK(view->payload().size() == 2);
  CHECK(view->payload().data() == data.data() + 14);
}

TEST_CASE("a frame of only a header is a frame") {
  const auto data = frame({0x86, 0xDD});
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  CHECK(view->ether_type() == ether_types::ipv6);
  CHECK(view->payload().empty());
}

TEST_CASE("a tag tells its VLAN, priority and drop eligibility") {
  const auto data = frame({0x81, 0x00, 0xB0, 0x64, 0x08, 0x06, 0x01});
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  REQUIRE(view->tags().size() == 1);
  CHECK(view->tags()[0].tpid == ether_types::c_tag);
  CHECK(view->tags()[0].id() == 100);
  CHECK(view->tags()[0].pcp() == 5);
  CHECK(view->tags()[0].dei());
  CHECK(view->ether_type() == ether_types::arp);
  CHECK(view->header_bytes() == 18);
  CHECK(view->payload().size() == 1);
}

TEST_CASE("the fields of a tag reach to their limits without touching each other") {
  CHECK(VlanTag{ether_types::c_tag, 0x0FFF}.id() == 4095);
  CHECK(VlanTag{ether_types::c_tag, 0x0FFF}.pcp() == 0);
  CHECK_FALSE(VlanTag{ether_types::c_tag, 0x0FFF}.dei());
  CHECK(VlanTag{ether_types::c_tag, 0xE000}.pcp() == 7);
  CHECK(VlanTag{ether_types::c_tag, 0xE000}.id() == 0);
  CHECK_FALSE(VlanTag{ether_types::c_tag, 0xE000}.dei());
  CHECK(VlanTag{ether_types::c_tag, 0x1000}.dei());
}

TEST_CASE("two tags are listed outermost first, be they service and customer or two customer tags") {
  const auto data = GENERATE(frame({0x88, 0xA8, 0x00, 0x0A, 0x81, 0x00, 0x20, 0x14, 0x08, 0x00, 0x45}),
                             frame({0x81, 0x00, 0x00, 0x0A, 0x81, 0x00, 0x20, 0x14, 0x08, 0x00, 0x45}));
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  REQUIRE(view->tags().size() == 2);
  CHECK(view->tags()[0].id() == 10);
  CHECK(view->tags()[1].id() == 20);
  CHECK(view->tags()[1].pcp() == 1);
  CHECK(view->ether_type() == ether_types::ipv4);
  CHECK(view->header_bytes() == 22);
  CHECK(view->payload().size() == 1);
}

TEST_CASE("a third tag is left to the payload") {
  const auto data = frame({0x88, 0xA8, 0, 1, 0x81, 0, 0, 2, 0x81, 0, 0, 3, 0x08, 0});
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  CHECK(view->tags().size() == 2);
  CHECK(view->ether_type() == ether_types::c_tag);
  CHECK(view->payload().size() == 4);
}

TEST_CASE("a frame cut anywhere in its header is refused, anywhere after it is not") {
  const auto whole = frame({0x88, 0xA8, 0x00, 0x0A, 0x81, 0x00, 0x00, 0x14, 0x08, 0x00, 0x45, 0x00});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    CAPTURE(size);
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK(EthernetView::parse(cut).has_value() == (size >= 22));
  }
}

TEST_CASE("a length instead of an EtherType is told as it is") {
  const auto data = frame({0x00, 0x26, 0x42, 0x42, 0x03});
  const auto view = EthernetView::parse(data);
  REQUIRE(view);
  CHECK(view->ether_type() == 0x26);
  CHECK(view->ether_type() < ether_types::minimum);
}

}  // namespace ethernet_test
