// The half of the MAC table that a steady network does not run: new stations, moves, eviction, growth and
// ageing. Theory and limits are in the header.
#include "frames/mac_table.h"

#include <algorithm>
#include <bit>

#include "frames/check.h"

namespace lanyard {
namespace {

constexpr std::size_t capacity_max = std::size_t{1} << 30;
// 24 KiB, enough for 512 stations: hardly a network needs more.
constexpr std::size_t slots_initial = 1024;
// 64 KiB of slots: what one step of ageing may cost; 3 us to look at, 0.1 ms when every station has aged.
constexpr std::size_t sweep_slots_max = 4096;
constexpr std::uint64_t sweeps_per_ageing = 8;
// 128 KiB of slots: what one slice of a listing may cost.
constexpr std::size_t list_slots_max = 8192;
// Of a port's stations, the share that stations heard once may keep although others were heard again.
constexpr std::uint32_t once_divisor = 8;
// How many stations that spoke lately may be passed over for one eviction, and how late that is.
constexpr int passed_over_max = 8;
constexpr std::uint64_t lately_divisor = 8;  // of the ageing time

// Well-spread numbers from a seed: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
// generators", OOPSLA 2014).
std::uint64_t next_key(std::uint64_t& state) {
  state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t key = state;
  key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9ULL;
  key = (key ^ (key >> 27)) * 0x94D049BB133111EBULL;
  return key ^ (key >> 31);
}

}  // namespace

MacTable::MacTable(const Options& options) : ageing_ns_(options.ageing_ns), capacity_(options.capacity) {
  LANYARD_CHECK(capacity_ >= 1 && capacity_ <= capacity_max);
  std::uint64_t state = options.seed;
  for (std::uint64_t& key : keys_) key = next_key(state) | 1;
  set_slot_count(std::min(slots_initial, std::bit_ceil(2 * capacity_)));
}

// --- Learning what is not in its place: a new station, or a known one on another port.

bool MacTable::learn_elsewhere(MacAddress station, PortIndex port, SlotIndex at, std::uint64_t now_ns) {
  LANYARD_CHECK(port < limits::ports_max);
  if (port >= lists_.size()) lists_.resize(port + 1);
  bool moved = false;
  if (at != no_slot) {
    moved = !aged(slots_[at], now_ns);
    if (moved) moved_from_ = port_of(slots_[at]);
    unlink(at);
    ranking_.decrement(port_of(slots_[at]));
    slots_[at] = slot_for(station, port, now_ns);
  } else {
    if (size_ == capacity_) evict(port, now_ns);
    if (2 * (size_ + 1) > slot_count()) grow();
    at = place(slot_for(station, port, now_ns));
    ++size_;
  }
  link_newest(at);
  ranking_.increment(port);
  moves_ += moved ? 1 : 0;
  return moved;
}

// A station becomes one that was heard again: from one list of its port to the other.
void MacTable::promote(SlotIndex at) {
  unlink(at);
  slots_[at].word |= heard_again;
  link_newest(at);
}

void MacTable::evict(PortIndex newcomer, std::uint64_t now_ns) {
  // Where several ports have most, the one that wants more pays for it.
  const bool own = ranking_.count(newcomer) == ranking_.count(ranking_.largest());
  const SlotIndex victim = victim_on(own ? newcomer : ranking_.largest(), now_ns);
  evictions_ += aged(slots_[victim], now_ns) ? 0 : 1;
  erase(victim);
}

MacTable::SlotIndex MacTable::victim_on(PortIndex port, std::uint64_t now_ns) {
  const PortLists& lists = lists_[port];
  if (lists.again.stations == 0 || lists.once.stations > ranking_.count(port) / once_divisor)
    return lists.once.oldest;
  for (int passed = 0; passed < passed_over_max; ++passed) {
    const SlotIndex at = lists.again.oldest;
    const bool lately = now_ns - slots_[at].seen_ns < ageing_ns_ / lately_divisor;
    if (!lately) break;
    unlink(at);
    link_newest(at);
  }
  return lists.again.oldest;
}

// --- Forgetting.

bool MacTable::forget(MacAddress station) {
  const SlotIndex at = find(station);
  if (at == no_slot) return false;
  erase(at);
  return true;
}

void MacTable::clear() {
  std::fill_n(slots_.get(), slot_count(), Slot());
  lists_.clear();
  ranking_ = PortRanking();
  size_ = 0;
}

void MacTable::set_ageing(std::uint64_t ageing_ns) {
  ageing_ns_ = ageing_ns;
  set_sweep_interval();
}

void MacTable::set_sweep_interval() {
  sweep_interval_ns_ = std::max<std::uint64_t>(1, ageing_ns_ / sweeps_per_ageing / slot_count());
}

void MacTable::forget_port(PortIndex port) {
  if (port >= lists_.size()) return;
  const PortLists& lists = lists_[port];
  while (lists.once.oldest != no_slot) erase(lists.once.oldest);
  while (lists.again.oldest != no_slot) erase(lists.again.oldest);
}

void MacTable::age(std::uint64_t now_ns) {
  if (now_ns <= swept_ns_) return;
  const std::uint64_t due = (now_ns - swept_ns_) / sweep_interval_ns_;
  if (due == 0) return;
  swept_ns_ += due * sweep_interval_ns_;
  const std::uint64_t steps = std::min<std::uint64_t>({due, sweep_slots_max, slot_count()});
  for (std::uint64_t step = 0; step < steps; ++step, hand_ = next(hand_))
    // Erasing may fill the slot from behind, so it is looked at again.
    while (slots_[hand_].word != 0 && aged(slots_[hand_], now_ns)) erase(hand_);
}

// Empties a slot and closes the gap: a later slot of the same cluster moves back into it, unless it would
// come to lie before the slot its own search begins at. That leaves a new gap, and so on to the end of the
// cluster.
void MacTable::erase(SlotIndex at) {
  unlink(at);
  ranking_.decrement(port_of(slots_[at]));
  SlotIndex gap = at;
  for (SlotIndex later = next(gap); slots_[later].word != 0; later = next(later)) {
    const SlotIndex displacement = (later - home(station_of(slots_[later]))) & mask_;
    if (displacement < ((later - gap) & mask_)) continue;
    relocate(later, gap);
    gap = later;
  }
  slots_[gap] = {};
  --size_;
}

// --- Slots and lists.

MacTable::SlotIndex MacTable::place(const Slot& slot) {
  SlotIndex at = home(station_of(slot));
  while (slots_[at].word != 0) at = next(at);
  slots_[at] = slot;
  return at;
}

void MacTable::relocate(SlotIndex from, SlotIndex to) {
  slots_[to] = slots_[from];
  const Links links = links_[to] = links_[from];
  List& list = list_of(slots_[to]);
  (links.older == no_slot ? list.oldest : links_[links.older].newer) = to;
  (links.newer == no_slot ? list.newest : links_[links.newer].older) = to;
}

void MacTable::link_newest(SlotIndex at) {
  List& list = list_of(slots_[at]);
  links_[at] = {list.newest, no_slot};
  (list.newest == no_slot ? list.oldest : links_[list.newest].newer) = at;
  list.newest = at;
  ++list.stations;
}

void MacTable::unlink(SlotIndex at) {
  List& list = list_of(slots_[at]);
  const Links links = links_[at];
  (links.older == no_slot ? list.oldest : links_[links.older].newer) = links.newer;
  (links.newer == no_slot ? list.newest : links_[links.newer].older) = links.older;
  --list.stations;
}

// --- Growth.

void MacTable::set_slot_count(std::size_t slots) {
  slots_ = std::make_unique<Slot[]>(slots);
  links_ = std::make_unique_for_overwrite<Links[]>(slots);
  mask_ = static_cast<SlotIndex>(slots - 1);
  hash_shift_ = 64U - static_cast<unsigned>(std::bit_width(slots - 1));
  set_sweep_interval();
}

// Twice the slots. The top bits of the hash choose the slot, so going through the old slots in order fills
// the new ones in order, which the cache and the memory like. On the way each old slot takes down its new
// place, by which the lists are then carried over.
void MacTable::grow() {
  const std::unique_ptr<Slot[]> old_slots = std::move(slots_);
  const std::unique_ptr<Links[]> old_links = std::move(links_);
  const std::size_t old_count = slot_count();
  set_slot_count(2 * old_count);
  hand_ *= 2;
  for (std::size_t at = 0; at < old_count; ++at)
    if (old_slots[at].word != 0) old_slots[at].seen_ns = place(old_slots[at]);
  const auto new_place = [&](SlotIndex at) {
    return at == no_slot ? no_slot : static_cast<SlotIndex>(old_slots[at].seen_ns);
  };
  for (SlotIndex at = 0; at < old_count; ++at)
    if (old_slots[at].word != 0)
      links_[new_place(at)] = {new_place(old_links[at].older), new_place(old_links[at].newer)};
  for (PortLists& lists : lists_)
    for (List* list : {&lists.once, &lists.again})
      *list = {new_place(list->oldest), new_place(list->newest), list->stations};
}

std::size_t MacTable::memory_bytes() const {
  return slot_count() * (sizeof(Slot) + sizeof(Links)) + lists_.capacity() * sizeof(PortLists) +
         ranking_.memory_bytes();
}

std::size_t MacTable::memory_bytes_max(std::size_t capacity) {
  const std::size_t slots = std::bit_ceil(2 * capacity);
  const std::size_t ports = 2 * limits::ports_max * sizeof(PortLists);  // a vector that grows may have twice the room
  return (slots + slots / 2) * (sizeof(Slot) + sizeof(Links)) + ports + PortRanking::memory_bytes_max(capacity);
}

// --- Display.

std::size_t MacTable::list(std::size_t& cursor, std::span<Entry> out, std::uint64_t now_ns) const {
  LANYARD_CHECK(!out.empty());
  if (cursor == list_end) return 0;
  // The cursor numbers slots as if the table had grown as far as it can: growth keeps relative positions.
  const auto scale =
      static_cast<unsigned>(std::bit_width(std::bit_ceil(2 * capacity_)) - std::bit_width(slot_count()));
  std::size_t at = std::min(cursor >> scale, slot_count());
  const std::size_t end = std::min(slot_count(), at + list_slots_max);
  std::size_t listed = 0;
  for (; at < end && listed < out.size(); ++at) {
    const Slot& slot = slots_[at];
    if (slot.word != 0 && !aged(slot, now_ns))
      out[listed++] = {station_of(slot), port_of(slot), slot.seen_ns};
  }
  cursor = at == slot_count() ? list_end : at << scale;
  return listed;
}

}  // namespace lanyard
