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

// `auto` takes what the benchmark shows to be faster (docs/PERFORMANCE.md): io_uring where there are streams, epoll
// where all ports are datagrams. Where the kernel does not let us have io_uring, epoll takes over, with a remark that
// says why.
[[nodiscard]] ChosenEngine choose_engine(EngineChoice choice, bool any_stream, const UringCapabilities& uring);

// Does any port of the configuration carry a stream?
[[nodiscard]] bool has_stream_port(const Config& config);

}  // namespace lanyard
