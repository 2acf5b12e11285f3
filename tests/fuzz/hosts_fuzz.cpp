// Feeds the reader of hosts(5). Whatever comes, no name leads a guest to itself by the host's loopback or to a group, names
// are as queries have them, and a table written from what was read gives each address the same first name.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "frames/dns.h"
#include "switchd/gateway/hosts_file.h"

using namespace lanyard;

namespace {

// The words of the text that may be names.
template <typename Visit>
void for_each_word(std::string_view text, Visit visit) {
  constexpr std::string_view separators = " \t\r\n\v\f#";
  while (!text.empty()) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(separators));
    if (!word.empty()) visit(normal_dns_name(word));
    text.remove_prefix(word.size());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const HostNames names = parse_hosts(text);
  LANYARD_CHECK(names.size() <= HostNames::names_max);
  LANYARD_CHECK(names.find("") == nullptr && names.find("localhost") == nullptr);
  for_each_word(text, [&](const std::string& name) {
    const HostNames::Entry* entry = names.find(name);
    if (entry == nullptr) return;
    LANYARD_CHECK(entry->loopback || !entry->addresses.empty() || !entry->addresses6.empty());
    LANYARD_CHECK(entry->addresses.size() <= HostNames::addresses_of_name_max);
    for (const Ipv4Address address : entry->addresses) {
      LANYARD_CHECK(address.value() >> 24 != 127 && !address.is_multicast() && !address.is_broadcast());
      const std::string* first = names.name_of(address);
      LANYARD_CHECK(address.is_unspecified() ? first == nullptr : first != nullptr && names.find(*first) != nullptr);
      const HostNames twin = parse_hosts(to_string(address) + " " + name + ".\n");
      LANYARD_CHECK(twin.size() == 1 && twin.find(name)->addresses.front() == address);
    }
    for (const Ipv6Bytes& address : entry->addresses6)
      LANYARD_CHECK(address == Ipv6Bytes{} || address[0] != std::byte{0xFF});
  });
  return 0;
}
