// The list of what a gateway may still do; see the header.
#include "switchd/gateway/sandbox.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace lanyard {

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(LANYARD_SANITIZE_THREAD)
constexpr bool sanitized = true;
#elif defined(__has_feature)
constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool sanitized = false;
#endif

constexpr rlim_t descriptors_max = 4096;
constexpr rlim_t memory_bytes_max =
    2048UL * 1024 * 1024;  // twice what libslirp takes for as many flows as we let it have
constexpr rlim_t written_bytes_max = 8UL * 1024 * 1024;  // the leases

// What libslirp, glib, glibc and we need. Sockets are below.
constexpr std::array allowed = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close), SCMP_SYS(shutdown),
    SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(fcntl), SCMP_SYS(ioctl),
    SCMP_SYS(openat), SCMP_SYS(openat2), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(pread64),
    SCMP_SYS(fsync), SCMP_SYS(rename), SCMP_SYS(unlink), SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(tgkill),
};
constexpr std::array<int, 4> families = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};  // the last: if_nametoindex()

std::string failed(const char* what, int error) { return fmt::format("{}: {}", what, std::strerror(error)); }

bool limit(int resource, rlim_t most) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return false;
  const rlim_t value = std::min(most, now.rlim_max);
  const rlimit wanted{value, value};
  return ::setrlimit(static_cast<__rlimit_resource>(resource), &wanted) == 0;
}

}  // namespace

std::string enter_sandbox() {
  if (sanitized) return {};  // a sanitizer needs more of the system than any list would say
  if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NPROC, 0) || !limit(RLIMIT_NOFILE, descriptors_max) ||
      !limit(RLIMIT_AS, memory_bytes_max) || !limit(RLIMIT_FSIZE, written_bytes_max))
    return failed("resource limits", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no_new_privs", errno);
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ERRNO(EPERM)),
                                                                ::seccomp_release);
  if (!filter) return "seccomp: no memory";
  for (const int call : allowed)
    if (const int error = ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0); error != 0)
      return failed("seccomp", -error);
  for (const int family : families) {
    const scmp_arg_cmp is_family{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0};
    const int error = ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &is_family);
    if (error != 0) return failed("seccomp", -error);
  }
  if (const int error = ::seccomp_load(filter.get()); error != 0) return failed("seccomp", -error);
  return {};
}

}  // namespace lanyard
