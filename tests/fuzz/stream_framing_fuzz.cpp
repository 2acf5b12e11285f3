// Feeds a stream reader arbitrary bytes in arbitrary pieces, beside a plain reference that sees them whole: both must
// find the same frames. The first bytes choose the pieces, and whether frames stay pinned.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/stream_reader.h"

using namespace lanyard;

namespace {

struct Found {
  std::vector<std::string> frames;
  std::uint64_t runts = 0;
  bool bad_length = false;
};

Found reference(const std::string& bytes) {
  Found found;
  std::size_t at = 0;
  while (at + 4 <= bytes.size()) {
    const std::uint32_t length = load_be32(reinterpret_cast<const std::byte*>(bytes.data()) + at);
    if (length == 0 || length > limits::frame_bytes_max) {
      found.bad_length = true;
      break;
    }
    if (at + 4 + length > bytes.size()) break;
    if (length < limits::frame_bytes_min) ++found.runts;
    else found.frames.push_back(bytes.substr(at + 4, length));
    at += 4 + length;
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  static std::vector<std::byte> memory(16 * limits::chunk_bytes);
  FramePool pool(memory, limits::chunk_bytes);
  std::vector<std::byte> scratch(1024);
  const std::size_t step = 1 + data[0] + 256U * (data[1] & 15U);
  const bool pin = (data[2] & 1) != 0;
  const std::string bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  Found got;
  std::vector<BufferRef> pins;
  StreamReader reader;
  FrameBatch batch;
  for (std::size_t at = 0; at < bytes.size() && !got.bad_length;) {
    const StreamReader::Window window = reader.window(pool, scratch);
    const std::size_t part = std::min({step, window.bytes, bytes.size() - at});
    std::memcpy(window.data, bytes.data() + at, part);
    batch.clear();
    const StreamReader::Result result = reader.received(part, 0, batch);
    LANYARD_CHECK(result.discarded == 0);
    got.runts += result.runts;
    got.bad_length = result.bad_length;
    for (const Frame& frame : batch.frames()) {
      got.frames.emplace_back(reinterpret_cast<const char*>(frame.data), frame.bytes);
      if (pin && pins.size() < 8) {
        frame.owner->add_reference();
        pins.emplace_back(frame.owner);
      }
    }
    at += part;
  }
  const Found expected = reference(bytes);
  LANYARD_CHECK(got.frames == expected.frames);
  LANYARD_CHECK(got.runts == expected.runts && got.bad_length == expected.bad_length);
  pins.clear();
  reader.reset();
  LANYARD_CHECK(pool.free_count() == pool.capacity());
  return 0;
}
