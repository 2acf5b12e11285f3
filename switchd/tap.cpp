// Taps; see the header.
#include "switchd/tap.h"

#include <algorithm>
#include <utility>

namespace lanyard {

namespace {

template <class T, class U>
bool contains(const std::vector<T>& values, const U& value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

bool PortSelection::includes(NetworkIndex network, std::uint32_t owner, std::uint64_t port) const {
  return all || contains(networks, network) || contains(owners, owner) || contains(ports, port);
}

bool CaptureSpec::wants(const FrameRecord& record, std::span<const std::byte> bytes) const {
  const bool out = record.direction == FrameRecord::Direction::outbound;
  if (out ? !outbound : !inbound) return false;
  if (out && record.drop != FrameRecord::no_drop && !drops) return false;
  return !filter || filter->matches(bytes);
}

std::uint32_t CaptureSpec::cut(std::size_t bytes) const {
  const auto all = static_cast<std::uint32_t>(bytes);
  return snap_bytes == 0 ? all : std::min(snap_bytes, all);
}

Tap::Tap(CaptureSpec spec, std::size_t ring_bytes)
    : spec_(std::move(spec)), region_(ring_bytes), memory_(region_.span()) {}

void Tap::offer(FrameRecord record, std::span<const std::byte> bytes) {
  if (!spec_.wants(record, bytes)) return;
  record.captured_bytes = spec_.cut(bytes.size());
  const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
  const std::uint64_t end = tail + memory_.bytes_to_write(tail, record.captured_bytes);
  if (end - head_seen_ > memory_.size()) {
    head_seen_ = head_.load(std::memory_order_acquire);
    if (end - head_seen_ > memory_.size()) return lost_.add(1);
  }
  memory_.write(tail, record, bytes.data());
  tail_.store(end, std::memory_order_release);
}

std::optional<RecordView> Tap::next() {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::uint64_t tail = tail_.load(std::memory_order_acquire);
  if (head == tail) return std::nullopt;
  if (!memory_.is_end(head)) return memory_.view(head);
  pop();
  return memory_.view(head_.load(std::memory_order_relaxed));  // it was written before the tail moved
}

void Tap::pop() {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  head_.store(head + memory_.bytes_at(head), std::memory_order_release);
}

}  // namespace lanyard
