// A program that switchd starts, and whose end it awaits: a script, a gateway. It meets signals as if nobody had touched
// them, and has the descriptors it is given and the standard ones, no others. Nobody waits for its end: the loop watches
// a descriptor of the process (pidfd_open(2), Linux 5.3); where the kernel gives none, it looks now and then. Control
// thread only.
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transports/fd.h"

namespace lanyard {

struct ChildOptions {
  // The child's, and what becomes it: a descriptor of ours. The others of a child are ours that are not close-on-exec.
  std::vector<std::pair<int, int>> descriptors;
  bool reads_nothing = false;    // its standard input is /dev/null
  bool prints_to_log = false;    // its standard output is our standard error
  bool in_group_of_own = false;  // a terminal's Ctrl-C is not for it
};

// Move-only. One that goes while its program runs kills that.
class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  // Starts the program at `arguments[0]`. Returns 0, or an errno.
  [[nodiscard]] int start(std::vector<std::string> arguments, const ChildOptions& options);

  // Is there one that nobody has reaped?
  explicit operator bool() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Fd& pidfd() const { return pidfd_; }  // readable when it has ended; none before Linux 5.3

  void kill() const;
  // The status, as waitpid(2) has it, where it has ended. REQUIRES: nobody has reaped it.
  [[nodiscard]] std::optional<int> reap();

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

// How a child has ended: the status, as waitpid(2) has it, and whether that was in time; else it was killed.
using ChildEnded = std::function<void(int status, bool in_time)>;

// Awaits the end of a child, which is killed when `time_max` is over, and calls `ended` once, from `io`, when it has
// ended. Where `io` goes before, so does the child.
void await_end(asio::io_context& io, ChildProcess child, std::chrono::milliseconds time_max, ChildEnded ended);

}  // namespace lanyard
