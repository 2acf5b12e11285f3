// Feeds the reader of resolv.conf. Whatever comes, there are one to three resolvers, at the port of DNS, and a file
// that names them as they print is read as the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "frames/dns.h"
#include "switchd/gateway/resolvers.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto servers = parse_resolv_conf({reinterpret_cast<const char*>(data), size});
  LANYARD_CHECK(!servers.empty() && servers.size() <= 3);
  std::string twin;
  bool scoped = false;
  for (const SocketAddress& server : servers) {
    LANYARD_CHECK(server.port() == dns_port && (server.family() == AF_INET || server.family() == AF_INET6));
    scoped = scoped || (server.family() == AF_INET6 && server.v6.sin6_scope_id != 0);
    std::string text = to_string(server);
    text.resize(text.rfind(':'));
    if (text.front() == '[') text = text.substr(1, text.size() - 2);
    twin += "nameserver " + text + "\n";
  }
  if (!scoped) LANYARD_CHECK(parse_resolv_conf(twin) == servers);
  return 0;
}
