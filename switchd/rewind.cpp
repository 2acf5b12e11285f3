// Rewinds; see the header.
#include "switchd/rewind.h"

#include <numeric>

namespace lanyard {

void Rewind::append(FrameRecord record, std::span<const std::byte> bytes) {
  record.captured_bytes = static_cast<std::uint32_t>(bytes.size());
  const std::uint64_t end = tail_ + memory_.bytes_to_write(tail_, bytes.size());
  while (end - head_ > memory_.size()) head_ += memory_.bytes_at(head_);
  memory_.write(tail_, record, bytes.data());
  tail_ = end;
}

std::optional<RecordView> Rewind::Reader::next() {
  if (at_ != of_->tail_ && of_->memory_.is_end(at_)) pop();
  if (at_ == of_->tail_) return std::nullopt;
  return of_->memory_.view(at_);
}

// What is older goes when the rest is as much as a rewind holds; a full one may lack the length of a record.
void RewindHistory::add(std::shared_ptr<Rewind> taken) {
  if (taken->used_bytes() == 0) return;
  if (!merge(taken)) kept_.push_back(taken);
  constexpr std::size_t record_bytes_max = limits::frame_bytes_max + 2 * sizeof(FrameRecord);
  const std::size_t enough = kept_.back()->capacity_bytes() - record_bytes_max;
  const auto used_without_first = [&] {
    return std::accumulate(kept_.begin() + 1, kept_.end(), std::size_t{0},
                           [](std::size_t sum, const auto& one) { return sum + one->used_bytes(); });
  };
  while (used_without_first() >= enough) kept_.erase(kept_.begin());
}

// Adds little to what was taken last, where that has room and nobody reads it: else each save would keep a rewind.
bool RewindHistory::merge(const std::shared_ptr<Rewind>& taken) {
  if (kept_.empty() || kept_.back().use_count() > 1) return false;
  Rewind& last = *kept_.back();
  if (last.used_bytes() + taken->used_bytes() > last.capacity_bytes()) return false;
  Rewind::Reader reader(taken);
  for (auto view = reader.next(); view; view = reader.next()) {
    last.append(view->record, view->bytes);
    reader.pop();
  }
  return true;
}

}  // namespace lanyard
