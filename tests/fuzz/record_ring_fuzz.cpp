// The rings of a tap and of a rewind beside plain queues, with frames of any lengths, read at any time: every record
// comes back whole and in order, or is counted as lost (tap), or was the oldest (rewind).
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "switchd/rewind.h"
#include "switchd/tap.h"

using namespace lanyard;

namespace {

constexpr std::size_t ring_bytes = 137 * 1024;  // hardly more than twice what the longest frame takes

std::vector<std::byte> frame_of(std::uint32_t bytes, std::uint32_t number) {
  return std::vector<std::byte>(bytes, static_cast<std::byte>(number));
}

void check_is(const RecordView& view, std::uint64_t number, std::size_t bytes_max) {
  LANYARD_CHECK(view.record.unix_ns == number);
  LANYARD_CHECK(view.bytes.size() == std::min<std::size_t>(view.record.original_bytes, bytes_max));
  // Each byte is as the one before it, and the first as it should be.
  LANYARD_CHECK(view.bytes[0] == static_cast<std::byte>(number));
  LANYARD_CHECK(std::memcmp(view.bytes.data(), &view.bytes[1], view.bytes.size() - 1) == 0);
}

struct Rings {
  explicit Rings(std::uint32_t snap) : snap_bytes(snap), tap(spec(snap), ring_bytes) {}
  static CaptureSpec spec(std::uint32_t snap) {
    CaptureSpec made;
    made.snap_bytes = snap;
    return made;
  }

  void write(std::uint32_t bytes) {
    FrameRecord record;
    record.unix_ns = ++number;
    record.original_bytes = bytes;
    const auto frame = frame_of(bytes, static_cast<std::uint32_t>(number));
    const std::uint64_t lost = tap.lost();
    tap.offer(record, frame);
    if (tap.lost() == lost) unread.push_back(number);
    rewind->append(record, frame);
  }
  void read(std::size_t count) {
    for (; count > 0; --count) {
      const auto view = tap.next();
      LANYARD_CHECK(view.has_value() != unread.empty());
      if (!view) return;
      check_is(*view, unread.front(), snap_bytes > 0 ? snap_bytes : limits::frame_bytes_max);
      tap.pop();
      unread.pop_front();
    }
  }
  void rewind_has_the_last() const {
    LANYARD_CHECK(rewind->used_bytes() <= rewind->capacity_bytes());
    Rewind::Reader reader(rewind);
    std::uint64_t last = 0;
    for (auto view = reader.next(); view; view = reader.next()) {
      LANYARD_CHECK(last == 0 || view->record.unix_ns == last + 1);
      last = view->record.unix_ns;
      check_is(*view, last, limits::frame_bytes_max);
      reader.pop();
    }
    LANYARD_CHECK(last == number);
  }

  std::uint32_t snap_bytes;
  Tap tap;
  std::shared_ptr<Rewind> rewind = std::make_shared<Rewind>(ring_bytes);
  std::deque<std::uint64_t> unread;
  std::uint64_t number = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  Rings rings(data[0] % 2 == 0 ? 0 : data[0]);
  for (std::size_t at = 1; at + 2 <= size; at += 2) {
    if (data[at] % 4 == 0) rings.read(data[at + 1]);
    else rings.write(std::min<std::uint32_t>(std::uint32_t{data[at + 1]} << (data[at] % 10) | 14U, limits::frame_bytes_max));
    if (at % 64 == 1) rings.rewind_has_the_last();
  }
  rings.read(SIZE_MAX);
  LANYARD_CHECK(rings.unread.empty());
  rings.rewind_has_the_last();
  return 0;
}
