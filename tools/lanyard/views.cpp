// Answers as text; see the header.
#include "tools/lanyard/views.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frames/drop_reason.h"
#include "switchd/control/words.h"
#include "tools/lanyard/plan_text.h"
#include "tools/lanyard/status_text.h"
#include "tools/lanyard/units.h"

namespace lanyard::cli {

namespace {

constexpr std::size_t event_kind_width = 16;  // most are shorter

Cell drops_cell(std::uint64_t drops) { return {count_text(drops), drops > 0 ? Colour::yellow : Colour::none}; }

// Only a switch has a choice.
std::string stp_text(const v1::Network& network) {
  for (const v1::Key& key : network.keys())
    if (key.key() == "stp" && key.values_size() == 1) return network.kind() == "switch" ? key.values(0) : "pass";
  return "pass";
}

std::string networks_text(const v1::Networks& networks, Style style) {
  Table table({{"NETWORK"}, {"KIND"}, {"PORTS", Align::right}, {"UP", Align::right}, {"MACS", Align::right}, {"MOVES", Align::right},
               {"AGEING", Align::right}, {"REWIND", Align::right}, {"STP"}, {"IN", Align::right}, {"IN BYTES", Align::right},
               {"OUT", Align::right}, {"OUT BYTES", Align::right}, {"DROPS", Align::right}});
  for (const v1::Network& network : networks.networks()) {
    const v1::Counters& counters = network.counters();
    table.add({network.name(), network.kind(), fmt::format("{}", network.configured_ports()), fmt::format("{}", network.ports()),
               fmt::format("{} of {}", network.macs(), network.macs_max()), count_text(network.moves()),
               fmt::format("{} s", network.ageing_s()),
               network.rewind_mib() == 0 ? std::string("-") : fmt::format("{} MiB", network.rewind_mib()), stp_text(network),
               count_text(counters.received_frames()), bytes_text(counters.received_bytes()),
               count_text(counters.sent_frames()), bytes_text(counters.sent_bytes()), drops_cell(drops_of(counters))});
  }
  return table.text(style);
}

// Why ports are down stands below the table, as the end of a line that may be long.
std::string ports_text(const v1::Ports& ports, Style style) {
  Table table({{"PORT"},
               {"STATE"},
               {"NETWORK"},
               {"TYPE"},
               {"ADDRESS"},
               {"IN", Align::right},
               {"IN BYTES", Align::right},
               {"OUT", Align::right},
               {"OUT BYTES", Align::right},
               {"DROPS", Align::right}});
  for (const v1::Port& port : ports.ports()) {
    const v1::Counters& counters = port.counters();
    table.add({port.name(), {port.state(), colour_of_state(port.state())}, port.network(), port.type(), port.address(),
               count_text(counters.received_frames()), bytes_text(counters.received_bytes()),
               count_text(counters.sent_frames()), bytes_text(counters.sent_bytes()), drops_cell(drops_of(counters))});
  }
  std::string text = table.text(style);
  for (const v1::Port& port : ports.ports())
    if (!port.reason().empty())
      text += painted(fmt::format("{} is down: {}", port.name(), printable(port.reason())), Colour::red, style) + "\n";
  return text;
}

std::string macs_text(const v1::Macs& macs, Style style) {
  Table table({{"NETWORK"}, {"MAC"}, {"PORT"}, {"SILENT", Align::right}});
  for (const v1::Mac& mac : macs.macs())
    table.add({mac.network(), mac.mac(), mac.port(), fmt::format("{} s", mac.age_s())});
  return table.text(style);
}

std::string mirrors_text(const v1::Mirrors& mirrors, Style style) {
  Table table({{"TO"}, {"OF"}, {"NETWORK"}, {"DIRECTION"}});
  for (const v1::AddMirror& mirror : mirrors.mirrors()) {
    std::string ports;
    for (const std::string& port : mirror.ports()) ports += (ports.empty() ? "" : " ") + port;
    table.add({mirror.to(), ports.empty() ? "all" : ports, mirror.network(),
               mirror.direction().empty() ? "both" : mirror.direction()});
  }
  return table.text(style);
}

Colour colour_of_event(const v1::Event& event) {
  if (event.kind() == "port_up") return Colour::green;
  if (event.kind() == "port_down") return Colour::red;
  return event.kind() == "drops_began" ? Colour::yellow : Colour::none;
}

// ------------------------------------------------------------------------------------------------------------ stats

std::string_view side_of(const std::string& reason) {
  for (const DropReasonInfo& known : drop_reasons)
    if (known.name == reason) return known.side == DropSide::ingress ? "at ingress" : "at egress";
  return "";  // of a newer daemon
}

std::string_view meaning_of(const std::string& reason) {
  for (const DropReasonInfo& known : drop_reasons)
    if (known.name == reason) return known.text;
  return "";
}

struct CounterRow {
  std::string_view name;
  std::uint64_t (v1::Counters::*value)() const;
  std::string_view text;
};

constexpr std::array<CounterRow, 17> counter_rows = {{
    {"received_frames", &v1::Counters::received_frames, "that came in"},
    {"received_bytes", &v1::Counters::received_bytes, ""},
    {"unicast", &v1::Counters::unicast, "received, for one port"},
    {"flooded", &v1::Counters::flooded, "received, for all other ports"},
    {"echoed_frames", &v1::Counters::echoed_frames, "received, our own back from a multicast group"},
    {"copies", &v1::Counters::copies, "meant to be sent here"},
    {"sent_frames", &v1::Counters::sent_frames, "that left"},
    {"sent_bytes", &v1::Counters::sent_bytes, ""},
    {"queued_frames", &v1::Counters::queued_frames, "that wait now"},
    {"queued_frames_max", &v1::Counters::queued_frames_max, "the most that ever waited"},
    {"receives", &v1::Counters::receives, "reads that brought frames"},
    {"sends", &v1::Counters::sends, "writes that took frames"},
    {"moves", &v1::Counters::moves, "MAC addresses that came here from another port"},
    {"heads_copied", &v1::Counters::heads_copied, "frames cut by the end of a receive buffer"},
    {"copied_out", &v1::Counters::copied_out, "frames copied so as not to keep a receive buffer"},
    {"kernel_drops", &v1::Counters::kernel_drops, "dropped by the kernel before they were seen"},
    {"dns_refused", &v1::Counters::dns_refused, "DNS queries refused: too many of one VM waited"},
}};

Table counter_table(const v1::Counters& counters, std::string_view port) {
  Table table({{port}, {"", Align::right}, {""}, {""}});
  for (const CounterRow& row : counter_rows)
    table.add({std::string(row.name), fmt::format("{}", (counters.*row.value)()), std::string(),
               {std::string(row.text), Colour::dim}});
  std::vector<std::pair<std::string, std::uint64_t>> drops(counters.drops().begin(), counters.drops().end());
  std::sort(drops.begin(), drops.end());
  for (const std::string_view side : {"at ingress", "at egress", ""})
    for (const auto& [reason, count] : drops)
      if (side_of(reason) == side && count > 0)
        table.add({"drops " + reason, {fmt::format("{}", count), Colour::yellow}, std::string(side),
                   {std::string(meaning_of(reason)), Colour::dim}});
  return table;
}

}  // namespace

std::string text_of(const v1::Response& response, Style style) {
  switch (response.result_case()) {
    case v1::Response::kVersion:
      return fmt::format("switchd {} (control protocol {})\n", printable(response.version().version()),
                         response.version().protocol());
    case v1::Response::kStatus: return status_text(response.status(), style);
    case v1::Response::kNetworks: return networks_text(response.networks(), style);
    case v1::Response::kPorts: return ports_text(response.ports(), style);
    case v1::Response::kMacs: return macs_text(response.macs(), style);
    case v1::Response::kMirrors: return mirrors_text(response.mirrors(), style);
    case v1::Response::kPlan: return plan_text(response.plan(), true, style);
    case v1::Response::kEvents: return events_text(response.events(), style);
    default: return {};
  }
}

std::string qemu_text(const v1::Ports& ports, Style style) {
  Table table({{"PORT"}, {"QEMU"}});
  for (const v1::Port& port : ports.ports())
    for (int i = 0; i < port.qemu_size(); ++i) table.add({i == 0 ? port.name() : std::string(), port.qemu(i)});
  return table.text(style);
}

std::string stats_text(const v1::Ports& ports, Style style) {
  std::string text;
  for (const v1::Port& port : ports.ports())
    text += (text.empty() ? "" : "\n") + counter_table(port.counters(), port.name()).text(style);
  return text;
}

std::string flushed_text(const v1::Done& done) {
  return fmt::format("{} MAC address{} forgotten\n", done.count(), done.count() == 1 ? "" : "es");
}

std::string events_text(const v1::Events& events, Style style) {
  std::string text;
  if (events.lost() > 0)
    text += painted(fmt::format("({} earlier events are lost)", events.lost()), Colour::dim, style) + "\n";
  for (const v1::Event& event : events.events())
    text += fmt::format(
        "{}  {}  {}\n", painted(clock_text(event.time_unix_ns()), Colour::dim, style),
        painted(fmt::format("{:<{}}", printable(event.kind()), event_kind_width), colour_of_event(event), style),
        printable(event.text()));
  return text;
}

std::uint64_t drops_of(const v1::Counters& counters) {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : counters.drops()) sum += count;
  return sum;
}

Colour colour_of_state(std::string_view state) {
  if (state == "up") return Colour::green;
  if (state == "down") return Colour::red;
  return state == "disabled" ? Colour::dim : Colour::none;
}

}  // namespace lanyard::cli
