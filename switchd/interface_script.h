// Runs what the user has for an interface that comes up or goes down, as QEMU does (-netdev
// tap,script=,downscript=): a program with one argument, the interface's name. Waits for it, a bounded time:
// for the start and for the end of a port, not for the frame path. Control thread only.
#pragma once

#include <chrono>
#include <string>

namespace lanyard {

inline constexpr std::chrono::seconds script_time_max{30};

// Its standard input is empty, and what it prints goes to the log, since our standard output is for lines
// that others read. Empty when it ended with status 0, else what happened: "exit status 3". One that takes
// longer than `time_max` is killed.
[[nodiscard]] std::string run_script(const std::string& path, const std::string& interface,
                                     std::chrono::milliseconds time_max = script_time_max);

}  // namespace lanyard
