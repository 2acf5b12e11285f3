// Where the control plane runs what others asked for: an exception that nobody has thought of is logged, and costs what
// was being done, not the daemon. Control thread only; the data thread has no exceptions.
#pragma once

#include <exception>

#include "switchd/log.h"

namespace lanyard {

// False: it has thrown.
template <typename Do>
bool guarded(const char* what, Do&& run) {
  try {
    run();
    return true;
  } catch (const std::exception& fault) {
    log_error("internal fault: {}: {}", what, fault.what());
  } catch (...) {
    log_error("internal fault: {}", what);
  }
  return false;
}

}  // namespace lanyard
