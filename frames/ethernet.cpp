// Reads an Ethernet header front to back. The one rule that keeps it in bounds: `rest` is what was not read
// yet, and nothing is taken from it before its size was looked at.
#include "frames/ethernet.h"

#include "frames/bytes.h"

namespace lanyard {
namespace {

constexpr std::size_t addresses_bytes = 12;
constexpr std::size_t ether_type_bytes = 2;
constexpr std::size_t tag_bytes = 4;

bool is_tag(std::uint16_t ether_type) {
  return ether_type == ether_types::c_tag || ether_type == ether_types::s_tag;
}

}  // namespace

std::optional<EthernetView> EthernetView::parse(std::span<const std::byte> frame) {
  if (frame.size() < addresses_bytes + ether_type_bytes) return std::nullopt;
  EthernetView view;
  view.destination_ = MacAddress::read(frame.data());
  view.source_ = MacAddress::read(frame.data() + 6);
  std::span<const std::byte> rest = frame.subspan(addresses_bytes);
  view.ether_type_ = load_be16(&rest[0]);
  while (is_tag(view.ether_type_) && view.tag_count_ < tags_max) {
    if (rest.size() < tag_bytes + ether_type_bytes) return std::nullopt;
    view.tags_[view.tag_count_++] = {view.ether_type_, load_be16(&rest[2])};
    rest = rest.subspan(tag_bytes);
    view.ether_type_ = load_be16(&rest[0]);
  }
  view.payload_ = rest.subspan(ether_type_bytes);
  return view;
}

}  // namespace lanyard
