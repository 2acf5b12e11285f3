// A test that cannot be made on this machine: it says why, and ctest lists it as skipped, never as passed
// (tests/catch_main.cpp).
#pragma once

#include <string>

namespace lanyard::test {

// To be followed by the end of the test case.
void skip(const std::string& why);

}  // namespace lanyard::test

#define SKIP_TEST(why)            \
  do {                            \
    ::lanyard::test::skip(why);   \
    return;                       \
  } while (false)
