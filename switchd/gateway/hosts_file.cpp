// Reading hosts(5); see the header.
#include "switchd/gateway/hosts_file.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "frames/dns.h"
#include "transports/fd.h"

namespace lanyard {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

// Cuts the next word off `line`.
std::string_view next_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(blanks));
  line.remove_prefix(word.size());
  return word;
}

bool is_loopback(Ipv4Address address) { return address.value() >> 24 == 127; }
bool is_group(Ipv4Address address) { return address.value() >> 28 >= 0xE; }
bool is_unspecified(const Ipv6Bytes& address) { return address == Ipv6Bytes{}; }

std::optional<Ipv6Bytes> parse_ipv6(std::string_view text) {
  Ipv6Bytes address;
  if (inet_pton(AF_INET6, std::string(text).c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

// Not of one link, no group, and no IPv4 address in other clothes, ::1 among them (RFC 4291, 2.5.5).
bool is_of_use(const Ipv6Bytes& address) {
  if (is_unspecified(address)) return true;
  const bool first_80_are_0 =
      std::all_of(address.begin(), address.begin() + 10, [](std::byte byte) { return byte == std::byte{0}; });
  return !first_80_are_0 && address[0] < std::byte{0xFE};
}

// Also as `localhost.lan`, which a guest asks for that puts its search domain behind all names.
bool is_localhost(std::string_view name) {
  return name == "localhost" || name.starts_with("localhost.") || name.ends_with(".localhost");
}

template <typename Address>
void add(std::vector<Address>& addresses, const Address& address) {
  const bool known = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
  if (!known && addresses.size() < HostNames::addresses_of_name_max) addresses.push_back(address);
}

template <typename Map, typename Key>
auto* found(Map& map, const Key& key) {
  const auto known = map.find(key);
  return known == map.end() ? nullptr : &known->second;
}

}  // namespace

const HostNames::Entry* HostNames::find(const std::string& name) const { return found(entries_, name); }
const std::string* HostNames::name_of(Ipv4Address address) const { return found(names4_, address); }
const std::string* HostNames::name_of(const Ipv6Bytes& address) const { return found(names6_, address); }

void HostNames::take_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::string_view written = next_word(line);
  const auto v4 = parse_ipv4(written);
  const auto v6 = v4 ? std::nullopt : parse_ipv6(written);
  if (!(v4 && !is_group(*v4)) && !(v6 && is_of_use(*v6))) return;
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    const std::string name = normal_dns_name(word);
    if (name.empty() || is_localhost(name)) continue;
    if (entries_.size() == names_max && !entries_.contains(name)) return;
    Entry& entry = entries_[name];
    if (v6) {
      add(entry.addresses6, *v6);
      if (!is_unspecified(*v6)) names6_.try_emplace(*v6, name);
    } else if (is_loopback(*v4)) {
      entry.loopback = true;
    } else {
      add(entry.addresses, *v4);
      if (!v4->is_unspecified()) names4_.try_emplace(*v4, name);
    }
  }
}

HostNames parse_hosts(std::string_view text) {
  HostNames names;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    names.take_line(line);
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return names;
}

const HostNames& HostsFile::current(std::int64_t now_s) {
  if (now_s == looked_s_) return names_;
  looked_s_ = now_s;
  struct stat file{};
  if (::stat(path_.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return names_;
  const Version version{file.st_dev, file.st_ino, file.st_size, file.st_mtim.tv_sec, file.st_mtim.tv_nsec};
  if (version == seen_) return names_;
  const Fd fd(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return names_;
  std::string text;
  std::array<char, 65536> part;
  for (ssize_t got; text.size() < file_bytes_max && (got = ::read(fd.get(), part.data(), part.size())) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return names_;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  seen_ = version;
  names_ = parse_hosts(text);
  return names_;
}

}  // namespace lanyard
