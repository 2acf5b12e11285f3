// A number of its own as a user, for a child process between fork and exec: in a user namespace that has this one user
// only. What a program makes or looks for by the number of its user meets nobody else's then, and what belongs to others
// is visibly another's. Works as root, and as a user where user namespaces are allowed; otherwise the child ends with
// `refused`, and the test cannot be made here.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

namespace lanyard::test {

class OwnUser {
 public:
  static constexpr int refused = 77;

  // A number that no other test has at the time.
  [[nodiscard]] static unsigned number() { return 1'000'000 + static_cast<unsigned>(::getpid()); }

  // Only what is safe after a fork.
  static void enter(unsigned user) {
    char map[64];
    const int length = std::snprintf(map, sizeof map, "%u %u 1", user, ::geteuid());
    ::prctl(PR_SET_DUMPABLE, 1);  // after setuid() its files in /proc are root's
    const bool is_new = ::unshare(CLONE_NEWUSER) == 0;
    const int file = is_new ? ::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC) : -1;
    if (::write(file, map, static_cast<std::size_t>(length)) != length) ::_exit(refused);
    ::close(file);
  }

  [[nodiscard]] static bool is_possible() {
    const pid_t child = ::fork();
    if (child == 0) {
      enter(number());
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0;
  }
};

}  // namespace lanyard::test
