// Where leases are kept between runs (XDG Base Directory Specification, where a path that is not absolute is
// none; systemd.exec(5), STATE_DIRECTORY, of several the first). Found by the gateway itself, since a folder
// may be on a file system that does not answer: only the gateway's own start waits for that.
#pragma once

#include <string>

namespace lanyard {

struct LeasePath {
  std::string path;   // of the file; empty: leases are kept in memory only
  std::string wrong;  // empty, or what to tell people
};
// Of the port `port`. The folder is made where it is missing.
[[nodiscard]] LeasePath find_lease_path(const std::string& port);

}  // namespace lanyard
