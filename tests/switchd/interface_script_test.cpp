// Scripts of interfaces: run with one argument, and not waited for without end, or not at all.
#include "switchd/interface_script.h"

#include <sys/stat.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "tests/support/deadline.h"
#include "tests/support/switchd_process.h"

namespace interface_script_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] std::string script(const TempFolder& folder, const std::string& body) {
  const std::string path = folder.path("script");
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

// What a script said in the end.
[[nodiscard]] std::string run_at(const std::string& path, const std::string& interface,
                                 std::chrono::milliseconds time_max = patience) {
  asio::io_context io;
  std::vector<std::string> all;
  run_script(io, path, interface, [&](const std::string& wrong) { all.push_back(wrong); }, time_max);
  CHECK(all.empty());  // from `io` only
  io.run();
  REQUIRE(all.size() == 1);
  return all.front();
}

[[nodiscard]] std::string run(const TempFolder& folder, const std::string& body,
                              std::chrono::milliseconds time_max = patience) {
  return run_at(script(folder, body), "lan0", time_max);
}

}  // namespace

TEST_CASE("a script is told the interface, reads nothing, and meets signals as any program does") {
  const TempFolder folder;
  CHECK(run(folder, "[ $# = 1 ] && [ $1 = lan0 ]").empty());
  CHECK(run(folder, "! read line").empty());
  (void)std::signal(SIGPIPE, SIG_IGN);  // as switchd does
  CHECK(run(folder, "kill -PIPE $$") == "ended by signal 13");
}

TEST_CASE("a script that fails says how") {
  const TempFolder folder;
  CHECK(run(folder, "exit 7") == "exit status 7");
  CHECK(run(folder, "kill -9 $$") == "ended by signal 9");
  CHECK(run_at(folder.path("none"), "lan0") == "cannot be run: No such file or directory");
  CHECK(run_at("/", "lan0") == "cannot be run: Permission denied");
}

TEST_CASE("a script that does not end is killed") {
  const TempFolder folder;
  CHECK(run(folder, "exec sleep 1000", std::chrono::milliseconds(50)) == "killed: it did not end within 50 ms");
}

TEST_CASE("nobody waits for a script: others are served until it says how it ended") {
  const TempFolder folder;
  const std::string gate = folder.path("gate");
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  asio::io_context io;
  std::vector<std::string> all;
  run_script(io, script(folder, "[ $1 = lan0 ] && read line < " + gate + " && exit $line"), "lan0",
             [&](const std::string& wrong) { all.push_back(wrong); }, patience);
  CHECK(io.poll() == 0);
  CHECK(all.empty());
  std::ofstream(gate) << "3\n";  // waits for the reader
  io.run();
  CHECK(all == std::vector<std::string>{"exit status 3"});
}

TEST_CASE("several scripts run at once, and one that is killed costs no other its time") {
  const TempFolder folder;
  const TempFolder other;
  asio::io_context io;
  std::vector<std::string> all;
  const auto tell = [&](const std::string& wrong) { all.push_back(wrong); };
  run_script(io, script(folder, "exec sleep 1000"), "lan0", tell, std::chrono::milliseconds(50));
  run_script(io, script(other, "exit 0"), "lan1", tell, patience);
  io.run();
  CHECK(all.size() == 2);
  CHECK(std::count(all.begin(), all.end(), "") == 1);
  CHECK(std::count(all.begin(), all.end(), "killed: it did not end within 50 ms") == 1);
}

TEST_CASE("a script ends with the loop that awaits its end") {
  const TempFolder folder;
  const std::string number = folder.path("pid");
  pid_t script_pid = 0;
  {
    asio::io_context io;
    run_script(io, script(folder, "echo $$ > " + number + ".new; mv " + number + ".new " + number + "; exec sleep 1000"),
               "lan0", [](const std::string&) {});
    for (const Deadline deadline; script_pid == 0 && !deadline.passed();) std::ifstream(number) >> script_pid;
    REQUIRE(::kill(script_pid, 0) == 0);
  }
  CHECK(::kill(script_pid, 0) != 0);
}

}  // namespace interface_script_test
