// Starting, watching and reaping a child; see the header.
#include "switchd/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <memory>

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
    sigset_t ignored;  // by us, which would be handed on
    ::sigemptyset(&none);
    ::sigemptyset(&ignored);
    ::sigaddset(&ignored, SIGPIPE);
    ::sigaddset(&ignored, SIGXFSZ);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &ignored);
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

// Waits, for what has been killed.
ChildProcess::~ChildProcess() {
  kill();
  while (pid_ > 0 && ::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
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

std::optional<int> ChildProcess::reap() {
  LANYARD_CHECK(pid_ > 0);
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return std::nullopt;
  pid_ = -1;
  pidfd_.reset();
  return status;
}

namespace {

// A child whose end is awaited. Its handlers own it.
class Ending : public std::enable_shared_from_this<Ending> {
 public:
  Ending(asio::io_context& io, ChildProcess child, ChildEnded ended)
      : child_(std::move(child)), ended_(std::move(ended)), watched_(io), again_(io), limit_(io) {}

  void begin(std::chrono::milliseconds time_max) {
    if (child_.pidfd()) watched_.assign(::fcntl(child_.pidfd().get(), F_DUPFD_CLOEXEC, 0), no_descriptor_);
    limit_.expires_after(time_max);
    limit_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
      if (cancelled || !self->child_) return;
      self->in_time_ = false;
      self->child_.kill();
    });
    watch();
  }

 private:
  void watch() {
    const auto look = [self = shared_from_this()](const asio::error_code&) { self->look(); };
    if (watched_.is_open()) return watched_.async_wait(asio::posix::stream_descriptor::wait_read, look);
    again_.expires_after(look_interval);
    again_.async_wait(look);
  }
  // Asio may wake for nothing.
  void look() {
    const std::optional<int> status = child_.reap();
    if (!status) return watch();
    watched_.close(no_descriptor_);
    limit_.cancel();
    std::exchange(ended_, nullptr)(*status, in_time_);
  }

  static constexpr std::chrono::milliseconds look_interval{20};

  ChildProcess child_;
  ChildEnded ended_;
  asio::error_code no_descriptor_;
  asio::posix::stream_descriptor watched_;
  asio::steady_timer again_;  // without a descriptor to watch
  asio::steady_timer limit_;
  bool in_time_ = true;
};

}  // namespace

void await_end(asio::io_context& io, ChildProcess child, std::chrono::milliseconds time_max, ChildEnded ended) {
  std::make_shared<Ending>(io, std::move(child), std::move(ended))->begin(time_max);
}

}  // namespace lanyard
