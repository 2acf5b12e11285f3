// Feeds the reader of resolv.conf. Whatever comes, there are one to three resolvers, at the port of DNS, and a file
// that names them as they print is read as the same; search domains are names as DNS has them, few, and each once.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "frames/dns.h"
#include "switchd/gateway/resolvers.h"

using namespace lanyard;

namespace {

void check_search_domains(std::string_view text) {
  const auto domains = parse_search_domains(text);
  LANYARD_CHECK(domains.size() <= search_domains_max);
  std::string twin = "search";
  for (const std::string& domain : domains) {
    LANYARD_CHECK(!domain.empty() && normal_dns_name(domain) == domain);
    twin += " " + domain;
  }
  LANYARD_CHECK(parse_search_domains(twin) == domains);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto servers = parse_resolv_conf({reinterpret_cast<const char*>(data), size});
  check_search_domains({reinterpret_cast<const char*>(data), size});
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
