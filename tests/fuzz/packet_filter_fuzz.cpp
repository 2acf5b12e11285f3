// Any capture filter on any frame: an expression put together from words of pcap-filter(7), one for each byte up to a
// zero, then the frame. Names are not among the words: libpcap would ask a name server for them.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "frames/check.h"
#include "switchd/packet_filter.h"

using namespace lanyard;

namespace {

constexpr std::array words = {
    "",       "and",        "or",       "not",   "(",       ")",        "host 10.0.2.15", "net 10.0.0.0/8",
    "port",   "22",         "src",      "dst",   "tcp",     "udp",      "arp",            "icmp",
    "ip",     "ip6",        "icmp6",    "vlan",  "100",     "ether",    "broadcast",      "multicast",
    "proto",  "0x0800",     "greater",  "less",  "64",      "portrange 1-1023",
    "host fe80::1", "ether host 52:54:00:00:00:01",
    "ether[", "ip[",        "tcp[",     "0",     "12:2",    "]",        "=",              "!=",
    "&",      "|",          "<<",       ">",     "+",       "/",        "%",              "len",
    "mpls",   "pppoes",     "geneve",   "link[", "stp",     "ip protochain", "ip6 protochain", "4294967295"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::size_t at = 0;
  std::string expression;
  for (; at < size && data[at] != 0 && at < 64; ++at) expression += std::string(words[data[at] % words.size()]) + " ";
  const auto result = PacketFilter::compile(expression);
  if (const auto* error = std::get_if<std::string>(&result)) {
    LANYARD_CHECK(!error->empty());
    return 0;
  }
  const PacketFilter& filter = std::get<PacketFilter>(result);
  const auto* bytes = reinterpret_cast<const std::byte*>(data) + at;
  const std::vector<std::byte> frame(bytes, bytes + (size - at));
  LANYARD_CHECK(filter.matches(frame) == filter.matches(frame));
  if (expression.empty()) LANYARD_CHECK(filter.matches(frame));
  return 0;
}
