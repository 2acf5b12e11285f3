// Scripts of interfaces: run with one argument, and not waited for without end.
#include "switchd/interface_script.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>

#include "tests/support/deadline.h"
#include "tests/support/switchd_process.h"

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] std::string run(const TempFolder& folder, const std::string& body,
                              std::chrono::milliseconds time_max = patience) {
  const std::string path = folder.path("script");
  std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return run_script(path, "lan0", time_max);
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
  CHECK(run_script(folder.path("none"), "lan0") == "cannot be run: No such file or directory");
  CHECK(run_script("/", "lan0") == "cannot be run: Permission denied");
}

TEST_CASE("a script that does not end is killed") {
  const TempFolder folder;
  CHECK(run(folder, "exec sleep 1000", std::chrono::milliseconds(50)) == "killed: it did not end within 50 ms");
}
