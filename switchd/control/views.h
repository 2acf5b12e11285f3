// What there is, as messages of control.proto. Control thread only; counters are read while the data thread writes them.
#pragma once

#include <string>
#include <vector>

#include "switchd/control.pb.h"
#include "switchd/dataplane.h"
#include "switchd/events.h"
#include "switchd/topology.h"

namespace lanyard::control {

void fill_counters(const PortCounters& counters, v1::Counters& view);
void add_counters(const PortCounters& counters, v1::Counters& sum);
void fill_port(const std::string& name, const PortRecord& record, const Topology& topology, v1::Port& view);
// Those that the names say; empty: all. A name means the port and its connections. In parts, at least one, that each fit
// in a response, with one time.
[[nodiscard]] std::vector<v1::Ports> list_ports(Topology& topology, const std::string& name, const std::string& network);
void fill_networks(Topology& topology, const std::string& name, v1::Networks& view);  // all, or the one of that name
void fill_loop(const LoopCounters& loop, v1::Loop& view);
void fill_event(const Event& event, v1::Event& view);
// Likewise in parts.
[[nodiscard]] std::vector<v1::Plan> list_changes(const std::vector<Change>& changes);
void fill_refusal(const Refusal& refusal, v1::Error& view);

}  // namespace lanyard::control
