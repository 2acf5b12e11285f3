// Other users for a test: root can be any. A plain user is root of a user namespace that has others, too,
// where he has subordinate ones (subuid(5), which useradd gives) and newuidmap(1), of Debian's package
// uidmap: the test is there from then on, until its process ends.
#pragma once

#include <pwd.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include "transports/fd.h"

namespace lanyard::test {

class OtherUsers {
 public:
  // Empty, or why there are none. Afterwards the numbers up to 65535 are users and groups.
  [[nodiscard]] static std::string why_none() {
    if (::geteuid() == 0) return is_any_mapped() ? "" : "this user namespace has no other users";
    const std::string users = first_of("/etc/subuid"), groups = first_of("/etc/subgid");
    if (users.empty() || groups.empty()) return "this user has no subordinate users (subuid(5))";
    int ends[2];
    if (::pipe(ends) != 0) return std::strerror(errno);
    const Fd gone(ends[0]), there(ends[1]);
    const std::string parent = std::to_string(::getpid()), all = " 65535 2>/dev/null";
    const std::string command = "newuidmap " + parent + " 0 " + std::to_string(::geteuid()) + " 1 1 " +
                                users + all + " && newgidmap " + parent + " 0 " +
                                std::to_string(::getegid()) + " 1 1 " + groups + all;
    const pid_t outside = ::fork();
    if (outside == 0) {
      char byte;
      ::_exit(::read(gone.get(), &byte, 1) == 1 && std::system(command.c_str()) == 0 ? 0 : 1);
    }
    if (::unshare(CLONE_NEWUSER) != 0)
      return std::string("this user may not have a user namespace: ") + std::strerror(errno);
    int status = 1;
    const bool told = ::write(there.get(), "!", 1) == 1;
    const bool mapped = told && ::waitpid(outside, &status, 0) == outside && status == 0;
    return mapped ? "" : "newuidmap and newgidmap (package uidmap) do not give this user others";
  }

 private:
  // More than the one line of a namespace with one user.
  [[nodiscard]] static bool is_any_mapped() {
    std::ifstream map("/proc/self/uid_map");
    unsigned long inside = 0, outside = 0, count = 0, all = 0;
    while (map >> inside >> outside >> count) all += count;
    return all > 65535;
  }
  // The first number of this user's line, "alice:100000:65536"; empty: none with enough.
  [[nodiscard]] static std::string first_of(const char* path) {
    const passwd* user = ::getpwuid(::geteuid());
    const std::string name =
        (user != nullptr ? std::string(user->pw_name) : std::to_string(::geteuid())) + ":";
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      const std::size_t last = line.rfind(':');
      if (line.starts_with(name) && last > name.size() && std::atol(&line[last + 1]) >= 65535)
        return line.substr(name.size(), last - name.size());
    }
    return {};
  }
};

}  // namespace lanyard::test

// In a test case: ends it, and says why, where it can be nobody else.
#define WITH_OTHER_USERS \
  if (const std::string why = ::lanyard::test::OtherUsers::why_none(); !why.empty()) SKIP_TEST(why)
