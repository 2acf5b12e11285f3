// Running a script; see the header.
#include "switchd/interface_script.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "frames/check.h"
#include "transports/fd.h"

namespace lanyard {

namespace {

// What a child is given: no input, the log for its output, and signals as if nobody had touched them.
class ChildSetup {
 public:
  ChildSetup() {
    LANYARD_CHECK(::posix_spawn_file_actions_init(&actions_) == 0 && ::posix_spawnattr_init(&attributes_) == 0);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    sigset_t none;
    sigset_t pipe;
    ::sigemptyset(&none);
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);  // ignored by us, which would be handed on
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &pipe);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ChildSetup(const ChildSetup&) = delete;
  ChildSetup& operator=(const ChildSetup&) = delete;
  ~ChildSetup() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&actions_);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

// Did it end in time? Where the kernel has no descriptor for a process (before 5.3) it is waited for, however long.
[[nodiscard]] bool ends_within(pid_t pid, std::chrono::milliseconds time_max) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return true;
  const auto end = std::chrono::steady_clock::now() + time_max;
  pollfd ended{process.get(), POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    if (::poll(&ended, 1, static_cast<int>(left.count())) > 0) return true;
  }
}

}  // namespace

std::string run_script(const std::string& path, const std::string& interface, std::chrono::milliseconds time_max) {
  const ChildSetup setup;
  std::string program = path;
  std::string argument = interface;
  char* const arguments[] = {program.data(), argument.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), setup.actions(), setup.attributes(), arguments, environ);
  if (error != 0) return std::string("cannot be run: ") + std::strerror(error);
  const bool in_time = ends_within(pid, time_max);
  if (!in_time) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return "killed: it did not end within " + std::to_string(time_max.count()) + " ms";
  if (WIFSIGNALED(status)) return "ended by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return "exit status " + std::to_string(WEXITSTATUS(status));
  return {};
}

}  // namespace lanyard
