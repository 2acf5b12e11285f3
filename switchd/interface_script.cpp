// Running a script; see the header.
#include "switchd/interface_script.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <cstring>
#include <utility>

namespace lanyard {

namespace {

// Empty, or why it did not start.
[[nodiscard]] std::string start(ChildProcess& child, const std::string& path, const std::string& interface) {
  ChildOptions options;
  options.reads_nothing = true;
  options.prints_to_log = true;
  const int error = child.start({path, interface}, options);
  return error == 0 ? std::string() : std::string("cannot be run: ") + std::strerror(error);
}

// Waits for it until `time_left` is over, of the `time_max` that it had.
[[nodiscard]] std::string end(ChildProcess& child, std::chrono::milliseconds time_left,
                              std::chrono::milliseconds time_max) {
  const bool in_time = child.end_within(time_left);
  const int status = child.reap();
  if (!in_time) return "killed: it did not end within " + std::to_string(time_max.count()) + " ms";
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exit status " + std::to_string(WEXITSTATUS(status));
  return {};
}

}  // namespace

std::string run_script(const std::string& path, const std::string& interface, std::chrono::milliseconds time_max) {
  ChildProcess child;
  const std::string wrong = start(child, path, interface);
  return child ? end(child, time_max, time_max) : wrong;
}

RunningScript::RunningScript(asio::io_context& io, const std::string& path, const std::string& interface, Ended ended,
                             std::chrono::milliseconds time_max)
    : time_max_(time_max), watched_(io), limit_(io, time_max), ended_(std::move(ended)) {
  const std::string wrong = start(child_, path, interface);
  if (!child_) ended_(wrong);
  else if (!watch()) finish();
}

// False on an old kernel, or where no descriptor is left.
bool RunningScript::watch() {
  Fd process(::fcntl(child_.pidfd().get(), F_DUPFD_CLOEXEC, 0));
  asio::error_code error;
  if (process) watched_.assign(process.get(), error);
  if (!process || error) return false;
  (void)process.release();
  await_end();
  limit_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) finish();
  });
  return true;
}

// Asio may wake for nothing, and finish() would wait then.
void RunningScript::await_end() {
  watched_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& cancelled) {
    if (cancelled) return;
    if (readable_within(child_.pidfd(), std::chrono::milliseconds(0))) finish();
    else await_end();
  });
}

void RunningScript::finish() {
  if (!child_) return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit_.expiry() - std::chrono::steady_clock::now());
  asio::error_code ignored;
  watched_.close(ignored);
  limit_.cancel();
  ended_(end(child_, left, time_max_));
}

}  // namespace lanyard
