// Takes from the gateway whatever it does not need, before it meets a guest's first byte: no new privileges, no core
// files, no child processes, bounded memory and descriptors, and only the system calls on a list (seccomp): a fault in
// the network stack must not become one of the host. Once; for good.
#pragma once

#include <string>

namespace lanyard {

// An empty string, or what could not be done.
[[nodiscard]] std::string enter_sandbox();

}  // namespace lanyard
