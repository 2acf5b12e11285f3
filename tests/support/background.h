// Something that goes on while the test does something else: a step that is done again and again by a thread of its
// own, until the test has seen enough, or a step fails by an exception. A step must not use Catch, and must not wait
// for ever.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/deadline.h"

namespace lanyard::test {

class Background {
 public:
  explicit Background(std::function<void()> step) : step_(std::move(step)), thread_([this] { run(); }) {}
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background() { (void)finish(); }

  // Until so many further steps have begun and were done.
  void await(std::uint64_t steps) {
    std::unique_lock lock(mutex_);
    const std::uint64_t enough = done_ + steps + 1;  // one may have begun before
    const bool in_time = changed_.wait_for(lock, patience, [&] { return done_ >= enough || !failure_.empty(); });
    if (!failure_.empty()) throw std::runtime_error("in the background: " + failure_);
    if (!in_time) throw std::runtime_error("in the background nothing goes on");
  }
  // Ends it after the step that it is in. Empty, or how it failed.
  [[nodiscard]] std::string finish() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    if (thread_.joinable()) thread_.join();
    return failure_;
  }

 private:
  void run() {
    while (true) {
      std::string failure;
      try {
        step_();
      } catch (const std::exception& failed) {
        failure = failed.what();
      }
      const std::lock_guard lock(mutex_);
      ++done_;
      failure_ = failure;
      changed_.notify_all();
      if (stopping_ || !failure_.empty()) return;
    }
  }

  const std::function<void()> step_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t done_ = 0;
  std::string failure_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace lanyard::test
