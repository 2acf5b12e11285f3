// Readings of a process; see process_usage.h.
//
// CPU time comes from the process's CPU clock (clock_getcpuclockid), which counts in nanoseconds what the
// scheduler gave to the whole thread group; /proc/PID/stat has the same sum rounded to ticks of 10 ms.
// Network softirqs that the process's own sends cause run in its context and are in it, unless the kernel
// accounts interrupts separately.
#include "bench/process_usage.h"

#include <time.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>

#include "bench/endpoint.h"

namespace lanyard::bench {

namespace {

// The number after `key` in a status file of /proc, 0 when it is not there.
std::uint64_t status_value(const std::filesystem::path& file, std::string_view key) {
  std::ifstream status(file);
  std::string word;
  while (status >> word) {
    std::uint64_t value = 0;
    if (word == key && status >> value) return value;
  }
  return 0;
}

}  // namespace

ProcessUsage read_usage(pid_t pid) {
  ProcessUsage usage;
  if (pid == 0) return usage;
  clockid_t clock;
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0)
    failure("process " + std::to_string(pid) + " is gone");
  usage.cpu_ns =
      static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);

  const std::filesystem::path folder = "/proc/" + std::to_string(pid);
  usage.rss_bytes = status_value(folder / "status", "VmRSS:") * 1024;
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(folder / "task", error))
    usage.sleeps += status_value(thread.path() / "status", "voluntary_ctxt_switches:");
  return usage;
}

}  // namespace lanyard::bench
