// What a `nat` port needs to be told as a whole: addresses that were left out, and what does not go together.
#pragma once

#include <vector>

#include "switchd/config.h"

namespace lanyard {

// Fills in and checks all nat ports; part of complete().
void complete_nat(Config& config, std::vector<ConfigError>& errors);

}  // namespace lanyard
