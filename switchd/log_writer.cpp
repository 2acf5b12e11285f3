// Writing without waiting; see the header.
#include "switchd/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace lanyard {

LogWriter::LogWriter(int fd) : fd_(fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return;
  is_socket_ = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode) && ::isatty(fd) == 0) return;
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  own_ = Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (own_) fd_ = own_.get();
}

bool LogWriter::take(std::string_view line) {
  if (!write_rest()) return false;
  const std::size_t written = write_some(line);
  if (written == 0) return false;
  rest_ = line.substr(written);
  (void)write_rest();
  return true;
}

bool LogWriter::write_rest() {
  while (!rest_.empty()) {
    const std::size_t written = write_some(rest_);
    if (written == 0) return false;
    rest_.erase(0, written);
  }
  return true;
}

// None: there is no room, or nobody who could ever read it.
std::size_t LogWriter::write_some(std::string_view bytes) const {
  const std::string_view piece = bytes.substr(0, pipe_bytes);
  ssize_t written = -1;
  do {
    pollfd room{fd_, POLLOUT, 0};
    if (is_socket_)
      written = ::send(fd_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    else if (::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0)
      written = ::write(fd_, piece.data(), piece.size());
    else
      return 0;
  } while (written < 0 && errno == EINTR);
  return static_cast<std::size_t>(std::max<ssize_t>(written, 0));
}

}  // namespace lanyard
