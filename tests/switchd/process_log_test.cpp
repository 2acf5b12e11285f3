// The log of the real switchd where nobody reads it, as in `switchd ... 2>&1 | reader` whose reader has
// stopped.
#include <fcntl.h>
#include <sys/resource.h>

#include <filesystem>

#include "tests/support/controlled.h"
#include "tests/support/unread.h"

namespace process_log_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// Each logs a line or two.
void change_often(Controlled& lan, unsigned times) {
  for (unsigned i = 0; i < times; ++i) {
    REQUIRE(lan.ask(R"({"disable_port":{"name":"web"}})").has_ports());
    REQUIRE(lan.ask(R"({"enable_port":{"name":"web"}})").has_ports());
  }
}

}  // namespace

TEST_CASE("a log that nobody reads holds up nothing, and what of it was lost is told when it is read again") {
  const std::string kind = GENERATE(from_range(std::begin(Unread::kinds), std::end(Unread::kinds)));
  CAPTURE(kind);
  const Unread log(kind);
  log.fill();
  const auto in_child = [&] { ::dup2(log.writer(), STDERR_FILENO); };
  Controlled lan({"web=tcp-listen:127.0.0.1:0"}, "auto", {.in_child = in_child});
  change_often(lan, 20);
  std::string text = log.read();  // with what is logged meanwhile
  change_often(lan, 1);
  text += log.read_until("port web ");
  CHECK_THAT(text,
             Catch::Contains("warning: ") && Catch::Contains(" lines are not here: nobody read the log\n"));
  log.fill();
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a log of the size that a file may have costs what is not in it, and not the switch") {
  constexpr rlim_t bytes_max = 4096;
  TempFolder folder;
  const Fd log(::open(folder.path("log").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(log);
  const auto in_child = [&] {
    const rlimit limit{bytes_max, bytes_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::dup2(log.get(), STDERR_FILENO);
  };
  Controlled lan({"web=tcp-listen:127.0.0.1:0"}, "auto", {.in_child = in_child});
  change_often(lan, 60);
  CHECK(std::filesystem::file_size(folder.path("log")) == bytes_max);
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace process_log_test
