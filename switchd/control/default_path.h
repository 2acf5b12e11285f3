// Where the control socket is when nobody says: one list for the daemon and its clients, so that they meet also where one
// of them has $XDG_RUNTIME_DIR and the other has not, as after su(1), by cron(8) and in services. Any thread.
//
//   $XDG_RUNTIME_DIR/lanyard/switchd.sock   in a folder of the user's own (XDG Base Directory Specification)
//   /run/user/UID/lanyard/switchd.sock      for clients only: where that variable usually leads. The folder goes when the
//                                           user logs out, so who lacks the variable shall not begin to live there
//   /tmp/lanyard-UID/switchd.sock           in a folder that is made, and is this user's: no symbolic link, closed to others
//
// UID is that of the user whose rights the process has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanyard::control {

// Empty: a socket can have this path, as far as its length goes (unix(7)). Else what is wrong.
[[nodiscard]] std::string why_no_socket_path(std::string_view path);

struct DefaultPath {
  std::string path;
  std::string base;        // the folder that has to be there
  bool in_runtime = true;  // else its folder is in /tmp, which everybody can write to
  [[nodiscard]] std::string folder() const;
};

// $XDG_RUNTIME_DIR, without a '/' at its end. A relative path is none (XDG Base Directory Specification).
struct RuntimeFolder {
  std::string path;         // absolute, or empty
  std::string wrong;        // why it is empty, as in "XDG_RUNTIME_DIR: not set"
  bool is_mistake = false;  // it says something, which is no path that counts
};
[[nodiscard]] RuntimeFolder runtime_folder();

// For the daemon: where it may listen, best first; one or two. For clients: where to look.
[[nodiscard]] std::vector<DefaultPath> paths_to_serve();
[[nodiscard]] std::vector<DefaultPath> paths_to_try();

// Makes the folder of `path` where it is missing. Empty, or why no socket may be made there.
[[nodiscard]] std::string why_not_to_serve(const DefaultPath& path);
// Empty, or why a socket of this path is not to be trusted: it may be another user's trap.
[[nodiscard]] std::string why_not_to_try(const DefaultPath& path);

}  // namespace lanyard::control
