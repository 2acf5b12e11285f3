// lanyard-gateway: started by switchd for each `nat` port, with two inherited descriptors. Not for people to run.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "switchd/gateway/gateway.h"
#include "switchd/gateway/gateway_process.h"
#include "switchd/gateway/sandbox.h"

namespace lanyard {
namespace {

std::string receive_config(int control) {
  std::string message(1024 * limits::kibi, '\0');
  const ssize_t got = ::recv(control, message.data(), message.size(), 0);
  message.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return message;
}

void tell(int control, const nlohmann::json& message) {
  const std::string text = message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  (void)!::send(control, text.data(), text.size(), MSG_NOSIGNAL);
}

// A listening socket that libslirp can connect to by a path, and that leaves nothing behind however we end: its file is
// removed at once, and reached by a descriptor of it (proc(5), /proc/PID/fd). For the moment that it is there it has a
// folder of its own in $XDG_RUNTIME_DIR, else in /tmp: after su(1) that variable names what is not there, or another's.
struct DnsSocket {
  DnsSocket() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    std::string wrong = runtime != nullptr && *runtime == '/' ? open_in(runtime) : "-";
    if (!wrong.empty()) wrong = open_in("/tmp");
    if (!wrong.empty()) throw std::runtime_error(wrong);
    path = fmt::format("/proc/self/fd/{}", inode.get());
  }
  // Empty, or what went wrong.
  [[nodiscard]] std::string open_in(const std::string& base) {
    std::string folder = base + "/lanyard-dns-XXXXXX";
    if (folder.size() + 2 > limits::unix_path_bytes_max)
      return fmt::format("{}: a socket's path has at most {} bytes", folder, limits::unix_path_bytes_max);
    if (::mkdtemp(folder.data()) == nullptr) return fmt::format("{}: {}", folder, std::strerror(errno));
    const std::string file = folder + "/s";
    const bool opened = open(file);
    const std::string wrong = opened ? "" : fmt::format("{}: {}", file, std::strerror(errno));
    ::unlink(file.c_str());
    ::rmdir(folder.c_str());
    return wrong;
  }
  [[nodiscard]] bool open(const std::string& file) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    file.copy(address.sun_path, file.size());
    listener = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!listener || ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener.get(), 64) != 0)
      return false;
    inode = Fd(::open(file.c_str(), O_PATH | O_CLOEXEC));
    return static_cast<bool>(inode);
  }
  Fd listener;
  Fd inode;
  std::string path;
};

int serve(int control_fd) try {
  const auto config = read_gateway_config(receive_config(control_fd));
  if (!config) return 2;
  DnsSocket dns;
  Gateway gateway(*config, Fd(gateway_stream_fd), Fd(control_fd), std::move(dns.listener), dns.path);
  const std::string busy = gateway.open();
  if (!busy.empty()) {
    tell(control_fd, {{"error", busy}, {"errno", gateway.forward_error()}});
    return 1;
  }
  if (const std::string wrong = enter_sandbox(); !wrong.empty()) {
    tell(control_fd, {{"error", "cannot give up what it does not need: " + wrong}});
    return 1;
  }
  tell(control_fd, {{"ready", true}, {"libslirp", SlirpStack::version()}});
  gateway.run();
  return 0;
} catch (const std::exception& failure) {
  tell(control_fd, {{"error", failure.what()}});
  return 1;
}

}  // namespace
}  // namespace lanyard

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::printf("lanyard-gateway %s, libslirp %s\n", LANYARD_VERSION, lanyard::SlirpStack::version().c_str());
    return 0;
  }
  struct stat control;
  if (argc != 1 || ::fstat(lanyard::gateway_control_fd, &control) != 0 || !S_ISSOCK(control.st_mode)) {
    std::fputs("lanyard-gateway: switchd starts this program, one for each nat port; see switchd(1)\n", stderr);
    return 2;
  }
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)std::signal(SIGXFSZ, SIG_IGN);  // leases that cannot be written are told
  return lanyard::serve(lanyard::gateway_control_fd);
}
