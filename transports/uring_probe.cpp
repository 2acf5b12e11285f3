// Whether io_uring can be used here, and if not why, in words that lead to the cause: the sysctl, a seccomp filter
// (containers), or an old kernel.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "transports/uring_engine.h"

namespace lanyard {

namespace {

[[nodiscard]] std::string reason_for(int error) {
  if (error == ENOSYS) return "the kernel has no io_uring";
  if (error == EINVAL) return "the kernel is older than Linux 6.0";
  if (error == ENOMEM) return "not enough locked memory (ulimit -l)";
  if (error == EPERM || error == EACCES) {
    int disabled = 0;
    std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
    if (disabled != 0) return "sysctl kernel.io_uring_disabled is " + std::to_string(disabled);
    return "io_uring_setup is not permitted here (a seccomp filter, as containers have)";
  }
  return std::string("io_uring_setup failed: ") + std::strerror(error);
}

[[nodiscard]] int try_setup(unsigned flags) {
  io_uring ring{};
  io_uring_params params{};
  params.flags = flags;
  const int result = io_uring_queue_init_params(8, &ring, &params);
  if (result < 0) return -result;
  io_uring_queue_exit(&ring);
  return 0;
}

}  // namespace

UringCapabilities probe_uring() {
  UringCapabilities found;
  const int error = try_setup(IORING_SETUP_SINGLE_ISSUER);  // came with 6.0, as multishot recvmsg did
  if (error != 0) {
    found.why_not = reason_for(error);
    return found;
  }
  found.usable = true;
  found.defer_taskrun = try_setup(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN) == 0;
  return found;
}

}  // namespace lanyard
