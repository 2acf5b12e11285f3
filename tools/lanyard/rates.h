// What went through each port between two readings of the counters. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "switchd/control.pb.h"

namespace lanyard::cli {

// The last two readings of a stream, put together from the parts they came in: those of one reading carry one time.
class Readings {
 public:
  void add(const v1::Ports& part);
  [[nodiscard]] const v1::Ports& before() const { return before_; }  // empty, at time 0, until there are two
  [[nodiscard]] const v1::Ports& last() const { return last_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }  // readings left out, ever

 private:
  v1::Ports before_;
  v1::Ports last_;
  std::uint64_t lost_ = 0;
};

// In a second.
struct Rate {
  double received_frames = 0;
  double received_bits = 0;
  double sent_frames = 0;
  double sent_bits = 0;
  double drops = 0;
};

struct PortRate {
  std::string name;
  std::string state;
  std::string network;
  Rate rate;
  std::uint64_t queued_frames = 0;
  std::uint64_t drops = 0;       // ever
  std::string reason;            // of most drops between the readings; empty: of none
  bool carries_frames = true;    // not a listener
};

// One for each port of `last`; nothing where there is no reading before.
[[nodiscard]] std::optional<std::vector<PortRate>> rates_of(const Readings& readings);

enum class SortBy { name, received, sent, drops };
// The largest first; names in order.
void sort(std::vector<PortRate>& ports, SortBy by);

}  // namespace lanyard::cli
