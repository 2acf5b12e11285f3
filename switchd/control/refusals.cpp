// What several verbs say when they refuse; see the header.
#include "switchd/control/refusals.h"

#include <utility>
#include <vector>

#include "switchd/control/words.h"

namespace lanyard::control {

namespace {

template <typename Named>
Refusal unknown(std::string_view what, const std::string& name, const Named& named) {
  std::vector<std::string_view> words;
  for (const auto& [known, one] : named) words.push_back(known);
  return {Refusal::Kind::not_found,
          words.empty() ? "there are no " + std::string(what) + "s" : unknown_word(what, name, words),
          {}};
}

}  // namespace

Refusal invalid(std::string message) { return {Refusal::Kind::invalid, std::move(message), {}}; }

Refusal unknown_port(Topology& topology, const std::string& name) {
  return unknown("port", name, topology.registry().records());
}

Refusal unknown_network(const Topology& topology, const std::string& name) {
  return unknown("network", name, topology.networks());
}

}  // namespace lanyard::control
