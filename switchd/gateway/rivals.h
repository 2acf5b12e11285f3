// Other DHCP servers and gateways of which people have been told, so that each is told once, and not for
// ever: one that has not been heard for an hour is news again.
//
// Frames may be forged, so no crowd of them may keep a real one from being told. Of too many that are known
// the one that was heard longest ago makes room. A few are told each minute; one that is not told is not
// known either, and is told when it is heard again later, with how many were left out. `now_s` is of the
// calendar, and may go back. Pure; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

class Rivals {
 public:
  static constexpr std::size_t known_max = 64;
  static constexpr std::int64_t forgotten_s = 3600;
  static constexpr std::int64_t told_interval_s = 60;
  static constexpr unsigned told_max = 8;  // in that time

  // A rival at `address`, with `mac` where that tells it from others. Nothing: people know it, or it has to
  // wait; else how many had to since the last that was told.
  [[nodiscard]] std::optional<std::uint64_t> hear(Ipv4Address address, MacAddress mac, std::int64_t now_s);
  [[nodiscard]] std::size_t known() const { return heard_s_.size(); }

 private:
  [[nodiscard]] bool may_tell(std::int64_t now_s);

  std::map<std::pair<Ipv4Address, std::uint64_t>, std::int64_t> heard_s_;
  std::int64_t since_s_ = 0;  // in which told_ were told
  unsigned told_ = 0;
  std::uint64_t waiting_ = 0;  // heard and not told
};

}  // namespace lanyard
