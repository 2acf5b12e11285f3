// The connection to the daemon; see the header.
#include "tools/lanyard/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "switchd/control/words.h"
#include "tools/lanyard/exit.h"

namespace lanyard::cli {

namespace {

constexpr std::size_t read_bytes = 64u << 10;

// REQUIRES: a path that is not too long. -1: not connected, errno says why.
int connect_to(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result = -1;
  do {
    result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return fd;
  const int why = errno;
  ::close(fd);
  errno = why;
  return -1;
}

bool same_user_namespace(pid_t pid) {
  struct stat here {}, there {};
  return ::stat("/proc/self/ns/user", &here) != 0 ||
         ::stat(fmt::format("/proc/{}/ns/user", pid).c_str(), &there) != 0 || here.st_ino == there.st_ino;
}

// Why a daemon hangs up that does not listen to everybody (SO_PEERCRED: who began to listen on the other end).
std::string why_refused(int fd) {
  ucred daemon{};
  socklen_t size = sizeof daemon;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &daemon, &size) != 0 || daemon.uid == ::geteuid())
    return "it may have stopped, or not listen to this user";
  if (!same_user_namespace(daemon.pid))
    return fmt::format("it runs in a user namespace of its own (process {}), in which this user is nobody; ask as the user "
                       "who it is here, such as with sudo -u '#{}' lanyard ...", daemon.pid, daemon.uid);
  return fmt::format("it is user {}'s, and listens to that user, root, and the members of its --control-group", daemon.uid);
}

[[noreturn]] void refuse(const v1::Error& error) {
  std::string message = printable(error.message());
  for (const std::string& detail : error.details()) message += "\n" + printable(detail);
  throw Exit{exit_refused, message};
}

}  // namespace

Client::Client(const std::vector<control::DefaultPath>& paths) {
  std::string tried;
  bool is_denied = false;
  for (const control::DefaultPath& place : paths) {
    std::string wrong = control::why_not_to_try(place);
    if (wrong.empty()) {
      fd_ = connect_to(place.path);
      path_ = place.path;
      if (fd_ >= 0) return;
      wrong = std::strerror(errno);
      is_denied = is_denied || errno == EACCES;
    }
    tried += fmt::format("{} {}: {}\n", tried.empty() ? "no daemon answers at" : "nor at", printable(place.path), wrong);
  }
  const control::RuntimeFolder runtime = control::runtime_folder();
  if (paths.size() > 1 && runtime.path.empty())  // nobody named one
    tried += fmt::format("XDG_RUNTIME_DIR: {}; a daemon that has it listens in its folder\n", printable(runtime.wrong));
  const std::string start = paths.size() > 1 ? "" : fmt::format("--control {} ", printable(paths.front().path));
  throw Exit{exit_no_daemon,
             tried + (is_denied ? "it is another user's; members of its --control-group may use it, where they can enter "
                                  "its folder"
                                : fmt::format("start one, such as with 'switchd {}unix-listen:/tmp/lan.sock', or say with "
                                              "--control where it listens", start))};
}

Client::~Client() { ::close(fd_); }

std::uint64_t Client::send(v1::Request& request) {
  request.set_id(++last_id_);
  const std::string message = request.SerializeAsString();
  if (message.size() > control::request_bytes_max)
    throw Exit{exit_refused, fmt::format("a request has at most {} MiB, this one is longer",
                                         control::request_bytes_max >> 20)};
  const std::string bytes = control::framed(message);
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t sent = ::send(fd_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent > 0)
      at += static_cast<std::size_t>(sent);
    else if (errno == EPIPE || errno == ECONNRESET)
      break;  // the daemon has hung up; what it said before comes by receive()
    else if (errno != EINTR)
      fail(std::strerror(errno));
  }
  return last_id_;
}

v1::Response Client::receive(std::uint64_t id) {
  v1::Response response;
  while (!take(id, response)) read_some();
  return response;
}

v1::Response Client::ask(v1::Request& request) {
  const std::uint64_t id = send(request);
  v1::Response answer = receive(id);
  while (answer.more()) {
    answer.clear_more();
    answer.MergeFrom(receive(id));  // lists grow
  }
  return answer;
}

bool Client::take(std::uint64_t id, v1::Response& response) {
  while (const auto message = reader_.next()) {
    if (!response.ParseFromArray(message->data(), static_cast<int>(message->size())))
      fail("what it sends is no message of this protocol");
    if (response.has_error() && (response.id() == id || response.id() == 0)) refuse(response.error());
    if (response.id() == id) return true;
  }
  if (reader_.is_broken()) fail("what it sends is no message of this protocol");
  return false;
}

void Client::read_some() {
  char bytes[read_bytes];
  const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
  if (got > 0) {
    answered_ = true;
    reader_.add({bytes, static_cast<std::size_t>(got)});
  } else if (got == 0 || errno == ECONNRESET) {  // reset: it has not read what we sent
    fail("it has closed the connection", answered_ ? "it may have stopped" : why_refused(fd_));
  } else if (errno != EINTR) {
    fail(std::strerror(errno));
  }
}

void Client::fail(const std::string& why, const std::string& hint) const {
  throw Exit{exit_no_daemon, fmt::format("no daemon answers at {}: {}\n{}", path_, why, hint)};
}

}  // namespace lanyard::cli
