// What rewinds hold of the past, of several networks in order of time: what a capture wants of it. Control thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "switchd/rewind.h"
#include "switchd/tap.h"

namespace lanyard::control {

class Past {
 public:
  // From `from_unix_ns` to `to_unix_ns`, both included. Holds on to the rewinds as long as it is there.
  Past(const CaptureSpec& spec, std::uint64_t from_unix_ns, std::uint64_t to_unix_ns)
      : spec_(spec), from_unix_ns_(from_unix_ns), to_unix_ns_(to_unix_ns) {}
  // Of one network, in order of time.
  void add(const std::vector<std::shared_ptr<Rewind>>& rewinds);

  // The oldest that is wanted, cut as wanted; stays until pop(). Nothing: that was all, or, so that one look at much
  // that is not wanted does not take long, it was not found yet.
  [[nodiscard]] std::optional<RecordView> next();
  void pop();
  [[nodiscard]] bool is_over() const;

 private:
  // One network's.
  struct Line {
    std::vector<Rewind::Reader> readers;  // the first is read
    std::optional<RecordView> front;
  };
  [[nodiscard]] bool wants(const RecordView& view) const;
  void advance(Line& line) const;

  CaptureSpec spec_;
  std::uint64_t from_unix_ns_;
  std::uint64_t to_unix_ns_;
  std::vector<Line> lines_;
};

}  // namespace lanyard::control
