// Waiting with a deadline instead of sleeping. What does not come about in time is an exception that says what was
// waited for: the test fails with it.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string>

namespace lanyard::test {

// Far above what anything here takes, for machines that are busy with something else.
inline constexpr std::chrono::seconds patience{30};

class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds from_now = patience)
      : end_(std::chrono::steady_clock::now() + from_now) {}
  [[nodiscard]] bool passed() const { return std::chrono::steady_clock::now() >= end_; }
  [[nodiscard]] int left_ms() const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end_ - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count() + 1, 0));
  }

 private:
  std::chrono::steady_clock::time_point end_;
};

// Waits until `fd` is ready for `events`, or has failed, which the next call on it will tell.
inline void await_fd(int fd, short events, const Deadline& deadline, const std::string& what) {
  pollfd poll_for{fd, events, 0};
  for (;;) {
    const int ready = ::poll(&poll_for, 1, deadline.passed() ? 0 : deadline.left_ms());
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) throw std::runtime_error("poll failed while waiting for " + what);
    if (deadline.passed()) throw std::runtime_error("in time there was no " + what);
  }
}

}  // namespace lanyard::test
