// Starting, watching and reaping a child; see the header.
#include "switchd/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "frames/check.h"

namespace lanyard {

namespace {

// What posix_spawn(3) is told.
class ChildSetup {
 public:
  explicit ChildSetup(const ChildOptions& options) {
    LANYARD_CHECK(::posix_spawn_file_actions_init(&actions_) == 0 && ::posix_spawnattr_init(&attributes_) == 0);
    give_descriptors(options);
    sigset_t none;
    sigset_t pipe;
    ::sigemptyset(&none);
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);  // ignored by us, which would be handed on
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &pipe);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    const int group = options.in_group_of_own ? POSIX_SPAWN_SETPGROUP : 0;
    ::posix_spawnattr_setflags(&attributes_,
                               static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
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
  void give_descriptors(const ChildOptions& options) {
    if (options.reads_nothing) ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (options.prints_to_log) ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    int above = STDERR_FILENO;
    for (const auto& [theirs, ours] : options.descriptors) above = std::max(above, theirs);
    for (const auto& [theirs, ours] : options.descriptors) {
      // Moved out of the way first: one may have the number that another is to get.
      moved_.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, above + 1));
      ::posix_spawn_file_actions_adddup2(&actions_, moved_.back().get(), theirs);
    }
  }

  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
  std::vector<Fd> moved_;
};

}  // namespace

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  return *this;
}

ChildProcess::~ChildProcess() {
  kill();
  (void)reap();
}

int ChildProcess::start(std::vector<std::string> arguments, const ChildOptions& options) {
  LANYARD_CHECK(pid_ <= 0 && !arguments.empty());
  const ChildSetup setup(options);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, pointers[0], setup.actions(), setup.attributes(), pointers.data(), environ);
  if (error != 0) return error;
  pid_ = pid;
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return 0;
}

void ChildProcess::kill() const {
  if (pid_ > 0) ::kill(pid_, SIGKILL);
}

bool ChildProcess::end_within(std::chrono::milliseconds time_max) {
  const bool in_time = !pidfd_ || readable_within(pidfd_, time_max);
  if (!in_time) kill();
  return in_time;
}

int ChildProcess::reap() {
  int status = 0;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  pidfd_.reset();
  return status;
}

bool readable_within(const Fd& fd, std::chrono::milliseconds time_max) {
  const auto end = std::chrono::steady_clock::now() + time_max;
  pollfd polled{fd.get(), POLLIN, 0};
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int ready = ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

}  // namespace lanyard
