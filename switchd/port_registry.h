// What the control plane knows of every port, for names, lines printed and statistics. Control thread only; the
// counters are read while the data thread writes them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "frames/counters.h"

namespace lanyard {

using DropCounts = std::array<std::uint64_t, drop_reason_count>;  // by reason
[[nodiscard]] DropCounts drops_of(const PortCounters& counters);

struct PortRecord {
  std::string type;     // "tcp-listen"
  std::string address;  // as printed: where it is bound or connects to; of a connection or peer: the far end
  std::string network;
  std::string state;    // "up", "down", "listening", "disabled"
  std::shared_ptr<PortCounters> counters;  // null for a listener, which carries no frames itself
  std::string reason{};  // "down": why, one line; else empty
  // Where its connection is not told to be up (flap_damping.h), nor are its drops: what there were before.
  std::optional<DropCounts> told_drops{};
};

// What was counted on all ports together, those that have gone among them.
struct PortTotals {
  std::uint64_t received_frames = 0;
  std::uint64_t sent_frames = 0;
  std::uint64_t kernel_drops = 0;
  std::array<std::uint64_t, drop_reason_count> drops{};
  void add(const PortCounters& counters);
};

class PortRegistry {
 public:
  // Adds or replaces; what a port of this type has counted stays where `record` has no counters.
  void set(const std::string& name, PortRecord record);
  void remove(const std::string& name);
  // The port and its connections are in another network now.
  void move(const std::string& name, const std::string& network);
  // Of the port and its connections.
  [[nodiscard]] std::vector<std::shared_ptr<PortCounters>> counters_of(const std::string& name) const;
  [[nodiscard]] PortTotals totals() const;
  // Connections of listeners and peers, that there are and were.
  [[nodiscard]] std::uint64_t connections() const { return connections_; }
  [[nodiscard]] PortRecord* find(const std::string& name);
  [[nodiscard]] const std::map<std::string, PortRecord>& records() const { return records_; }
  // The port that counts in `counters`; empty: none, any more.
  [[nodiscard]] std::string_view name_of(const PortCounters* counters) const;
  // The port of this serial (PortCounters), also when it has gone, unless many others have since: "port 1234" then.
  [[nodiscard]] std::string name_of(std::uint64_t serial) const;
  // NAME.N with the lowest N from 1 that no port has. It is the caller's until remove().
  [[nodiscard]] std::string take_name(const std::string& parent);

 private:
  // Calls `visit` for the record of `name` and those of NAME.N.
  template <typename Records, typename Visit>
  static void for_each_of(Records& records, const std::string& name, Visit visit) {
    if (const auto own = records.find(name); own != records.end()) visit(own->second);
    const std::string connections = name + ".";
    for (auto it = records.lower_bound(connections); it != records.end() && it->first.starts_with(connections); ++it)
      visit(it->second);
  }

  struct Numbers {
    unsigned next = 1;         // all from here on are free
    std::set<unsigned> freed;  // and these below it
  };
  struct Numbered {
    std::string parent;
    unsigned number;
  };

  void forget(const PortRecord& record);

  std::map<std::string, PortRecord> records_;
  PortTotals gone_totals_;
  std::uint64_t connections_ = 0;
  std::unordered_map<std::uint64_t, std::string> names_by_serial_;
  std::deque<std::uint64_t> gone_;  // of these, the longest gone first
  std::unordered_map<const PortCounters*, std::string> names_;
  std::unordered_map<std::string, Numbers> numbers_;  // by parent
  std::unordered_map<std::string, Numbered> numbered_;  // by name
};

}  // namespace lanyard
