// Tables: columns line up, nothing is cut off, nothing that the daemon says writes over the terminal.
#include "tools/lanyard/table.h"

#include <catch2/catch.hpp>

namespace table_test {

using namespace lanyard::cli;

TEST_CASE("numbers stand on the right, words on the left, and lines have no trailing spaces") {
  Table table({{"PORT"}, {"IN", Align::right}, {"NOTE"}});
  table.add({{"web"}, {"7"}, {""}});
  table.add({{"a-long-name"}, {"1.50 M"}, {"x"}});
  CHECK(table.text({}) ==
        "PORT             IN  NOTE\n"
        "web               7\n"
        "a-long-name  1.50 M  x\n");
}

TEST_CASE("a table without rows is its header line") { CHECK(Table({{"TO"}, {"OF"}}).text({}) == "TO  OF\n"); }

TEST_CASE("colours do not count as width, and are there only where they are wanted") {
  Table table({{"STATE"}, {"X"}});
  table.add({{"up", Colour::green}, {"1"}});
  CHECK(table.text({}) == "STATE  X\nup     1\n");
  CHECK(table.text({true}) == "\x1b[1mSTATE\x1b[0m  \x1b[1mX\x1b[0m\n\x1b[32mup\x1b[0m     1\n");
}

TEST_CASE("characters count, not bytes") {
  Table table({{"A"}, {"B"}});
  table.add({{"\xc3\xbc\xc3\xbc"}, {"1"}});
  CHECK(table.text({}) == "A   B\n\xc3\xbc\xc3\xbc  1\n");
}

TEST_CASE("escape sequences in a name are spelled out") {
  Table table({{"A"}});
  table.add({{"/tmp/\x1b[2J\n"}});
  CHECK(table.text({}) == "A\n/tmp/\\x1b[2J\\x0a\n");
}

}  // namespace table_test
