// Networks that come, change and go, and what they have learned; topology.h has the theory.
#include <utility>

#include "switchd/topology.h"

namespace lanyard {

void Topology::add_network(const std::string& name, const NetworkConfig& config) {
  Network& network = networks_[name];
  network.config = config;
  network.counters = std::make_shared<NetworkCounters>();
  if (free_indices_.empty()) {
    network.index = static_cast<NetworkIndex>(networks_.size() - 1);
  } else {
    network.index = free_indices_.back();
    free_indices_.pop_back();
  }
  Command add;
  add.kind = Command::Kind::add_network;
  add.network = network.index;
  add.network_options = config.options();
  add.network_counters = network.counters;
  services_.link.send(std::move(add));
}

void Topology::remove_network(const std::string& name) {
  const auto network = networks_.extract(name);
  if (network_removed_) network_removed_(name, network.mapped().index);
  free_indices_.push_back(network.mapped().index);
  Command remove;
  remove.kind = Command::Kind::remove_network;
  remove.network = network.mapped().index;
  services_.link.send(std::move(remove));
}

void Topology::set_network(const std::string& name, const NetworkConfig& config) {
  Network& network = networks_.at(name);
  if (std::exchange(network.config, config) == config) return;
  Command set;
  set.kind = Command::Kind::set_network;
  set.network = network.index;
  set.network_options = config.options();
  services_.link.send(std::move(set));
}

void Topology::flush(const std::string& network, const std::string& port, const std::optional<MacAddress>& station,
                     std::function<void(std::uint64_t)> done) {
  struct Sum {
    std::uint64_t count = 0;
    std::size_t open = 1;
  };
  auto sum = std::make_shared<Sum>();
  const auto add = [sum, done](std::uint64_t count) {
    sum->count += count;
    if (--sum->open == 0) done(sum->count);
  };
  std::vector<std::shared_ptr<PortCounters>> ports = {nullptr};
  if (!port.empty()) ports = registry_.counters_of(port);
  for (const auto& [name, index] : network_list(network))
    for (const auto& counters : ports) {
      Command flush;
      flush.kind = Command::Kind::flush_macs;
      flush.network = index;
      flush.port = counters;
      flush.station = station;
      ++sum->open;
      services_.link.send(std::move(flush), [add](const Notice& notice) { add(notice.count); });
    }
  add(0);
}

}  // namespace lanyard
