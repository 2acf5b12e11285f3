// What a listener logs of connections that it refuses. Who may connect may do so thousands of times a second, and the
// log must not grow at that rate: the first refusal is told at once, then one line a second tells the last of those
// that came meanwhile and how many others there were, until a second passes without any. None is left out of the
// counts. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <string>

namespace lanyard {

class RefusalLog {
 public:
  RefusalLog(asio::io_context& io, std::string port) : port_(std::move(port)), timer_(io) {}

  // `what` is the line without the port: "refused 10.0.0.1:4711: not in allow=".
  void warn(std::string what);
  // Tells what has not been told yet, and ends the timer.
  void finish();

 private:
  void rest();
  void tell();

  static constexpr std::chrono::seconds interval{1};

  const std::string port_;
  asio::steady_timer timer_;
  bool resting_ = false;  // a line was written less than an interval ago
  std::string last_;
  std::uint64_t untold_ = 0;
};

}  // namespace lanyard
