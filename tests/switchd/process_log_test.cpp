// The log of the real switchd where nobody reads it, as in `switchd ... 2>&1 | reader` whose reader has
// stopped.
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

}  // namespace process_log_test
