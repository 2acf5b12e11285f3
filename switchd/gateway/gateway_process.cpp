// Starting a gateway; see the header.
#include "switchd/gateway/gateway_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

extern char** environ;

namespace lanyard {

namespace {

OpenError failed(const std::string& what, int error) {
  return {fmt::format("{}: {}", what, std::strerror(error)), error};
}

struct SocketPair {
  Fd ours;
  Fd theirs;
  [[nodiscard]] bool open(int type) {
    int pair[2];
    if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0) return false;
    ours = Fd(pair[0]);
    theirs = Fd(pair[1]);
    const int bytes = 1024 * 1024;  // best effort
    for (const int fd : pair) (void)::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return true;
  }
};

// With a clean set of signals, in a process group of its own: a terminal's Ctrl-C is for switchd, which ends it.
int spawn(const std::string& program, const SocketPair& stream, const SocketPair& control, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  // Moved out of the way first: either may have the number that the other is to get.
  const Fd first(::fcntl(stream.theirs.get(), F_DUPFD_CLOEXEC, 16));
  const Fd second(::fcntl(control.theirs.get(), F_DUPFD_CLOEXEC, 16));
  ::posix_spawn_file_actions_adddup2(&actions, first.get(), gateway_stream_fd);
  ::posix_spawn_file_actions_adddup2(&actions, second.get(), gateway_control_fd);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::array<char*, 2> arguments = {const_cast<char*>(program.c_str()), nullptr};
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  return error;
}

}  // namespace

Opened<GatewayProcess> start_gateway(const GatewayConfig& config) {
  std::error_code error;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "lanyard-gateway";
  SocketPair stream;
  SocketPair control;
  if (!stream.open(SOCK_STREAM) || !control.open(SOCK_SEQPACKET)) return failed("cannot make sockets", errno);
  // The gateway reads its first message with a plain, waiting call.
  const int flags = ::fcntl(control.theirs.get(), F_GETFL);
  (void)::fcntl(control.theirs.get(), F_SETFL, flags & ~O_NONBLOCK);
  const std::string document = write_gateway_config(config);
  if (::send(control.ours.get(), document.data(), document.size(), MSG_NOSIGNAL) < 0)
    return failed("cannot hand over the configuration", errno);
  GatewayProcess process;
  if (const int failure = spawn(program, stream, control, process.pid); failure != 0)
    return failed(fmt::format("cannot start {}", program), failure);
  process.pidfd = Fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  process.stream = std::move(stream.ours);
  process.control = std::move(control.ours);
  return process;
}

}  // namespace lanyard
