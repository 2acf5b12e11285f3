// Which MAC has which address, as guests' own frames say. For questions that libslirp would else ask of all
// guests again and again: its tables hold 16 of each kind. Bounded: the address learned longest ago goes
// first. One thread.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "frames/mac_address.h"

namespace lanyard {

template <class Address>
class Neighbours {
 public:
  explicit Neighbours(std::size_t addresses_max) : addresses_max_(addresses_max) {}

  void learn(const Address& address, MacAddress mac) {
    const auto [known, is_new] = macs_.insert_or_assign(address, mac);
    if (!is_new) return;
    order_.push_back(address);
    if (order_.size() <= addresses_max_) return;
    macs_.erase(order_.front());
    order_.pop_front();
  }
  [[nodiscard]] std::optional<MacAddress> find(const Address& address) const {
    const auto known = macs_.find(address);
    return known == macs_.end() ? std::nullopt : std::optional(known->second);
  }
  // In the order of their numbers.
  [[nodiscard]] std::vector<Address> addresses_of(MacAddress mac) const {
    std::vector<Address> found;
    for (const auto& [address, owner] : macs_)
      if (owner == mac) found.push_back(address);
    return found;
  }

 private:
  std::size_t addresses_max_;
  std::map<Address, MacAddress> macs_;
  std::deque<Address> order_;
};

}  // namespace lanyard
