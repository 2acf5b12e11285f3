// Opening UNIX sockets: what a path may already hold, and who may use it.
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <vector>

#include "frames/limits.h"
#include "transports/open_sockets.h"

namespace lanyard {

namespace {

constexpr std::uint32_t default_mode = 0600;

// Is the process that listens alive? Where that cannot be told, as across containers, it is.
[[nodiscard]] bool listener_lives(int connected_fd) {
  ucred listener{};
  socklen_t size = sizeof listener;
  if (::getsockopt(connected_fd, SOL_SOCKET, SO_PEERCRED, &listener, &size) != 0 || listener.pid <= 0) return true;
  return ::kill(listener.pid, 0) == 0 || errno != ESRCH;
}

// Does somebody serve the path? 0: yes, or an errno. The sockets of an io_uring process that was killed linger for a
// moment after it is gone, and a restart must not fail for that: then the path is asked a few times more, for 0.6 s in
// all. A living listener is asked once: each time is a connection to it.
[[nodiscard]] int probe_path(const SocketAddress& address, int type) {
  constexpr useconds_t last_pause_us = 320'000;
  for (useconds_t pause_us = 20'000;; pause_us *= 2) {
    const Fd probe(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!probe) return errno;
    const int result = ::connect(probe.get(), &address.any, address.length) == 0 ? 0 : errno;
    // EPERM: a datagram socket that is connected, and not to us.
    const bool served = result == 0 || result == EAGAIN || result == EPERM;
    if (!served) return result;
    if (pause_us > last_pause_us || (type == SOCK_STREAM && result == 0 && listener_lives(probe.get()))) return 0;
    ::usleep(pause_us);
  }
}

// Takes a dead process's socket out of the way. An error when the path is served, or is something else.
[[nodiscard]] std::optional<OpenError> clear_stale(const std::string& path, const SocketAddress& address, int type,
                                                   const std::string& doing) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;  // nothing there, or bind will say what is wrong
  if (!S_ISSOCK(status.st_mode)) return OpenError{doing + ": the path exists and is not a socket", EADDRINUSE};
  const int error = probe_path(address, type);
  if (error == 0) return OpenError{doing + ": a living process serves this path", EADDRINUSE};
  if (error == EPROTOTYPE)
    return OpenError{doing + ": a living process serves this path with another socket type", EADDRINUSE};
  if (error != ECONNREFUSED && error != ENOENT) return open_failed(doing, error);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return open_failed(doing + ": cannot remove what a dead process left");
  return std::nullopt;
}

// By name, or else by number.
[[nodiscard]] Opened<gid_t> group_id(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> text(16 * 1024);
  (void)::getgrnam_r(name.c_str(), &entry, text.data(), text.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  gid_t number = 0;
  const auto read = std::from_chars(name.data(), name.data() + name.size(), number);
  if (read.ec == std::errc() && read.ptr == name.data() + name.size() && number != static_cast<gid_t>(-1)) return number;
  return OpenError{"there is no group '" + name + "' on this host ('getent group' lists them)", EINVAL};
}

// "alice, kvm": those of this process.
[[nodiscard]] std::string own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  if (std::find(groups.begin(), groups.end(), ::getegid()) == groups.end()) groups.insert(groups.begin(), ::getegid());
  std::string names;
  for (const gid_t id : groups) {
    group entry{};
    group* found = nullptr;
    std::vector<char> text(16 * 1024);
    (void)::getgrgid_r(id, &entry, text.data(), text.size(), &found);
    names += (names.empty() ? "" : ", ") + (found != nullptr ? std::string(entry.gr_name) : std::to_string(id));
  }
  return names;
}

// EPERM: the user is not in it. EINVAL: a user namespace has no such group.
[[nodiscard]] OpenError not_given(const std::string& group, const std::string& doing) {
  OpenError error = open_failed(doing + ": cannot give the path to group '" + group + "'");
  if (error.error == EPERM || error.error == EINVAL)
    error.what += "; it can be given to groups that this user is in: " + own_groups();
  return error;
}

[[nodiscard]] std::optional<OpenError> set_access(const UnixPath& local, const std::string& doing) {
  if (!local.group.empty()) {
    const auto gid = group_id(local.group);
    if (const auto* error = std::get_if<OpenError>(&gid)) return OpenError{doing + ": " + error->what, error->error};
    if (::chown(local.path.c_str(), static_cast<uid_t>(-1), std::get<gid_t>(gid)) != 0)
      return not_given(local.group, doing);
  }
  const std::uint32_t mode = local.mode.value_or(local.group.empty() ? default_mode : 0660);
  if (::chmod(local.path.c_str(), mode) != 0) return open_failed(doing + ": cannot set its mode");
  return std::nullopt;
}

[[nodiscard]] Opened<Fd> bind_path(const UnixPath& local, int type, const std::string& doing) {
  if (local.path.size() > limits::unix_path_bytes_max)
    return OpenError{doing + ": a socket's path has at most " + std::to_string(limits::unix_path_bytes_max) + " bytes",
                     ENAMETOOLONG};
  const SocketAddress address = SocketAddress::unix_path(local.path);
  if (auto error = clear_stale(local.path, address, type, doing)) return std::move(*error);
  Fd fd(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return open_failed(doing);
  const mode_t before = ::umask(0177);  // nobody else gets in before the mode is set
  const int bound = ::bind(fd.get(), &address.any, address.length);
  const int bind_error = errno;
  ::umask(before);
  if (bound != 0) return open_failed(doing, bind_error);
  if (auto error = set_access(local, doing)) {
    ::unlink(local.path.c_str());
    return std::move(*error);
  }
  return fd;
}

}  // namespace

Opened<Fd> open_unix_listener(const UnixPath& local) {
  const std::string doing = "cannot listen on " + local.path;
  auto opened = bind_path(local, SOCK_STREAM, doing);
  if (auto* fd = std::get_if<Fd>(&opened); fd != nullptr && ::listen(fd->get(), SOMAXCONN) != 0) {
    const int error = errno;
    ::unlink(local.path.c_str());
    return open_failed(doing, error);
  }
  return opened;
}

Opened<Fd> open_unix_datagram(const UnixPath& local) {
  return bind_path(local, SOCK_DGRAM, "cannot bind " + local.path);
}

}  // namespace lanyard
