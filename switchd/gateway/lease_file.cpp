// The file of leases; see the header.
#include "switchd/gateway/lease_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

namespace lanyard {

using nlohmann::json;

namespace {

constexpr std::size_t file_bytes_max = 4 * 1024 * 1024;

bool write_all(const Fd& fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::string failed(const std::string& doing, const std::string& path) {
  return fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno));
}

}  // namespace

std::string write_lease_text(const std::vector<Lease>& leases) {
  json document = {{"version", 1}, {"leases", json::array()}};
  for (const Lease& lease : leases)
    document["leases"].push_back({{"mac", to_string(lease.mac)},
                                  {"address", to_string(lease.address)},
                                  {"name", lease.name},
                                  {"expires", lease.expires_s}});
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

bool read_lease_text(const std::string& text, std::vector<Lease>& leases) try {
  const json document = json::parse(text);
  if (document.at("version") != 1) return false;
  std::vector<Lease> read;
  for (const json& entry : document.at("leases").get_ref<const json::array_t&>()) {
    const auto mac = parse_mac(entry.at("mac").get<std::string>());
    const auto address = parse_ipv4(entry.at("address").get<std::string>());
    const json& expires = entry.at("expires");
    if (!mac || !address || !expires.is_number_integer()) return false;
    read.push_back({*mac, *address, entry.at("name"), Lease::State::bound, expires.get<std::int64_t>()});
  }
  leases.insert(leases.end(), read.begin(), read.end());
  return true;
} catch (const std::exception&) {
  return false;
}

LeaseLock lock_leases(const std::string& path, std::chrono::milliseconds time_max) {
  const std::string beside = path + ".lock";
  Fd file(::open(beside.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return {Fd(), false, failed("lock", beside)};
  const auto end = std::chrono::steady_clock::now() + time_max;
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return {Fd(), false, failed("lock", beside)};
    if (std::chrono::steady_clock::now() >= end)
      return {Fd(), true, path + " is in use by another gateway: leases of this one are kept in memory only"};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return {std::move(file), false, {}};
}

std::string save_leases(const std::string& path, const std::vector<Lease>& leases) {
  const std::string fresh = path + ".new";
  Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return failed("write", fresh);
  const bool written = write_all(file, write_lease_text(leases));
  if (written && ::rename(fresh.c_str(), path.c_str()) == 0) return {};
  const std::string wrong = written ? failed("replace", path) : failed("write", fresh);
  (void)::unlink(fresh.c_str());
  return wrong;
}

// The file, and its folder, which says that this is the one of that name.
void sync_leases(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  for (const std::string& each : {path, folder}) {
    const Fd file(::open(each.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file) (void)::fsync(file.get());
  }
}

std::vector<Lease> load_leases(const std::string& path, std::string& wrong) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno != ENOENT) wrong = failed("read", path);
    return {};
  }
  std::string text;
  std::array<char, 65536> part;
  for (ssize_t got; (got = ::read(file.get(), part.data(), part.size())) != 0;) {
    if (got < 0) {
      wrong = failed("read", path);
      return {};
    }
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > file_bytes_max) break;
  }
  std::vector<Lease> leases;
  if (text.size() > file_bytes_max || !read_lease_text(text, leases)) {
    wrong = fmt::format("{} is no file of leases; it is replaced when the next lease is given", path);
    leases.clear();
  }
  return leases;
}

}  // namespace lanyard
