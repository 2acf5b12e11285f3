// The host's resolvers as resolv.conf(5) names them, followed when the file changes. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transports/socket_address.h"

namespace lanyard {

// The `nameserver` lines, in order, at most as many as glibc takes (3); port 53. Without any, this host itself.
[[nodiscard]] std::vector<SocketAddress> parse_resolv_conf(std::string_view text);

class Resolvers {
 public:
  explicit Resolvers(std::string path = "/etc/resolv.conf") : path_(std::move(path)) {}

  // Looks at the file again, at most once a second. Never empty.
  [[nodiscard]] const std::vector<SocketAddress>& current(std::int64_t now_ms);

 private:
  std::string path_;
  std::vector<SocketAddress> servers_;
  std::int64_t looked_ms_ = 0;
  std::string seen_;  // what the file said
};

}  // namespace lanyard
