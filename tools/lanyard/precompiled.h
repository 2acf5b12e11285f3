// What most files of the command include from elsewhere, compiled once; see switchd/precompiled.h.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "switchd/control.pb.h"
