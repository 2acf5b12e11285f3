// The past of a capture; see the header.
#include "switchd/control/past.h"

#include <algorithm>

namespace lanyard::control {

namespace {

constexpr std::size_t looks_max = 65536;  // at once, of each network

}  // namespace

void Past::add(const std::vector<std::shared_ptr<Rewind>>& rewinds) {
  Line& line = lines_.emplace_back();
  for (const auto& rewind : rewinds) line.readers.emplace_back(rewind);
}

std::optional<RecordView> Past::next() {
  for (Line& line : lines_) {
    if (!line.front) advance(line);
    if (!line.front && !line.readers.empty()) return std::nullopt;
  }
  std::erase_if(lines_, [](const Line& line) { return line.readers.empty(); });
  if (lines_.empty()) return std::nullopt;
  const auto oldest = std::min_element(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) {
    return a.front->record.unix_ns < b.front->record.unix_ns;
  });
  std::iter_swap(lines_.begin(), oldest);  // where pop() finds it
  return lines_.front().front;
}

void Past::pop() {
  Line& line = lines_.front();
  line.readers.front().pop();
  line.front.reset();
}

bool Past::is_over() const { return lines_.empty(); }

// To the next one that is wanted.
void Past::advance(Line& line) const {
  for (std::size_t looks = 0; looks < looks_max && !line.readers.empty(); ++looks) {
    Rewind::Reader& reader = line.readers.front();
    const auto view = reader.next();
    if (!view) {
      line.readers.erase(line.readers.begin());
    } else if (wants(*view)) {
      line.front = RecordView{view->record, view->bytes.first(spec_.cut(view->bytes.size()))};
      return;
    } else {
      reader.pop();
    }
  }
}

bool Past::wants(const RecordView& view) const {
  const FrameRecord& record = view.record;
  return record.unix_ns >= from_unix_ns_ && record.unix_ns <= to_unix_ns_ &&
         spec_.ports.includes(record.network, record.owner, record.port) && spec_.wants(record, view.bytes);
}

}  // namespace lanyard::control
