// Calls something once a second, from begin() to stop(). Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <utility>

namespace lanyard {

class EverySecond {
 public:
  EverySecond(asio::io_context& io, std::function<void()> look) : timer_(io), look_(std::move(look)) {}

  void begin() { wait(); }
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  void wait() {
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](const asio::error_code& cancelled) {
      if (cancelled || stopped_) return;  // a timer that has expired cannot be cancelled
      look_();
      wait();
    });
  }

  asio::steady_timer timer_;
  std::function<void()> look_;
  bool stopped_ = false;
};

}  // namespace lanyard
