// Runs what the user has for an interface that comes up or goes down, as QEMU does (-netdev
// tap,script=,downscript=): a program with one argument, the interface's name. Its standard input is empty, and what it
// prints goes to the log, since our standard output is for lines that others read. One that takes longer than
// `time_max` is killed. Control thread only.
//
// What it says in the end: nothing when it ended with status 0, else what happened, as "exit status 3".
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

#include "switchd/child_process.h"

namespace lanyard {

inline constexpr std::chrono::seconds script_time_max{30};

// Waits for it: for the start, when nothing else is to be done yet.
[[nodiscard]] std::string run_script(const std::string& path, const std::string& interface,
                                     std::chrono::milliseconds time_max = script_time_max);

// One that runs while the daemon serves others.
class RunningScript {
 public:
  using Ended = std::function<void(const std::string& wrong)>;

  // Starts it. `ended` is called once: from here where it cannot be started or watched, by finish(), else from `io`. It
  // may not destroy this.
  RunningScript(asio::io_context& io, const std::string& path, const std::string& interface, Ended ended,
                std::chrono::milliseconds time_max = script_time_max);

  // Waits for what is left of its time; for the stop. On return it has ended.
  void finish();

 private:
  [[nodiscard]] bool watch();
  void await_end();

  ChildProcess child_;
  std::chrono::milliseconds time_max_;
  asio::posix::stream_descriptor watched_;
  asio::steady_timer limit_;
  Ended ended_;
};

}  // namespace lanyard
