// Running a script; see the header.
#include "switchd/interface_script.h"

#include <sys/wait.h>

#include <asio/post.hpp>
#include <cstring>
#include <utility>

#include "switchd/child_process.h"

namespace lanyard {

namespace {

[[nodiscard]] std::string what_went_wrong(int status, bool in_time, std::chrono::milliseconds time_max) {
  if (!in_time) return "killed: it did not end within " + std::to_string(time_max.count()) + " ms";
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exit status " + std::to_string(WEXITSTATUS(status));
  return {};
}

}  // namespace

void run_script(asio::io_context& io, const std::string& path, const std::string& interface, ScriptEnded ended,
                std::chrono::milliseconds time_max) {
  ChildOptions options;
  options.reads_nothing = true;
  options.prints_to_log = true;
  ChildProcess child;
  if (const int error = child.start({path, interface}, options); error != 0) {
    asio::post(io, [ended = std::move(ended), error] { ended(std::string("cannot be run: ") + std::strerror(error)); });
    return;
  }
  await_end(io, std::move(child), time_max, [ended = std::move(ended), time_max](int status, bool in_time) {
    ended(what_went_wrong(status, in_time, time_max));
  });
}

}  // namespace lanyard
