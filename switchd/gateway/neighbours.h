// Which MAC has which address, as guests' own frames say. For questions that libslirp would else ask of all
// guests again and again: its tables hold 16 of each kind. Bounded: the address learned longest ago goes
// first. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "frames/mac_address.h"

namespace lanyard {

template <class Address>
class Neighbours {
 public:
  explicit Neighbours(std::size_t addresses_max) : addresses_max_(addresses_max) {}

  void learn(const Address& address, MacAddress mac) {
    const auto [known, is_new] = macs_.try_emplace(address, mac);
    if (!is_new && known->second == mac) return;
    if (is_new)
      order_.push_back(address);
    else
      of_macs_.erase({std::exchange(known->second, mac).value(), address});
    of_macs_.emplace(mac.value(), address);
    if (order_.size() <= addresses_max_) return;
    forget(order_.front());
    order_.pop_front();
  }
  [[nodiscard]] std::optional<MacAddress> find(const Address& address) const {
    const auto known = macs_.find(address);
    return known == macs_.end() ? std::nullopt : std::optional(known->second);
  }
  // In the order of their numbers.
  [[nodiscard]] std::vector<Address> addresses_of(MacAddress mac) const {
    std::vector<Address> found;
    for (auto each = of_macs_.lower_bound({mac.value(), Address{}}); each != of_macs_.end(); ++each) {
      if (each->first != mac.value()) break;
      found.push_back(each->second);
    }
    return found;
  }

 private:
  void forget(const Address& address) {
    const auto known = macs_.find(address);
    of_macs_.erase({known->second.value(), address});
    macs_.erase(known);
  }

  std::size_t addresses_max_;
  std::map<Address, MacAddress> macs_;
  std::set<std::pair<std::uint64_t, Address>> of_macs_;
  std::deque<Address> order_;
};

}  // namespace lanyard
