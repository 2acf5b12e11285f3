// Starting a gateway; see the header.
#include "switchd/gateway/gateway_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

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
  ChildOptions options;
  options.descriptors = {{gateway_stream_fd, stream.theirs.get()}, {gateway_control_fd, control.theirs.get()}};
  options.in_group_of_own = true;  // switchd ends it
  GatewayProcess process;
  if (const int failure = process.child.start({program}, options); failure != 0)
    return failed(fmt::format("cannot start {}", program), failure);
  process.stream = std::move(stream.ours);
  process.control = std::move(control.ours);
  return process;
}

}  // namespace lanyard
