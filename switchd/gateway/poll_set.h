// The descriptors that one turn of the gateway's loop waits for. Filled anew each turn, as libslirp wants it.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lanyard {

class PollSet {
 public:
  void clear() {
    polled_.clear();
    timeout_ms_ = longest_ms;
  }
  // Returns what revents() wants.
  std::size_t add(int fd, short events) {
    polled_.push_back({fd, events, 0});
    return polled_.size() - 1;
  }
  // Wait no longer than that.
  void wake_within(std::int64_t ms) { timeout_ms_ = std::clamp<std::int64_t>(ms, 0, timeout_ms_); }
  [[nodiscard]] std::int64_t timeout_ms() const { return timeout_ms_; }
  // Negative: failed; errno is set.
  int wait() { return ::poll(polled_.data(), polled_.size(), static_cast<int>(timeout_ms_)); }
  [[nodiscard]] std::size_t size() const { return polled_.size(); }
  [[nodiscard]] short revents(std::size_t index) const { return polled_.at(index).revents; }

 private:
  static constexpr std::int64_t longest_ms = 60'000;
  std::vector<pollfd> polled_;
  std::int64_t timeout_ms_ = longest_ms;
};

}  // namespace lanyard
