// Scripts of interfaces: run with one argument, and not waited for without end, or not at all.
#include "switchd/interface_script.h"

#include <sys/stat.h>

#include <asio/io_context.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "tests/support/deadline.h"
#include "tests/support/switchd_process.h"

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] std::string script(const TempFolder& folder, const std::string& body) {
  const std::string path = folder.path("script");
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

[[nodiscard]] std::string run(const TempFolder& folder, const std::string& body,
                              std::chrono::milliseconds time_max = patience) {
  return run_script(script(folder, body), "lan0", time_max);
}

// What scripts that run in the background said in the end.
struct Told {
  RunningScript::Ended as_ended() {
    return [this](const std::string& wrong) { all.push_back(wrong); };
  }
  std::vector<std::string> all;
};

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
  CHECK(run_script(folder.path("none"), "lan0") == "cannot be run: No such file or directory");
  CHECK(run_script("/", "lan0") == "cannot be run: Permission denied");
}

TEST_CASE("a script that does not end is killed") {
  const TempFolder folder;
  CHECK(run(folder, "exec sleep 1000", std::chrono::milliseconds(50)) == "killed: it did not end within 50 ms");
}

TEST_CASE("a script that runs in the background is not waited for, and says how it ended") {
  const TempFolder folder;
  const std::string gate = folder.path("gate");
  REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  asio::io_context io;
  Told told;
  RunningScript running(io, script(folder, "[ $1 = lan0 ] && read line < " + gate + " && exit $line"), "lan0",
                        told.as_ended(), patience);
  CHECK(io.poll() == 0);
  CHECK(told.all.empty());
  std::ofstream(gate) << "3\n";  // waits for the reader
  io.run();
  CHECK(told.all == std::vector<std::string>{"exit status 3"});
  running.finish();
  CHECK(told.all.size() == 1);
}

TEST_CASE("a script in the background that does not end is killed, and one that cannot be run is told at once") {
  const TempFolder folder;
  asio::io_context io;
  Told told;
  const RunningScript endless(io, script(folder, "exec sleep 1000"), "lan0", told.as_ended(),
                              std::chrono::milliseconds(50));
  io.run();
  CHECK(told.all == std::vector<std::string>{"killed: it did not end within 50 ms"});
  const RunningScript none(io, folder.path("none"), "lan0", told.as_ended());
  CHECK(told.all.back() == "cannot be run: No such file or directory");
}

TEST_CASE("the stop waits for a script in the background") {
  const TempFolder folder;
  asio::io_context io;
  Told told;
  RunningScript running(io, script(folder, "exit 4"), "lan0", told.as_ended(), patience);
  running.finish();
  CHECK(told.all == std::vector<std::string>{"exit status 4"});
  io.run();
  CHECK(told.all.size() == 1);
}
