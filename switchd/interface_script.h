// Runs what the user has for an interface that comes up or goes down, as QEMU does (-netdev
// tap,script=,downscript=): a program with one argument, the interface's name. Its standard input is empty, and what it
// prints goes to the log, since our standard output is for lines that others read. One that takes longer than
// `time_max` is killed. Nobody waits for it. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace lanyard {

inline constexpr std::chrono::seconds script_time_max{30};

// `wrong` is empty when it ended with status 0, else it says what happened, as "exit status 3".
using ScriptEnded = std::function<void(const std::string& wrong)>;

// Starts it. `ended` is called once, from `io`.
void run_script(asio::io_context& io, const std::string& path, const std::string& interface, ScriptEnded ended,
                std::chrono::milliseconds time_max = script_time_max);

}  // namespace lanyard
