// What a router's advertisement tells (RFC 4861, 4.2; DNS servers and search domains: RFC 8106), changed: a
// gateway's stack writes them and knows nothing of its configuration. Codec only; pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "frames/ndp.h"

namespace lanyard {

// What guests are told by a router beside its prefix.
struct RouterNews {
  bool is_default_router = true;     // else it tells of its prefix only (router lifetime 0)
  std::vector<Ipv6Bytes> resolvers;  // DNS servers (RFC 8106, 5.1); at most 127
  // Domains (RFC 8106, 5.2), each of labels of at most 63 bytes; those beyond 512 bytes in all are left out,
  // so that every link can carry them.
  std::vector<std::string> search{};
  friend bool operator==(const RouterNews&, const RouterNews&) = default;
};
// `frame`, a router advertisement, with these in place of what it told of them, and of the MAC that it comes from; its
// flags for DHCPv6 are cleared, which nobody answers. Nothing where it is none, or not whole.
[[nodiscard]] std::optional<std::vector<std::byte>> change_router_advertisement(std::span<const std::byte> frame,
                                                                               const RouterNews& news);

}  // namespace lanyard
