// What most files of switchd/ include from elsewhere, compiled once for all of them (CMake's precompiled headers). Only
// saves time: every file includes what it uses, and the tree compiles with CMAKE_DISABLE_PRECOMPILE_HEADERS=ON.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/ip/udp.hpp>
#include <asio/post.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "switchd/control.pb.h"
