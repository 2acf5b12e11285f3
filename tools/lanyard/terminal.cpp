// The terminal and signals; see the header.
#include "tools/lanyard/terminal.h"

#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tools/lanyard/output.h"

namespace lanyard::cli {

namespace {

// Of xterm, which all others follow: the alternate screen, and the cursor.
constexpr std::string_view take_screen = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view give_screen_back = "\x1b[?25h\x1b[?1049l";

}  // namespace

Terminal::Terminal() : has_keys_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
  if (has_keys_) {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw);
  }
  write_output(take_screen);
}

Terminal::~Terminal() {
  (void)!::write(STDOUT_FILENO, give_screen_back.data(), give_screen_back.size());  // may have gone
  if (has_keys_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

ScreenSize Terminal::size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0) return {};
  return {window.ws_row, window.ws_col};
}

char Terminal::key() const {
  char key = '\0';
  return ::read(STDIN_FILENO, &key, 1) == 1 ? key : '\0';
}

SignalInbox::SignalInbox(std::initializer_list<int> signals) {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int signal : signals) sigaddset(&taken, signal);
  ::sigprocmask(SIG_BLOCK, &taken, &before_);
  fd_ = ::signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
}

SignalInbox::~SignalInbox() {
  ::close(fd_);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> SignalInbox::take() const {
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof info) != sizeof info) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace lanyard::cli
