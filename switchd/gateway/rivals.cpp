// Who is news; see the header.
#include "switchd/gateway/rivals.h"

#include <algorithm>
#include <utility>

namespace lanyard {

std::optional<std::uint64_t> Rivals::hear(Ipv4Address address, MacAddress mac, std::int64_t now_s) {
  const std::pair key(address, mac.value());
  const auto known = heard_s_.find(key);
  if (known != heard_s_.end() && now_s - known->second < forgotten_s) {
    known->second = now_s;
    return std::nullopt;
  }
  if (!may_tell(now_s)) {
    ++waiting_;
    return std::nullopt;
  }
  if (known == heard_s_.end() && heard_s_.size() == known_max)
    heard_s_.erase(std::min_element(heard_s_.begin(), heard_s_.end(),
                                    [](const auto& a, const auto& b) { return a.second < b.second; }));
  heard_s_[key] = now_s;
  return std::exchange(waiting_, 0);
}

bool Rivals::may_tell(std::int64_t now_s) {
  if (now_s - since_s_ >= told_interval_s || now_s < since_s_) {
    since_s_ = now_s;
    told_ = 0;
  }
  if (told_ == told_max) return false;
  ++told_;
  return true;
}

}  // namespace lanyard
