// Numbers for people, and durations as they type them.
#include "tools/lanyard/units.h"

#include <catch2/catch.hpp>

namespace units_test {

using namespace lanyard::cli;

TEST_CASE("small counts are exact, large ones have three digits and a unit") {
  CHECK(count_text(0) == "0");
  CHECK(count_text(9999) == "9999");
  CHECK(count_text(10'000) == "10.0 k");
  CHECK(count_text(999'400) == "999 k");
  CHECK(count_text(999'999) == "1.00 M");
  CHECK(count_text(1'500'000) == "1.50 M");
  CHECK(count_text(18'446'744'073'709'551'615u) == "18.4 E");
}

TEST_CASE("bytes have units of 1024") {
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1024) == "1.00 KiB");
  CHECK(bytes_text(1'572'864) == "1.50 MiB");
  CHECK(bytes_text(18'446'744'073'709'551'615u) == "16.0 EiB");
}

TEST_CASE("a time span has its two largest units") {
  CHECK(duration_text(0) == "0 ms");
  CHECK(duration_text(12'999) == "12 s");
  CHECK(duration_text(303'000) == "5 min 3 s");
  CHECK(duration_text(3 * 3'600'000 + 5 * 60'000) == "3 h 5 min");
  CHECK(duration_text(12ull * 86'400'000 + 3 * 3'600'000) == "12 d 3 h");
}

TEST_CASE("a moment has milliseconds") {
  const std::string text = clock_text(1'700'000'000'250'000'000);
  CHECK(text.size() == 12);
  CHECK(text.ends_with(":20.250"));
}

TEST_CASE("durations are a number and a unit") {
  CHECK(parse_duration_ms("500ms") == 500u);
  CHECK(parse_duration_ms("30s") == 30'000u);
  CHECK(parse_duration_ms("5m") == 300'000u);
  CHECK(parse_duration_ms("1h") == 3'600'000u);
  for (const char* wrong :
       {"", "5", "s", "0s", "-1s", "5 s", "5d", "1.5s", "5mm", "99999999999999999999s", "99999999h"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_duration_ms(wrong));
  }
}

}  // namespace units_test
