// The host's resolvers as resolv.conf(5) names them, followed when the file changes. One that was silent is asked last for
// a while, so that not each query waits for it; then one query tries it again. Bounded by what glibc takes. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "transports/socket_address.h"

namespace lanyard {

// The `nameserver` lines, in order, at most as many as glibc takes (3); port 53. Without any, this host itself.
[[nodiscard]] std::vector<SocketAddress> parse_resolv_conf(std::string_view text);

// The domains in which a host looks up names without a dot, as the last `search` or `domain` line has them: lower case, at
// most search_domains_max. What is no domain is left out, and so is the root.
inline constexpr std::size_t search_domains_max = 6;
[[nodiscard]] std::vector<std::string> parse_search_domains(std::string_view text);

class Resolvers {
 public:
  explicit Resolvers(std::string path = "/etc/resolv.conf") : path_(std::move(path)) {}

  // Looks at the file again, at most once a second. Never empty.
  [[nodiscard]] const std::vector<SocketAddress>& current(std::int64_t now_ms);
  [[nodiscard]] const std::vector<std::string>& search_domains(std::int64_t now_ms);
  // The same in the order in which the query that begins now should ask them.
  [[nodiscard]] std::vector<SocketAddress> to_ask(std::int64_t now_ms);

  // It has answered.
  void heard(const SocketAddress& server, std::int64_t now_ms);
  // It has not answered what it was asked at `asked_ms`. One that has answered others since is well: it looks for long.
  void silent(const SocketAddress& server, std::int64_t asked_ms, std::int64_t now_ms);

 private:
  struct Health {
    std::int64_t heard_ms = -1;
    std::int64_t last_until_ms = 0;  // until then it comes last; 0: it does not
  };
  [[nodiscard]] Health* health_of(const SocketAddress& server);
  void take(const std::string& text);

  std::string path_;
  std::vector<SocketAddress> servers_;
  std::vector<Health> health_;  // of each
  std::vector<std::string> search_;
  std::int64_t looked_ms_ = 0;
  std::string seen_;  // what the file said
};

}  // namespace lanyard
