// Lines for standard output; see the header.
#include "switchd/line_output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>

#include "frames/limits.h"
#include "switchd/log.h"

namespace lanyard {

namespace {

constexpr std::chrono::milliseconds retry_interval{50};

[[nodiscard]] bool takes_more(int fd) {
  pollfd writable{fd, POLLOUT, 0};
  return ::poll(&writable, 1, 0) > 0;  // an error, too, is for write() to tell
}

}  // namespace

void LineOutput::print(const std::string& line) {
  const bool was_waiting = !waiting_.empty();
  if (waiting_.size() + line.size() > limits::output_bytes_max) {
    if (!lost_some_) log_warn("standard output is not read: lines are lost");
    lost_some_ = true;
    return;
  }
  waiting_ += line;
  waiting_ += '\n';
  if (!was_waiting) write_some();
}

void LineOutput::finish() {
  retry_.cancel();
  write_some();
  retry_.cancel();
}

// PIPE_BUF bytes fit into any pipe that is ready to be written (pipe(7)), so this never blocks on one.
void LineOutput::write_some() {
  while (!waiting_.empty() && takes_more(fd_)) {
    const ssize_t written = ::write(fd_, waiting_.data(), std::min<std::size_t>(waiting_.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) return waiting_.clear();  // closed: nobody wants them
    waiting_.erase(0, static_cast<std::size_t>(written));
  }
  if (waiting_.empty()) return;
  retry_.expires_after(retry_interval);
  retry_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) write_some();
  });
}

}  // namespace lanyard
