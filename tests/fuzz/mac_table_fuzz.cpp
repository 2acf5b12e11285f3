// The MAC table under any order of operations, each three bytes: what to do, a station, and a port or a time.
// The table is small, so that it grows, fills, evicts and ages within short inputs.
#include <array>
#include <cstddef>
#include <cstdint>

#include "frames/check.h"
#include "frames/mac_table.h"

using namespace lanyard;

namespace {

constexpr std::uint64_t ageing_ns = 100;
constexpr PortIndex ports = 16;

// Every station listed is found where the listing says, and the ports' shares make up the whole.
void check_whole(const MacTable& table, std::uint64_t now_ns) {
  std::array<MacTable::Entry, 16> out;
  std::size_t live = 0;
  for (std::size_t cursor = 0; cursor != MacTable::list_end;) {
    const std::size_t entries = table.list(cursor, out, now_ns);
    for (std::size_t i = 0; i < entries; ++i)
      LANYARD_CHECK(table.look_up(out[i].station, now_ns) == out[i].port);
    live += entries;
  }
  std::size_t shares = 0;
  for (PortIndex port = 0; port < ports; ++port) shares += table.size_on(port);
  LANYARD_CHECK(shares == table.size());
  LANYARD_CHECK(live <= table.size());
  LANYARD_CHECK(table.size() <= table.capacity());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  // From one station to more than the slots at the beginning have room for.
  MacTable table({.capacity = std::size_t{1} + data[0] * 5U, .ageing_ns = ageing_ns, .seed = data[1]});
  std::uint64_t now_ns = 0;
  std::uint64_t newest = 0;
  for (std::size_t at = 2; at + 3 <= size; at += 3) {
    const MacAddress station(data[at + 1]);
    const PortIndex port = data[at + 2] % ports;
    switch (data[at] % 8) {
      case 0:
        now_ns += data[at + 2];
        break;
      case 1:
        table.age(now_ns);
        break;
      case 2:
        table.forget_port(port);
        LANYARD_CHECK(table.size_on(port) == 0);
        break;
      case 3:  // many new ones at once
        for (unsigned i = 0; i < data[at + 1]; ++i) table.learn(MacAddress(++newest << 8), port, now_ns);
        break;
      default: {
        const PortIndex before = table.look_up(station, now_ns);
        const bool moved = table.learn(station, port, now_ns);
        LANYARD_CHECK(moved == (before != no_port && before != port));
        LANYARD_CHECK(table.look_up(station, now_ns) == port);
      }
    }
    if (at % 32 == 0) check_whole(table, now_ns);
  }
  check_whole(table, now_ns);
  for (PortIndex port = 0; port < ports; ++port) table.forget_port(port);
  LANYARD_CHECK(table.size() == 0);
  return 0;
}
