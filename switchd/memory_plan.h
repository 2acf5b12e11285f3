// How much memory there is for frames, and how it is divided into buffers. Frame memory is address space first and pages
// as frames touch them (frames/limits.h). Where a limit of this process leaves less than the default, as in a batch job
// or a small container, there are fewer buffers: fewer streams can receive at one time, and queues hold less. Control
// thread, at the start.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "frames/limits.h"

namespace lanyard {

namespace limits {

// Not fewer buffers than these: what an engine receives into at one time, and as much again to be queued.
inline constexpr std::size_t chunks_min = 64;
inline constexpr std::size_t slots_min = 256;
inline constexpr std::size_t memory_bytes_default = chunks_max * chunk_bytes + slots_max * slot_bytes;
inline constexpr std::size_t memory_bytes_min = chunks_min * chunk_bytes + slots_min * slot_bytes;
inline constexpr std::size_t memory_bytes_max = 64 * kibi * mebi;

static_assert(slots_min - slots_min / 4 > 2 * datagrams_per_receive, "an engine's receive buffers, and some to be queued");
static_assert(memory_bytes_default < memory_bytes_max && memory_bytes_max / chunk_bytes < UINT32_MAX);

}  // namespace limits

struct PoolSizes {
  std::size_t chunks = limits::chunks_max;
  std::size_t slots = limits::slots_max;
  [[nodiscard]] std::size_t bytes() const { return chunks * limits::chunk_bytes + slots * limits::slot_bytes; }
  friend bool operator==(const PoolSizes&, const PoolSizes&) = default;
};

// As many buffers as fit in `bytes`, in the proportion of the default. REQUIRES: memory_bytes_min to memory_bytes_max.
[[nodiscard]] PoolSizes pool_sizes(std::size_t bytes);

// What bounds this process: how much more it may take, and the name of the bound.
struct MemoryBound {
  std::size_t bytes = 0;
  std::string name;  // "the address space (ulimit -v)"
};
// The narrowest of: address space and data of this process (setrlimit(2)), its control group and those above (cgroups(7),
// versions 1 and 2). Nothing: there is none.
[[nodiscard]] std::optional<MemoryBound> memory_bound();
// Of a control group: the least limit from `group` (a path such as "/job/step") up to `root` (the folder of the
// hierarchy, whose file with the limit is called `file`). Nothing: no limit.
[[nodiscard]] std::optional<std::size_t> control_group_limit(const std::string& root, std::string_view group,
                                                             std::string_view file);

// Frame memory where nobody says how much: the default, or what of `bound` is not kept for everything else.
[[nodiscard]] std::size_t memory_by_default(const std::optional<MemoryBound>& bound);

// A number with K, M or G (of 1024 each; KiB, MB and the like are the same), or of bytes. Nothing where it is not one.
[[nodiscard]] std::optional<std::size_t> parse_size(std::string_view text);
[[nodiscard]] std::string in_mebibytes(std::size_t bytes);  // "38 MiB": whole ones, rounded up

}  // namespace lanyard
