// How the command ends before its time: what cannot go on throws an Exit, main says its message and returns its code.
// Nothing needs undoing then but what destructors undo (the terminal, sockets, files).
#pragma once

#include <string>

namespace lanyard::cli {

inline constexpr int exit_good = 0;
inline constexpr int exit_refused = 1;    // by the daemon or by this machine
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_daemon = 3;  // none answers

struct Exit {
  int code = exit_good;
  std::string message;  // lines for people, without the program's name; empty: nothing to say
};

}  // namespace lanyard::cli
