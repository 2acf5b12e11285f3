// An always-on check for programmer's errors: states what was expected, then ends the process. Operating errors
// (a peer, a full queue, a refused call) never come here; they are values.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace lanyard {

[[noreturn]] inline void check_failed(const char* file, int line, const char* expected) {
  std::fprintf(stderr, "%s:%d: check failed, expected: %s\n", file, line, expected);
  std::abort();
}

}  // namespace lanyard

#define LANYARD_CHECK(condition) \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void(0) \
                                                     : ::lanyard::check_failed(__FILE__, __LINE__, #condition))
