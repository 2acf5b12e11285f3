// What there is, as messages; see the header.
#include "switchd/control/views.h"

#include <array>
#include <unordered_map>

#include "frames/utf8.h"
#include "switchd/control/framing.h"
#include "switchd/control/qemu_lines.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "transports/clock.h"

namespace lanyard::control {

namespace {

// A list that is cut where it would not fit in a response: no element is as long as what is left of one beyond the soft
// limit.
template <typename List>
class Parts {
 public:
  explicit Parts(const List& empty) : empty_(empty), parts_{empty} {}

  [[nodiscard]] List& with_room_for(const google::protobuf::Message& element) {
    const std::size_t bytes = element.ByteSizeLong();
    if (bytes_ > 0 && bytes_ + bytes > part_bytes_soft_max) {
      parts_.push_back(empty_);
      bytes_ = 0;
    }
    bytes_ += bytes;
    return parts_.back();
  }
  [[nodiscard]] std::vector<List> take() { return std::move(parts_); }

 private:
  static constexpr std::size_t part_bytes_soft_max = response_bytes_max / 4;

  List empty_;
  std::vector<List> parts_;
  std::size_t bytes_ = 0;  // of the last one's elements
};

}  // namespace

void add_counters(const PortCounters& counters, v1::Counters& sum) {
  sum.set_received_frames(sum.received_frames() + counters.received_frames.get());
  sum.set_received_bytes(sum.received_bytes() + counters.received_bytes.get());
  sum.set_unicast(sum.unicast() + counters.unicast.get());
  sum.set_flooded(sum.flooded() + counters.flooded.get());
  sum.set_echoed_frames(sum.echoed_frames() + counters.echoed_frames.get());
  sum.set_copies(sum.copies() + counters.copies.get());
  sum.set_sent_frames(sum.sent_frames() + counters.sent_frames.get());
  sum.set_sent_bytes(sum.sent_bytes() + counters.sent_bytes.get());
  sum.set_queued_frames(sum.queued_frames() + counters.queued_frames.get());
  sum.set_queued_frames_max(std::max(sum.queued_frames_max(), counters.queued_frames_max.get()));
  sum.set_receives(sum.receives() + counters.receives.get());
  sum.set_sends(sum.sends() + counters.sends.get());
  sum.set_moves(sum.moves() + counters.moves.get());
  sum.set_heads_copied(sum.heads_copied() + counters.heads_copied.get());
  sum.set_copied_out(sum.copied_out() + counters.copied_out.get());
  sum.set_kernel_drops(sum.kernel_drops() + counters.kernel_drops.get());
  sum.set_dns_refused(sum.dns_refused() + counters.dns_refused.get());
  for (const DropReasonInfo& entry : drop_reasons)
    (*sum.mutable_drops())[std::string(entry.name)] += counters.drops[static_cast<std::size_t>(entry.reason)].get();
}

void fill_counters(const PortCounters& counters, v1::Counters& view) {
  view.Clear();
  add_counters(counters, view);
}

void fill_port(const std::string& name, const PortRecord& record, const Topology& topology, v1::Port& view) {
  view.set_name(name);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string::npos) view.set_parent(name.substr(0, dot));
  view.set_type(record.type);
  view.set_address(as_utf8(record.address));
  view.set_network(record.network);
  view.set_state(record.state);
  view.set_reason(as_utf8(record.reason));
  static const PortCounters none;  // a listener carries no frames itself; scripts find the same fields everywhere
  fill_counters(record.counters ? *record.counters : none, *view.mutable_counters());
  const PortConfig* written = topology.written(name);
  if (written == nullptr) return;
  for (const auto& [key, values] : written_keys(*written)) {
    v1::Key& pair = *view.add_keys();
    pair.set_key(std::string(key));
    for (const std::string& value : values) pair.add_values(as_utf8(value));
  }
  for (const std::string& line : qemu_lines(*written, record.address)) view.add_qemu(as_utf8(line));
}

std::vector<v1::Ports> list_ports(Topology& topology, const std::string& name, const std::string& network) {
  v1::Ports empty;
  empty.set_time_unix_ns(unix_ns());
  Parts<v1::Ports> parts(empty);
  for (const auto& [port, record] : topology.registry().records()) {
    const bool named = name.empty() || port == name || port.starts_with(name + ".");
    if (!named || (!network.empty() && record.network != network)) continue;
    v1::Port view;
    fill_port(port, record, topology, view);
    *parts.with_room_for(view).add_ports() = std::move(view);
  }
  return parts.take();
}

void fill_networks(Topology& topology, const std::string& name, v1::Networks& view) {
  std::unordered_map<std::string_view, v1::Network*> by_name;
  for (const auto& [known, network] : topology.networks()) {
    if (!name.empty() && name != known) continue;
    v1::Network& one = *view.add_networks();
    by_name[known] = &one;
    one.set_name(known);
    one.set_kind(std::string(name_of(network.config.kind)));
    one.set_ageing_s(network.config.ageing_s);
    for (const auto& [key, value] : written_keys(network.config)) {
      v1::Key& pair = *one.add_keys();
      pair.set_key(key);
      pair.add_values(value);
    }
    one.set_macs(network.counters->macs.get());
    one.set_macs_max(network.counters->macs_max.get());
    one.set_moves(network.counters->moves.get());
    fill_counters(PortCounters(), *one.mutable_counters());
  }
  for (const PortConfig& port : topology.config().ports)
    if (const auto network = by_name.find(port.network); network != by_name.end())
      network->second->set_configured_ports(network->second->configured_ports() + 1);
  for (const auto& [port, record] : topology.registry().records()) {
    const auto network = by_name.find(record.network);
    if (network == by_name.end() || !record.counters) continue;
    if (record.state == "up") network->second->set_ports(network->second->ports() + 1);
    add_counters(*record.counters, *network->second->mutable_counters());
  }
}

void fill_loop(const LoopCounters& loop, v1::Loop& view) {
  view.set_turns(loop.turns.get());
  view.set_syscalls(loop.syscalls.get());
  view.set_frames(loop.frames.get());
  view.set_busy_ns(loop.busy_ns.get());
  for (const Counter& bucket : loop.turn_time) view.add_turn_time(bucket.get());
}

void fill_event(const Event& event, v1::Event& view) {
  view.set_number(event.number);
  view.set_time_unix_ns(event.time_unix_ns);
  view.set_kind(std::string(info(event.kind).name));
  view.set_port(event.port);
  view.set_network(event.network);
  view.set_text(as_utf8(event.text));
  view.set_reason(event.reason);
  view.set_count(event.count);
}

namespace {

void fill_change(const Change& change, v1::Change& view) {
  view.set_action(change.action == Change::Action::add      ? v1::Change::ADD
                  : change.action == Change::Action::remove ? v1::Change::REMOVE
                                                            : v1::Change::CHANGE);
  constexpr std::array<const char*, 3> words = {"port", "network", "setting"};
  view.set_what(words[static_cast<std::size_t>(change.what)]);
  view.set_name(change.name);
  view.set_reopens(change.reopens);
  for (const std::string& line : change.before) view.add_before(as_utf8(line));
  for (const std::string& line : change.after) view.add_after(as_utf8(line));
}

}  // namespace

std::vector<v1::Plan> list_changes(const std::vector<Change>& changes) {
  Parts<v1::Plan> parts({});
  for (const Change& change : changes) {
    v1::Change view;
    fill_change(change, view);
    *parts.with_room_for(view).add_changes() = std::move(view);
  }
  return parts.take();
}

void fill_refusal(const Refusal& refusal, v1::Error& view) {
  switch (refusal.kind) {
    case Refusal::Kind::invalid: view.set_code(v1::Error::INVALID); break;
    case Refusal::Kind::not_found: view.set_code(v1::Error::NOT_FOUND); break;
    case Refusal::Kind::conflict: view.set_code(v1::Error::CONFLICT); break;
    case Refusal::Kind::unavailable: view.set_code(v1::Error::UNAVAILABLE); break;
    case Refusal::Kind::limit: view.set_code(v1::Error::LIMIT); break;
    case Refusal::Kind::internal: view.set_code(v1::Error::INTERNAL); break;
  }
  view.set_message(as_utf8(refusal.message));
  for (const std::string& detail : refusal.details) view.add_details(as_utf8(detail));
}

}  // namespace lanyard::control
