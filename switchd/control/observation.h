// What is observed, as the control plane has it: captures under way, mirrors, and the recent past of networks. The data
// plane does the work (switchd/observers.h). Control thread only.
//
// A name means a configured port with its connections and peers, there or not, or a single connection; a mirror to or
// of a connection ends with it. A network that is removed takes its past and its mirrors with it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "switchd/control.pb.h"
#include "switchd/data_link.h"
#include "switchd/rewind.h"
#include "switchd/tap.h"
#include "switchd/topology.h"

namespace lanyard::control {

class Observation {
 public:
  Observation(DataLink& link, Topology& topology);

  // The ports of a request: those that are named, else all of a network, else all. Or what is wrong with it.
  struct Selected {
    PortSelection ports;
    std::optional<Refusal> refusal;
  };
  template <typename Names>
  [[nodiscard]] Selected select(const Names& ports, const std::string& network) {
    return select(std::vector<std::string>(ports.begin(), ports.end()), network);
  }

  // --- Captures.
  [[nodiscard]] bool may_tap() const { return taps_ < limits::taps_max; }
  // `added` is called when it is in place: from then on it misses nothing.
  void add(const std::shared_ptr<Tap>& tap, std::function<void()> added);
  // `removed` is called when nothing is offered to it any more.
  void remove(const std::shared_ptr<Tap>& tap, std::function<void()> removed);

  // --- Mirrors. `done` is called when the data plane does it; not where it is refused.
  [[nodiscard]] std::optional<Refusal> add_mirror(const v1::AddMirror& mirror, std::function<void()> done);
  [[nodiscard]] std::optional<Refusal> remove_mirror(const std::string& to, std::function<void()> done);
  void fill_mirrors(v1::Mirrors& view);

  // --- The past.
  [[nodiscard]] std::uint64_t rewind_mib(NetworkIndex network) const;
  // Another size, what there is of the past being kept; nullptr: none. `done` is called when the data plane does it.
  void set_rewind(NetworkIndex network, std::unique_ptr<Rewind> fresh, std::function<void()> done);
  [[nodiscard]] bool keeps_past(const std::string& network) const;  // empty: does any?
  // Calls `taken` with the past of one network, or of all, one list of rewinds for each. False: there is no memory for
  // what is to come.
  using Pasts = std::vector<std::vector<std::shared_ptr<Rewind>>>;
  [[nodiscard]] bool take_past(const std::string& network, std::function<void(const Pasts&)> taken);

 private:
  struct Kept {
    std::uint64_t mib = 0;
    RewindHistory history;
  };

  [[nodiscard]] Selected select(const std::vector<std::string>& ports, const std::string& network);
  [[nodiscard]] std::optional<Refusal> check(const v1::AddMirror& mirror) const;
  [[nodiscard]] bool is_there(const std::string& port);
  void forget_gone();
  void send_mirrors(std::function<void()> done = [] {});
  void take(NetworkIndex network, std::unique_ptr<Rewind> fresh, std::function<void()> taken);
  void network_removed(const std::string& name, NetworkIndex index);

  DataLink& link_;
  Topology& topology_;
  std::size_t taps_ = 0;
  std::vector<v1::AddMirror> mirrors_;
  std::map<NetworkIndex, std::shared_ptr<Kept>> kept_;  // while the network is there
};

// "in", "out" or, for both, an empty string; false: neither.
[[nodiscard]] bool read_direction(const std::string& text, bool& inbound, bool& outbound);

}  // namespace lanyard::control
