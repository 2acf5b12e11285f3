// The folder of the file of leases; see the header.
#include "switchd/gateway/lease_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace lanyard {

namespace {

// A folder that leases can be kept in: made where it is missing, and one that this process may write to. Root
// could write to anybody's, but its files would be in the way there. Empty, or why not.
std::string why_not_to_keep_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::path there = folder;  // what there is of it
  while (!std::filesystem::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  struct stat status {};
  if (::geteuid() == 0 && ::stat(there.c_str(), &status) == 0 && status.st_uid != 0)
    return fmt::format("{} is user {}'s", there.string(), status.st_uid);
  std::filesystem::create_directories(folder, error);
  if (error) return fmt::format("{}: {}", folder.string(), error.message());
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return fmt::format("{}: {}", folder.string(), std::strerror(errno));
  return {};
}

}  // namespace

LeasePath find_lease_path(const std::string& port) {
  const auto from = [](const char* name, const char* below) {
    const char* value = std::getenv(name);
    const std::string first(
        value == nullptr ? "" : std::string_view(value).substr(0, std::string_view(value).find(':')));
    return first.starts_with('/') ? std::filesystem::path(first) / below : std::filesystem::path();
  };
  const std::string file = "leases-" + port + ".json";
  std::string all_wrong;
  for (const auto& folder : {from("STATE_DIRECTORY", ""), from("XDG_STATE_HOME", "lanyard"),
                             from("HOME", ".local/state/lanyard")}) {
    if (folder.empty()) continue;
    const std::string wrong = why_not_to_keep_in(folder);
    if (wrong.empty())
      return {(folder / file).string(),
              all_wrong.empty() ? "" : fmt::format("leases are kept in {}: {}", folder.string(), all_wrong)};
    all_wrong += (all_wrong.empty() ? "" : "; ") + wrong;
  }
  if (all_wrong.empty()) all_wrong = "none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set";
  return {"", "leases are kept in memory only: " + all_wrong};
}

}  // namespace lanyard
