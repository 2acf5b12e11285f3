// The port registry; see the header.
#include "switchd/port_registry.h"

#include <utility>

#include "frames/limits.h"

namespace lanyard {

DropCounts drops_of(const PortCounters& counters) {
  DropCounts drops;
  for (std::size_t reason = 0; reason < drop_reason_count; ++reason) drops[reason] = counters.drops[reason].get();
  return drops;
}

void PortTotals::add(const PortCounters& counters) {
  received_frames += counters.received_frames.get();
  sent_frames += counters.sent_frames.get();
  kernel_drops += counters.kernel_drops.get();
  for (std::size_t i = 0; i < drops.size(); ++i) drops[i] += counters.drops[i].get();
}

void PortRegistry::set(const std::string& name, PortRecord record) {
  PortRecord& place = records_[name];
  if (!record.counters && place.type == record.type) record.counters = place.counters;
  if (place.counters && place.counters != record.counters) forget(place);
  place = std::move(record);
  if (!place.counters) return;
  names_[place.counters.get()] = name;
  names_by_serial_[place.counters->serial] = name;
}

void PortRegistry::remove(const std::string& name) {
  if (const auto record = records_.find(name); record != records_.end()) {
    if (record->second.counters) forget(record->second);
    records_.erase(record);
  }
  if (const auto taken = numbered_.find(name); taken != numbered_.end()) {
    const auto numbers = numbers_.find(taken->second.parent);
    numbers->second.freed.insert(taken->second.number);
    if (numbers->second.freed.size() + 1 == numbers->second.next) numbers_.erase(numbers);  // all are free
    numbered_.erase(taken);
  }
}

void PortRegistry::forget(const PortRecord& record) {
  gone_totals_.add(*record.counters);
  names_.erase(record.counters.get());
  gone_.push_back(record.counters->serial);
  if (gone_.size() <= limits::names_gone_max) return;
  names_by_serial_.erase(gone_.front());
  gone_.pop_front();
}

void PortRegistry::move(const std::string& name, const std::string& network) {
  for_each_of(records_, name, [&](PortRecord& record) { record.network = network; });
}

std::vector<std::shared_ptr<PortCounters>> PortRegistry::counters_of(const std::string& name) const {
  std::vector<std::shared_ptr<PortCounters>> counters;
  for_each_of(records_, name, [&](const PortRecord& record) {
    if (record.counters) counters.push_back(record.counters);
  });
  return counters;
}

PortTotals PortRegistry::totals() const {
  PortTotals totals = gone_totals_;
  for (const auto& [name, record] : records_)
    if (record.counters) totals.add(*record.counters);
  return totals;
}

PortRecord* PortRegistry::find(const std::string& name) {
  const auto found = records_.find(name);
  return found == records_.end() ? nullptr : &found->second;
}

std::string_view PortRegistry::name_of(const PortCounters* counters) const {
  const auto found = names_.find(counters);
  return found == names_.end() ? std::string_view() : std::string_view(found->second);
}

std::string PortRegistry::name_of(std::uint64_t serial) const {
  const auto found = names_by_serial_.find(serial);
  return found == names_by_serial_.end() ? "port " + std::to_string(serial) : found->second;
}

std::string PortRegistry::take_name(const std::string& parent) {
  Numbers& numbers = numbers_[parent];
  for (;;) {
    const unsigned number = numbers.freed.empty() ? numbers.next : *numbers.freed.begin();
    if (numbers.freed.empty()) ++numbers.next;
    else numbers.freed.erase(numbers.freed.begin());
    std::string name = parent + "." + std::to_string(number);
    if (records_.contains(name)) continue;  // somebody configured a port with this very name
    numbered_[name] = {parent, number};
    ++connections_;
    return name;
  }
}

}  // namespace lanyard
