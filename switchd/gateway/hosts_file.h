// The host's own table of names, hosts(5), as far as it is of use to guests, followed when the file changes.
//
// Left out, since they would lead a guest to itself, or mean something on one link of the host only:
// localhost, in whatever domain, and what is below it, groups, link-local IPv6 addresses, and ::1. Names at
// 127.0.0.0/8 (Debian gives the host's own name there) are known, without the address: who may reach the
// host's loopback reaches it by another. 0.0.0.0 and :: stay as they are: tables that block names are made of
// them.
//
// Bounded: bytes of the file, names, addresses of a name; what is beyond is left out. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/ndp.h"

namespace lanyard {

class HostNames {
 public:
  static constexpr std::size_t names_max = 65536;
  static constexpr std::size_t addresses_of_name_max = 8;  // of each kind

  struct Entry {
    std::vector<Ipv4Address> addresses;  // in the order of the file
    std::vector<Ipv6Bytes> addresses6;
    bool loopback = false;  // also at the host's loopback
  };

  // `name` in lower case, without a dot at its end. nullptr: none.
  [[nodiscard]] const Entry* find(const std::string& name) const;
  // The first name of an address; nullptr: none.
  [[nodiscard]] const std::string* name_of(Ipv4Address address) const;
  [[nodiscard]] const std::string* name_of(const Ipv6Bytes& address) const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  friend HostNames parse_hosts(std::string_view text);
  void take_line(std::string_view line);

  std::unordered_map<std::string, Entry> entries_;
  std::map<Ipv4Address, std::string> names4_;
  std::map<Ipv6Bytes, std::string> names6_;
};

[[nodiscard]] HostNames parse_hosts(std::string_view text);

class HostsFile {
 public:
  static constexpr std::size_t file_bytes_max = 4UL * 1024 * 1024;

  explicit HostsFile(std::string path = "/etc/hosts") : path_(std::move(path)) {}

  // Looks whether the file has changed, once a second at most. A file that is not there, or cannot be read, leaves what
  // was known: it may be being replaced.
  [[nodiscard]] const HostNames& current(std::int64_t now_s);

 private:
  // Which file, and how it is: when one of these changes, it is read again.
  struct Version {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t bytes = 0;
    std::int64_t changed_s = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Version&, const Version&) = default;
  };

  std::string path_;
  HostNames names_;
  Version seen_;
  std::int64_t looked_s_ = -1;
};

}  // namespace lanyard
