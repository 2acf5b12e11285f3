// A program that switchd starts and waits for: a script, a gateway. It meets signals as if nobody had touched them, and
// has the descriptors it is given and the standard ones, no others. Waiting is done by a descriptor of the process
// (pidfd_open(2), Linux 5.3), which a loop can watch, too; where the kernel has none, by waitpid(2), however long that
// takes. Control thread only.
#pragma once

#include <sys/types.h>

#include <chrono>
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
  // Waits for the end; kills it where that does not come in time. False: it was killed here.
  bool end_within(std::chrono::milliseconds time_max);
  // Waits for the end. Returns the status, as waitpid(2) has it.
  int reap();

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
};

// Waits for `fd` to be readable, or at its end.
[[nodiscard]] bool readable_within(const Fd& fd, std::chrono::milliseconds time_max);

}  // namespace lanyard
