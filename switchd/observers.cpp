// Observers; see the header.
#include "switchd/observers.h"

#include <algorithm>
#include <utility>

#include "transports/transport.h"

namespace lanyard {

void Observers::add_tap(std::shared_ptr<Tap> tap, std::uint64_t now_ns) {
  const auto place = std::find(taps_.begin(), taps_.end(), nullptr);
  LANYARD_CHECK(place != taps_.end());
  tap->begin(now_ns + unix_offset_ns_);
  *place = std::move(tap);
  look_at_all();
}

void Observers::remove_tap(const Tap* tap) {
  const auto place = std::find_if(taps_.begin(), taps_.end(), [&](const auto& one) { return one.get() == tap; });
  if (place != taps_.end()) place->reset();
  look_at_all();
}

void Observers::set_mirrors(std::vector<Mirror> mirrors) {
  LANYARD_CHECK(mirrors.size() <= limits::mirrors_max);
  mirrors_.clear();
  for (Mirror& mirror : mirrors) {
    mirrors_.push_back({std::move(mirror), nullptr});
    Placed& placed = mirrors_.back();
    ports_.for_each([&](Port& port) {
      const bool up = port.transport->state == Transport::State::up;
      if (up && placed.to == nullptr && placed.what.to.includes(port)) placed.to = &port;
    });
  }
  look_at_all();
}

void Observers::swap_rewind(NetworkIndex network, std::unique_ptr<Rewind>& rewind) {
  if (rewinds_.size() <= network) rewinds_.resize(network + 1);
  const bool same = (rewinds_[network] == nullptr) == (rewind == nullptr);
  std::swap(rewinds_[network], rewind);
  if (!same) look_at_all();
}

void Observers::joined(Port& port) {
  for (Placed& mirror : mirrors_)
    if (mirror.to == nullptr && mirror.what.to.includes(port)) mirror.to = &port;
  look_at(port);
}

void Observers::left(Port& port) {
  for (Placed& mirror : mirrors_)
    if (mirror.to == &port) mirror.to = nullptr;
}

void Observers::set_clock(std::uint64_t now_ns, std::uint64_t unix_ns) {
  constexpr std::int64_t delay_ns_max = 1'000'000;
  const std::uint64_t offset = unix_ns - now_ns;
  const auto difference = static_cast<std::int64_t>(offset - unix_offset_ns_);
  if (difference < -delay_ns_max || difference > delay_ns_max) unix_offset_ns_ = offset;
}

void Observers::look_at_all() const {
  ports_.for_each([&](Port& port) { look_at(port); });
}

void Observers::look_at(Port& port) const {
  port.taps = port.mirrors = 0;
  for (std::size_t i = 0; i < taps_.size(); ++i)
    if (taps_[i] && taps_[i]->spec().ports.includes(port)) port.taps |= static_cast<std::uint16_t>(1u << i);
  for (std::size_t i = 0; i < mirrors_.size(); ++i) {
    const Mirror& mirror = mirrors_[i].what;
    if (mirror.ports.includes(port) && !mirror.to.includes(port)) port.mirrors |= static_cast<std::uint16_t>(1u << i);
  }
  port.observed = port.taps != 0 || port.mirrors != 0 || rewind_of(port.network) != nullptr;
}

Rewind* Observers::rewind_of(NetworkIndex network) const {
  return network < rewinds_.size() ? rewinds_[network].get() : nullptr;
}

FrameRecord Observers::record_of(const Port& port, FrameRecord::Direction direction, std::optional<DropReason> drop,
                                 std::uint64_t now_ns) const {
  FrameRecord record;
  record.unix_ns = now_ns + unix_offset_ns_;
  record.port = port.counters->serial;
  record.owner = port.owner;
  record.network = static_cast<std::uint16_t>(port.network);
  record.direction = direction;
  if (drop) record.drop = static_cast<std::uint8_t>(*drop);
  return record;
}

void Observers::received(const Port& port, std::span<const Frame> frames, std::optional<DropReason> drop,
                         std::uint64_t now_ns) {
  const FrameRecord record = record_of(port, FrameRecord::Direction::inbound, drop, now_ns);
  for (const Frame& frame : frames) keep(port, record, frame);
}

void Observers::copied(const Port& port, const Frame& frame, std::optional<DropReason> drop, std::uint64_t now_ns) {
  keep(port, record_of(port, FrameRecord::Direction::outbound, drop, now_ns), frame);
}

void Observers::keep(const Port& port, FrameRecord record, const Frame& frame) {
  record.original_bytes = frame.bytes;
  const std::span<const std::byte> bytes(frame.data, frame.bytes);
  for (unsigned bits = port.taps; bits != 0; bits &= bits - 1)
    taps_[static_cast<std::size_t>(std::countr_zero(bits))]->offer(record, bytes);
  if (Rewind* rewind = rewind_of(port.network)) rewind->append(record, bytes);
}

}  // namespace lanyard
