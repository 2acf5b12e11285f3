// The terminal as `top` has it, and signals as something to wait for. What is taken over is given back by the destructors.
#pragma once

#include <termios.h>

#include <csignal>
#include <initializer_list>
#include <optional>

#include "tools/lanyard/top_screen.h"

namespace lanyard::cli {

// The alternate screen without a cursor; keys come one by one, unseen, and Ctrl-C as one of them.
class Terminal {
 public:
  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] static ScreenSize size();
  // The next key, where one was hit; '\0': there will be none any more. Does not wait where poll() says there is one.
  [[nodiscard]] char key() const;
  [[nodiscard]] int keys_fd() const { return has_keys_ ? 0 : -1; }  // for poll(), which leaves out -1

 private:
  termios before_{};
  bool has_keys_ = false;
};

// Signals that are kept from the process, to be taken here.
class SignalInbox {
 public:
  explicit SignalInbox(std::initializer_list<int> signals);
  ~SignalInbox();
  SignalInbox(const SignalInbox&) = delete;
  SignalInbox& operator=(const SignalInbox&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::optional<int> take() const;  // does not wait

 private:
  sigset_t before_{};
  int fd_ = -1;
};

}  // namespace lanyard::cli
