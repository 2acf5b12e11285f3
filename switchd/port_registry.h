// What the control plane knows of every port, for names, lines printed and statistics. Control thread only; the
// counters are read while the data thread writes them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "frames/counters.h"

namespace lanyard {

struct PortRecord {
  std::string type;     // "tcp-listen"
  std::string address;  // as printed: where it is bound or connects to; of a connection or peer: the far end
  std::string network;
  std::string state;    // "up", "down", "listening"
  std::shared_ptr<PortCounters> counters;  // null for a listener, which carries no frames itself
};

class PortRegistry {
 public:
  // Adds or replaces.
  PortRecord& set(const std::string& name, PortRecord record) { return records_[name] = std::move(record); }
  void remove(const std::string& name) { records_.erase(name); }
  [[nodiscard]] PortRecord* find(const std::string& name) {
    const auto found = records_.find(name);
    return found == records_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] const std::map<std::string, PortRecord>& records() const { return records_; }
  [[nodiscard]] std::string name_of(const PortCounters* counters) const {
    for (const auto& [name, record] : records_)
      if (record.counters.get() == counters) return name;
    return {};
  }
  // NAME.N with the lowest free N, from 1.
  [[nodiscard]] std::string free_name(const std::string& parent) const {
    for (unsigned n = 1;; ++n) {
      std::string name = parent + "." + std::to_string(n);
      if (!records_.contains(name)) return name;
    }
  }

 private:
  std::map<std::string, PortRecord> records_;
};

}  // namespace lanyard
