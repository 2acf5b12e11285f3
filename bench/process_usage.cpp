// Readings of a process; see process_usage.h.
//
// CPU time comes from the process's CPU clock (clock_getcpuclockid), which counts in nanoseconds what the
// scheduler gave to the whole thread group; /proc/PID/stat has the same sum rounded to ticks of 10 ms.
// Network softirqs that the process's own sends cause run in its context and are in it, unless the kernel
// accounts interrupts separately.
#include "bench/process_usage.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
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

// The core that a process ran on last: the 39th field of its stat file (proc(5)), the second being in
// parentheses.
int last_core(const std::filesystem::path& file) {
  std::ifstream stat(file);
  std::string text;
  std::getline(stat, text);
  std::istringstream rest(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string word;
  for (int field = 3; field <= 39; ++field) rest >> word;
  return std::atoi(word.c_str());
}

// All time of a core but its idle time: user, nice, system, idle, iowait, irq, softirq and steal, in ticks
// (proc(5)).
std::uint64_t core_busy_ns(int core) {
  std::ifstream stat("/proc/stat");
  std::string word;
  while (stat >> word && word != "cpu" + std::to_string(core)) {
  }
  std::uint64_t busy = 0;
  for (int i = 0; i < 8; ++i) {
    std::uint64_t ticks = 0;
    stat >> ticks;
    if (i != 3 && i != 4) busy += ticks;
  }
  return busy * (1'000'000'000 / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK)));
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
  usage.core_busy_ns = core_busy_ns(last_core(folder / "stat"));
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  usage.clock_ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
  return usage;
}

double share_of_others(const ProcessUsage& before, const ProcessUsage& after) {
  const auto busy = static_cast<double>(after.core_busy_ns - before.core_busy_ns);
  const auto own = static_cast<double>(after.cpu_ns - before.cpu_ns);
  const auto elapsed = static_cast<double>(after.clock_ns - before.clock_ns);
  return elapsed > 0 ? std::clamp((busy - own) / elapsed, 0.0, 1.0) : 0.0;
}

}  // namespace lanyard::bench
