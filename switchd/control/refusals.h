// What several verbs say when they refuse. Control thread only.
#pragma once

#include <string>

#include "switchd/topology.h"

namespace lanyard::control {

[[nodiscard]] Refusal invalid(std::string message);
// With the names that there are, or the one that was perhaps meant.
[[nodiscard]] Refusal unknown_port(Topology& topology, const std::string& name);
[[nodiscard]] Refusal unknown_network(const Topology& topology, const std::string& name);

}  // namespace lanyard::control
