// What to give QEMU so that a VM joins by a port. Pure.
#pragma once

#include <string>
#include <vector>

#include "switchd/config.h"

namespace lanyard::control {

// One way to write it each, the best first; empty: the port is not for VMs. `bound` is the address as bound.
// Source: QEMU 7.2, qemu-options.hx (-netdev stream, dgram, socket).
[[nodiscard]] std::vector<std::string> qemu_lines(const PortConfig& port, const std::string& bound);

}  // namespace lanyard::control
