// The default control sockets; see the header.
#include "switchd/control/default_path.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "frames/limits.h"
#include "switchd/control/words.h"

namespace lanyard::control {

namespace {

constexpr mode_t folder_mode = 0700;

DefaultPath in_runtime_folder(const std::string& base) { return {base + "/lanyard/switchd.sock", base, true}; }

DefaultPath in_tmp() { return {fmt::format("/tmp/lanyard-{}/switchd.sock", ::geteuid()), "/tmp", false}; }

std::string failed(const std::string& path) { return fmt::format("{}: {}", printable(path), std::strerror(errno)); }

// Empty, or why `folder` is not this user's.
std::string why_not_ours(const std::string& folder, const struct stat& status) {
  if (!S_ISDIR(status.st_mode)) return fmt::format("{} is not a folder", printable(folder));
  if (status.st_uid != ::geteuid())
    return fmt::format("{} is user {}'s, not this one's ({})", printable(folder), status.st_uid, ::geteuid());
  return {};
}

}  // namespace

std::string why_no_socket_path(std::string_view path) {
  if (path.size() <= limits::unix_path_bytes_max) return {};
  return fmt::format("a socket's path has at most {} bytes, {} has {}", limits::unix_path_bytes_max, in_quotes(path),
                     path.size());
}

RuntimeFolder runtime_folder() {
  const char* const value = std::getenv("XDG_RUNTIME_DIR");
  if (value == nullptr) return {{}, "not set", false};
  std::string folder = value;
  if (folder.empty()) return {{}, "empty", false};
  if (folder.front() != '/') return {{}, fmt::format("expected an absolute path, not {}", in_quotes(folder)), true};
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  return {folder, {}, false};
}

std::string DefaultPath::folder() const { return path.substr(0, path.rfind('/')); }

std::vector<DefaultPath> paths_to_serve() {
  const std::string runtime = runtime_folder().path;
  std::vector<DefaultPath> paths;
  if (!runtime.empty()) paths.push_back(in_runtime_folder(runtime));
  paths.push_back(in_tmp());
  return paths;
}

std::vector<DefaultPath> paths_to_try() {
  std::vector<DefaultPath> paths = paths_to_serve();
  const DefaultPath usual = in_runtime_folder(fmt::format("/run/user/{}", ::geteuid()));
  if (paths.front().path != usual.path) paths.insert(paths.end() - 1, usual);
  return paths;
}

std::string why_not_to_serve(const DefaultPath& path) {
  if (std::string wrong = why_no_socket_path(path.path); !wrong.empty()) return wrong;
  const std::string folder = path.folder();
  struct stat status {};
  if (path.in_runtime) {
    if (::stat(path.base.c_str(), &status) != 0) return failed(path.base);
    if (std::string wrong = why_not_ours(path.base, status); !wrong.empty()) return wrong;
  }
  if (::mkdir(folder.c_str(), folder_mode) != 0 && errno != EEXIST) return failed(folder);
  if (::lstat(folder.c_str(), &status) != 0) return failed(folder);
  if (std::string wrong = why_not_ours(folder, status); !wrong.empty()) return wrong;
  if ((status.st_mode & 07777) != folder_mode && ::chmod(folder.c_str(), folder_mode) != 0) return failed(folder);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return failed(folder);  // a file system that can only be read
  return {};
}

std::string why_not_to_try(const DefaultPath& path) {
  if (std::string wrong = why_no_socket_path(path.path); !wrong.empty()) return wrong;
  if (path.in_runtime) return {};  // the user's own variable, or a folder that the system makes
  const std::string folder = path.folder();
  struct stat status {};
  if (::lstat(folder.c_str(), &status) != 0) return errno == ENOENT ? std::string() : failed(folder);
  return why_not_ours(folder, status);
}

}  // namespace lanyard::control
