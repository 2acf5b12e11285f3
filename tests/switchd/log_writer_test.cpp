// Lines to descriptors that nobody reads: nobody waits, no line is cut, and what is lost is told.
#include "switchd/log_writer.h"

#include <catch2/catch.hpp>

#include "tests/support/unread.h"

namespace log_writer_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

std::string lost_line(std::uint64_t lost) { return std::to_string(lost) + " lost\n"; }

// The lines "1", "2" and so on, each filled up to `bytes`, until some are lost. Returns how many were taken.
unsigned write_until_lost(LogWriter& writer, std::size_t bytes, std::string& taken) {
  for (unsigned number = 1;; ++number) {
    const std::string line = std::to_string(number) + std::string(bytes, '-') + "\n";
    writer.write(line, lost_line);
    if (writer.lost() > 0) return number - 1;
    taken += line;
  }
}

}  // namespace

TEST_CASE(
    "lines that nobody reads are lost and not waited for, and their number is told before the next that "
    "fits") {
  const std::string kind = GENERATE(from_range(std::begin(Unread::kinds), std::end(Unread::kinds)));
  const std::size_t bytes = GENERATE(10U, 200U, 3000U, 9000U);
  CAPTURE(kind, bytes);
  const Unread unread(kind);
  LogWriter writer(unread.writer());
  std::string taken;
  CHECK(write_until_lost(writer, bytes, taken) > 0);
  for (int more = 0; more < 4; ++more) writer.write("lost\n", lost_line);
  std::string read = unread.read();
  const std::uint64_t lost = writer.lost();
  CHECK(lost >= 1);
  for (const Deadline deadline; writer.lost() > 0 && !deadline.passed(); read += unread.read())
    writer.write("next\n", lost_line);
  writer.write("last\n", lost_line);
  read += unread.read();
  REQUIRE(read.starts_with(taken));
  const std::string told = read.substr(taken.size());
  CHECK(told.find(" lost\n") != std::string::npos);
  CHECK(told.ends_with("last\n"));
  CHECK(writer.lost() == 0);
}

TEST_CASE("a line is written whole, however little fits at once") {
  const std::string kind = GENERATE(from_range(std::begin(Unread::kinds), std::end(Unread::kinds)));
  CAPTURE(kind);
  const Unread unread(kind);
  LogWriter writer(unread.writer());
  const std::string line = std::string(1'000'000, 'x') + "\n";
  writer.write(line, lost_line);
  CHECK(writer.lost() == 0);
  std::string read = unread.read();
  CHECK(read.size() < line.size());
  unsigned told = 0;
  for (const Deadline deadline; !read.ends_with("end\n");) {
    REQUIRE_FALSE(deadline.passed());
    writer.write("end\n", lost_line);
    ++told;
    read += unread.read();
  }
  CHECK(read.starts_with(line));
  CHECK(told > 1);
}

TEST_CASE("where there is no descriptor lines are lost, and nothing else") {
  LogWriter none(-1);
  none.write("line\n", lost_line);
  CHECK(none.lost() == 1);
}

}  // namespace log_writer_test
