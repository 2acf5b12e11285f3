// What a `nat` port needs to be told as a whole: addresses that were left out, and what does not go together.
#pragma once

#include <vector>

#include "switchd/config.h"

namespace lanyard {

// Fills in and checks all nat ports; part of complete(). `by_age` are all ports of `config`: of two that do not go
// together the later one is at fault.
void complete_nat(Config& config, const std::vector<const PortConfig*>& by_age, std::vector<ConfigError>& errors);

}  // namespace lanyard
