// Statistics as JSON, by nlohmann-json, and in short for people. Names are those of docs and interface; the order is stable.
#include "switchd/stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "switchd/control/words.h"

namespace lanyard {

namespace {

using Json = nlohmann::ordered_json;

[[nodiscard]] Json counters_json(const PortCounters& counters) {
  Json json = {
      {"received_frames", counters.received_frames.get()}, {"received_bytes", counters.received_bytes.get()},
      {"unicast", counters.unicast.get()},                 {"flooded", counters.flooded.get()},
      {"echoed_frames", counters.echoed_frames.get()},     {"copies", counters.copies.get()},
      {"sent_frames", counters.sent_frames.get()},         {"sent_bytes", counters.sent_bytes.get()},
      {"queued_frames", counters.queued_frames.get()},     {"heads_copied", counters.heads_copied.get()},
      {"copied_out", counters.copied_out.get()},           {"kernel_drops", counters.kernel_drops.get()},
      {"dns_refused", counters.dns_refused.get()},
  };
  Json& drops = json["drops"] = Json::object();
  for (const DropReasonInfo& entry : drop_reasons)
    drops[std::string(entry.name)] = counters.drops[static_cast<std::size_t>(entry.reason)].get();
  return json;
}

[[nodiscard]] Json port_json(const PortRecord& record) {
  Json json = {
      {"type", record.type}, {"address", record.address}, {"network", record.network}, {"state", record.state},
      {"reason", record.reason}};
  static const PortCounters none;  // a listener carries no frames itself; scripts find the same fields everywhere
  json.update(counters_json(record.counters ? *record.counters : none));
  return json;
}

[[nodiscard]] Json network_json(const NetworkStats& network) {
  Json macs = Json::array();
  for (const StationStats& station : network.macs)
    macs.push_back({{"mac", to_string(station.station)}, {"port", station.port}, {"age_s", station.age_s}});
  return {{"kind", network.kind}, {"macs", std::move(macs)}};
}

}  // namespace

std::string summary_text(const PortRegistry& ports) {
  const auto is_connection = [](const auto& record) { return record.first.find('.') != std::string::npos; };
  const auto connections = std::count_if(ports.records().begin(), ports.records().end(), is_connection);
  std::string text = counted(ports.records().size() - static_cast<std::size_t>(connections), "port");
  if (ports.connections() > 0) text += " with " + counted(ports.connections(), "connection");
  const PortTotals totals = ports.totals();
  text += fmt::format(": {} received, {} sent", counted(totals.received_frames, "frame"), totals.sent_frames);
  std::string drops;
  const auto add = [&](std::uint64_t count, std::string_view name) {
    if (count > 0) drops += fmt::format("{}{} {}", drops.empty() ? "; dropped: " : ", ", count, name);
  };
  for (const DropReasonInfo& entry : drop_reasons) add(totals.drops[static_cast<std::size_t>(entry.reason)], entry.name);
  add(totals.kernel_drops, "in the kernel (kernel_drops)");
  return text + (drops.empty() ? "; none dropped" : drops);
}

std::string stats_json(const Stats& stats, const PortRegistry& ports) {
  Json json = {{"version", LANYARD_VERSION}, {"engine", stats.engine}};
  Json& networks = json["networks"] = Json::object();
  for (const NetworkStats& network : stats.networks) networks[network.name] = network_json(network);
  Json& by_name = json["ports"] = Json::object();
  for (const auto& [name, record] : ports.records()) by_name[name] = port_json(record);
  // Paths may hold bytes that are no UTF-8; they are replaced rather than thrown about.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace lanyard
