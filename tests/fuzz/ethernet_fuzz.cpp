// EthernetView on any bytes: it reads nothing outside of them, what it returns lies inside, and the parts
// make up the whole. The input is copied to a block of exactly its size, so that the sanitizer sees the first
// byte beyond.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "frames/check.h"
#include "frames/ethernet.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const std::vector<std::byte> frame(bytes, bytes + size);
  const auto view = EthernetView::parse(frame);
  if (!view) {
    LANYARD_CHECK(size < 22);  // the longest header fits
    return 0;
  }
  LANYARD_CHECK(view->header_bytes() == 14 + 4 * view->tags().size());
  LANYARD_CHECK(view->header_bytes() + view->payload().size() == size);
  LANYARD_CHECK(view->payload().empty() || &view->payload().back() == &frame.back());
  LANYARD_CHECK(view->destination() == MacAddress::read(frame.data()));
  LANYARD_CHECK(view->source() == MacAddress::read(frame.data() + 6));
  // The header written again from its fields is the header that was read.
  std::vector<std::byte> written(frame.begin(), frame.begin() + 12);
  const auto put_u16 = [&](unsigned value) {
    written.push_back(static_cast<std::byte>(value >> 8));
    written.push_back(static_cast<std::byte>(value & 0xFF));
  };
  for (const VlanTag& tag : view->tags()) {
    LANYARD_CHECK(tag.tpid == ether_types::c_tag || tag.tpid == ether_types::s_tag);
    put_u16(tag.tpid);
    put_u16((unsigned{tag.pcp()} << 13) | (tag.dei() ? 0x1000U : 0U) | tag.id());
  }
  put_u16(view->ether_type());
  LANYARD_CHECK(written.size() == view->header_bytes());
  for (std::size_t i = 0; i < written.size(); ++i) LANYARD_CHECK(written[i] == frame[i]);
  return 0;
}
