// fork(2) for a child that soon ends or becomes another program. What the thread sanitizer makes of it starts
// a thread in the child, which then may not enter a user namespace (unshare(2): EINVAL): there the kernel's
// own call is used.
#pragma once

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lanyard::test {

[[nodiscard]] inline pid_t fork_plainly() {
#if defined(__SANITIZE_THREAD__)
  return static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#else
  return ::fork();
#endif
}

}  // namespace lanyard::test
