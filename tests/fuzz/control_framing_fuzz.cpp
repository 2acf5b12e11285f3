// Feeds the reader of the control protocol's framing arbitrary bytes in arbitrary pieces, beside a plain reference that
// sees them whole: both must find the same messages, and break at the same place for good. The first bytes choose the
// limit and the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "frames/bytes.h"
#include "frames/check.h"
#include "switchd/control/framing.h"

using namespace lanyard;
using control::length_bytes;

namespace {

struct Found {
  std::vector<std::string> messages;
  bool broken = false;
};

Found reference(std::string_view bytes, std::size_t most) {
  Found found;
  while (bytes.size() >= length_bytes) {
    const std::uint32_t length = load_be32(reinterpret_cast<const std::byte*>(bytes.data()));
    if (length > most) {
      found.broken = true;
      break;
    }
    if (bytes.size() < length_bytes + length) break;
    found.messages.emplace_back(bytes.substr(length_bytes, length));
    bytes.remove_prefix(length_bytes + length);
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 6) return 0;
  const std::size_t most = data[0] + 256U * data[1];
  const std::uint8_t* const pieces = data + 2;  // so many bytes, and one, at a time, again and again
  const std::string bytes(reinterpret_cast<const char*>(data) + 6, size - 6);
  control::MessageReader reader(most);
  Found got;
  std::string framed;
  std::size_t turn = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t piece = std::min<std::size_t>(1U + pieces[turn++ % 4], bytes.size() - at);
    const std::size_t before = reader.buffered_bytes();
    reader.add(std::string_view(bytes).substr(at, piece));
    LANYARD_CHECK(reader.buffered_bytes() == (got.broken ? 0 : before + piece));
    at += piece;
    while (const auto message = reader.next()) {
      LANYARD_CHECK(!got.broken && message->size() <= most);
      got.messages.emplace_back(*message);
      framed += control::framed(*message);
    }
    LANYARD_CHECK(!got.broken || reader.is_broken());
    got.broken = reader.is_broken();
    LANYARD_CHECK(reader.buffered_bytes() < length_bytes + most);
  }
  const Found expected = reference(bytes, most);
  LANYARD_CHECK(got.messages == expected.messages && got.broken == expected.broken);
  LANYARD_CHECK(bytes.starts_with(framed));
  LANYARD_CHECK(got.broken || reader.buffered_bytes() == bytes.size() - framed.size());
  return 0;
}
