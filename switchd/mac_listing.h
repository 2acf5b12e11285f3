// All stations of some networks, fetched from the data plane slice by slice, so that a table of a hundred thousand costs
// neither thread a pause. Control thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "switchd/data_link.h"

namespace lanyard {

class MacListing : public std::enable_shared_from_this<MacListing> {
 public:
  struct NamedNetwork {
    std::string name;
    NetworkIndex index = 0;
  };
  struct Hooks {
    // A slice; its stations name their port by its counters.
    std::function<void(const std::string& network, const std::vector<KnownStation>& stations)> slice;
    // Called before each slice but the first: calls what it is given when the next may come, at once or later.
    std::function<void(std::function<void()>)> pace;
    std::function<void()> end;
    // Is this network still there? (One that was removed meanwhile is left out.)
    std::function<bool(const NamedNetwork&)> exists;
  };

  // Keeps itself alive until the end.
  static void begin(DataLink& link, std::vector<NamedNetwork> networks, Hooks hooks);

 private:
  MacListing(DataLink& link, std::vector<NamedNetwork> networks, Hooks hooks)
      : link_(link), networks_(std::move(networks)), hooks_(std::move(hooks)) {}
  void next();
  void take(const Notice& notice);

  DataLink& link_;
  std::vector<NamedNetwork> networks_;  // the last one first
  Hooks hooks_;
  std::size_t cursor_ = 0;
};

}  // namespace lanyard
