// How long to wait before something is tried again that did not work: from a fifth of a second to five, twice as long
// each time. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace lanyard {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds min{200};
  static constexpr std::chrono::milliseconds max{5000};

  [[nodiscard]] std::chrono::milliseconds next() { return std::exchange(pause_, std::min(pause_ * 2, max)); }
  void reset() { pause_ = min; }

 private:
  std::chrono::milliseconds pause_ = min;
};

}  // namespace lanyard
