// Sizes of the frame pools, and what bounds them; see the header.
#include "switchd/memory_plan.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "switchd/control/words.h"

namespace lanyard {

namespace {

// Enough for all but frames: stacks, captures, tables of stations, the program itself.
constexpr std::size_t rest_bytes = 512 * limits::mebi;

void narrow(std::optional<MemoryBound>& bound, std::size_t bytes, std::string_view name) {
  if (!bound || bytes < bound->bytes) bound = MemoryBound{bytes, std::string(name)};
}

// The pages that this process has as address space, and as private writable memory (proc(5), /proc/self/statm).
struct OwnPages {
  std::size_t space = 0;
  std::size_t data = 0;
};

OwnPages own_pages() {
  OwnPages own;
  std::size_t resident = 0, shared = 0, text = 0, library = 0;
  std::ifstream("/proc/self/statm") >> own.space >> resident >> shared >> text >> library >> own.data;
  return own;
}

void narrow_by_limit(std::optional<MemoryBound>& bound, int resource, std::size_t used_pages, std::string_view name) {
  rlimit limit{};
  if (::getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::size_t used = used_pages * limits::page_bytes;
  narrow(bound, limit.rlim_cur - std::min<std::size_t>(used, limit.rlim_cur), name);
}

// /proc/self/cgroup has lines NUMBER:CONTROLLERS:PATH; version 2 has no controllers there (cgroups(7)).
void narrow_by_control_groups(std::optional<MemoryBound>& bound) {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string_view group = std::string_view(line).substr(second + 1);
    std::optional<std::size_t> limit;
    if (controllers == ",,") limit = control_group_limit("/sys/fs/cgroup", group, "memory.max");
    else if (controllers.find(",memory,") != std::string::npos)
      limit = control_group_limit("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
    if (limit) narrow(bound, *limit, "the memory of its control group");
  }
}

}  // namespace

PoolSizes pool_sizes(std::size_t bytes) {
  using namespace limits;
  static_assert(memory_bytes_max < SIZE_MAX / slots_max);
  PoolSizes sizes;
  sizes.slots = std::max(slots_min, bytes * slots_max / memory_bytes_default);
  sizes.chunks = (bytes - sizes.slots * slot_bytes) / chunk_bytes;
  return sizes;
}

std::optional<std::size_t> control_group_limit(const std::string& root, std::string_view group, std::string_view file) {
  std::optional<std::size_t> least;
  std::string at(group);
  while (!at.empty() && at.back() == '/') at.pop_back();
  while (true) {
    std::ifstream text(fmt::format("{}{}/{}", root, at, file));
    std::size_t limit = 0;
    constexpr std::size_t none = std::size_t{1} << 60;  // version 1 says so by a number near 2^63; version 2 by a word
    if (text >> limit && limit < none && (!least || limit < *least)) least = limit;
    if (at.empty()) return least;
    at.resize(std::min(at.rfind('/'), at.size() - 1));
  }
}

std::optional<MemoryBound> memory_bound() {
  std::optional<MemoryBound> bound;
  const OwnPages own = own_pages();
  narrow_by_limit(bound, RLIMIT_AS, own.space, "the address space (ulimit -v)");
  narrow_by_limit(bound, RLIMIT_DATA, own.data, "the data segment (ulimit -d)");
  narrow_by_control_groups(bound);
  return bound;
}

std::size_t memory_by_default(const std::optional<MemoryBound>& bound) {
  using namespace limits;
  if (!bound) return memory_bytes_default;
  const std::size_t left = bound->bytes > rest_bytes ? bound->bytes - rest_bytes : 0;
  return std::clamp(std::max(left, bound->bytes / 2), memory_bytes_min, memory_bytes_default);
}

std::optional<std::size_t> parse_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  std::string unit(text.substr(digits));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::tolower(c); });
  std::size_t factor = 1;
  constexpr std::string_view letters = "kmg";
  if (!unit.empty() && unit != "b") {
    const std::size_t power = letters.find(unit.front());
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) return std::nullopt;
    factor = std::size_t{1} << (10 * (power + 1));
  }
  const auto number = parse_number(text.substr(0, digits), 0, SIZE_MAX / factor);
  if (!number) return std::nullopt;
  return *number * factor;
}

std::string in_mebibytes(std::size_t bytes) {
  return fmt::format("{} MiB", (bytes + limits::mebi - 1) / limits::mebi);
}

}  // namespace lanyard
