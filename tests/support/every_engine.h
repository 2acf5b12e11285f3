// The same test of the data plane on every engine: epoll, the simulation, and io_uring where the machine has it.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/rig.h"
#include "transports/uring_engine.h"

namespace lanyard::test {

// Where the machine has no io_uring its tests cannot run; that is said, and fails nothing that we promise.
inline std::vector<std::string> engines() {
  std::vector<std::string> names{"epoll", "sim"};
  const UringCapabilities uring = probe_uring();
  if (uring.usable) names.push_back("io_uring");
  else WARN("io_uring is not tested here: " << uring.why_not);
  return names;
}

#define ON_EVERY_ENGINE                                                            \
  const std::string engine = GENERATE(from_range(::lanyard::test::engines())); \
  INFO("engine " << engine)

inline std::uint64_t drops(const Vm& vm, DropReason reason) {
  return vm.counters().drops[static_cast<std::size_t>(reason)].get();
}

}  // namespace lanyard::test
