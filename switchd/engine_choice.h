// Which engine the data plane runs on.
#pragma once

#include <string>

#include "switchd/config.h"
#include "switchd/dataplane.h"
#include "transports/uring_engine.h"

namespace lanyard {

struct ChosenEngine {
  std::string name;
  EngineFactory make;
  std::string remark;  // why not what was asked for, or empty
};

// `auto` takes io_uring, which the benchmark shows to cost less in most cases (docs/PERFORMANCE.md, "Which engine").
// Where the kernel does not let us have it, epoll takes over, with a remark that says why.
[[nodiscard]] ChosenEngine choose_engine(EngineChoice choice, const UringCapabilities& uring);

}  // namespace lanyard
