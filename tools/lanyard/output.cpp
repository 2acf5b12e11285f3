// Where results go; see the header.
#include "tools/lanyard/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "tools/lanyard/exit.h"

namespace lanyard::cli {

namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

void begin_output() {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

bool output_is_terminal() { return ::isatty(STDOUT_FILENO) == 1; }

Style style_of_output() {
  return {output_is_terminal() && variable("NO_COLOR").empty() && variable("TERM") != "dumb"};
}

void write_output(std::string_view text) { write_all(STDOUT_FILENO, text, "standard output"); }

void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno == EPIPE)
      throw Exit{exit_good, {}};
    else if (errno != EINTR)
      throw Exit{exit_refused, fmt::format("{} cannot be written: {}", name, std::strerror(errno))};
  }
}

void write_error(std::string_view message) {
  std::string lines;
  while (!message.empty()) {
    const std::size_t end = message.find('\n');
    lines += fmt::format("lanyard: {}\n", message.substr(0, end));
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
  }
  for (std::string_view rest = lines; !rest.empty();) {  // what cannot be said has nowhere else to go
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace lanyard::cli
