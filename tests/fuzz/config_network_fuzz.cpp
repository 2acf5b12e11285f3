// Feeds NAME[:KIND][,KEY=VALUE]... of a network. Whatever comes, one that is accepted keeps its promises, and written
// back it reads the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "frames/check.h"
#include "switchd/network_keys.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  WrittenNetwork written;
  if (!take_apart_network(text, written).empty()) return 0;
  LANYARD_CHECK(!written.name.empty() && written.name.size() <= limits::port_name_bytes_max);
  NetworkConfig network;
  if (!read_network_keys(written.keys, network).empty()) return 0;
  LANYARD_CHECK(network.ageing_s >= 1 && network.ageing_s <= limits::ageing_s_max);
  LANYARD_CHECK(network.rewind_mib <= limits::rewind_mib_max);

  std::string again = written.name;
  for (const auto& [key, value] : written_keys(network)) again += "," + key + "=" + value;
  WrittenNetwork twice;
  LANYARD_CHECK(take_apart_network(again, twice).empty() && twice.name == written.name);
  NetworkConfig twin;
  LANYARD_CHECK(read_network_keys(twice.keys, twin).empty() && twin == network);
  return 0;
}
