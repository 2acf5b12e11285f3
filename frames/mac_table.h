// Which port a station was last heard on: a bounded table that forgets what it has not heard of for a while,
// and that a flood of made-up addresses cannot turn against others.
//
// Slots: one array with linear probing, at most half full. Address, port and time of a station take 16 bytes,
// so learning a known station and looking one up touch one cache line each. The slot to begin at is the top
// of a seeded hash. Deleting moves later slots back, so there are no tombstones. An empty slot is zero.
//
// Lists: the stations of each port in two lists, those heard at one time only and those heard again, oldest
// first; doubly linked through an array beside the slots. Only learning a new station, hearing it again for
// the first time, moving and forgetting touch it.
//
// Growth: the arrays begin small and double until the capacity fits, so a network with few stations costs
// kilobytes; they do not shrink. A doubling carries all stations over at once: some 70 ns each, most of it
// the kernel handing out pages, so 5 ms for the last doubling of the default capacity, at its 65537th
// station.
//
// Ageing: look_up judges the time of what it finds, so an aged station is gone at once. Its place is freed by
// a hand that sweeps over the slots, a bounded step at a time, in proportion to the time that passed: once
// around in an eighth of the ageing time.
//
// Eviction, and the attack: one port sends from ever new addresses, until the stations of others are pushed
// out and frames to them are flooded to it. So a full table makes room by forgetting the oldest station of
// the port which has most. A flooding port soon is that port, and from then on it evicts only its own. Of
// these the ones heard at one time only go first, as made-up addresses are, but for a share in which new
// stations can establish themselves; of those heard again a few that spoke lately are passed over.
//
// Limits: `capacity` stations, ports below limits::ports_max. Not thread-safe: it belongs to one network's
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "frames/frame.h"
#include "frames/limits.h"
#include "frames/mac_address.h"
#include "frames/port_ranking.h"

namespace lanyard {

class MacTable {
 public:
  struct Options {
    std::size_t capacity = limits::macs_default;  // stations at most; 1 to 2^30
    std::uint64_t ageing_ns = limits::mac_ageing_ns_default;
    std::uint64_t seed = 0;  // of the hash, so that nobody outside can aim at one bucket
  };
  struct Entry {
    MacAddress station;
    PortIndex port = no_port;
    std::uint64_t seen_ns = 0;
  };

  explicit MacTable(const Options& options);

  // Learns or refreshes; true when the station was known on another port (it moved). Learning the same again
  // at the same time changes nothing. `now_ns` is monotonic, here and below.
  bool learn(MacAddress station, PortIndex port, std::uint64_t now_ns) {
    const SlotIndex at = find(station);
    if (at == no_slot || port_of(slots_[at]) != port) return learn_elsewhere(station, port, at, now_ns);
    if (now_ns > slots_[at].seen_ns) {
      slots_[at].seen_ns = now_ns;
      if ((slots_[at].word & heard_again) == 0) promote(at);
    }
    return false;
  }

  // The port, or no_port when unknown or not heard of for the ageing time.
  [[nodiscard]] PortIndex look_up(MacAddress station, std::uint64_t now_ns) const {
    const SlotIndex at = find(station);
    return at == no_slot || aged(slots_[at], now_ns) ? no_port : port_of(slots_[at]);
  }

  // Where the station that moved last was before.
  [[nodiscard]] PortIndex moved_from() const { return moved_from_; }

  // Forgets everything learned on `port`; work proportional to what it had.
  void forget_port(PortIndex port);
  // Forgets one station; false when it was not known.
  bool forget(MacAddress station);
  void clear();
  // From now on. What has aged by it is gone at once.
  void set_ageing(std::uint64_t ageing_ns);
  // Gives the places of aged stations to others: a bounded step, however much time has passed. Call it at
  // will; at the default capacity and ageing time, twice a second keeps up with the hand.
  void age(std::uint64_t now_ns);

  // Stations held, those that have aged but were not swept yet included.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t size_on(PortIndex port) const { return ranking_.count(port); }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::size_t memory_bytes() const;
  // What a table of this capacity may come to take, with all ports in use, and while its last doubling carries the
  // stations over.
  [[nodiscard]] static std::size_t memory_bytes_max(std::size_t capacity);

  // Since the table was made: stations that changed their port, and stations pushed out before they aged.
  [[nodiscard]] std::uint64_t moves() const { return moves_; }
  [[nodiscard]] std::uint64_t evictions() const { return evictions_; }

  // For display: fills `out` (REQUIRES: not empty) with stations that have not aged and returns how many.
  // `cursor` is 0 for the first slice and list_end after the last; a slice may be short, even empty, before
  // the end, since one call looks at a bounded number of slots. Where stations come or go between slices,
  // one of the others may be listed twice or not at all.
  static constexpr std::size_t list_end = ~std::size_t{0};
  [[nodiscard]] std::size_t list(std::size_t& cursor, std::span<Entry> out, std::uint64_t now_ns) const;

 private:
  using SlotIndex = std::uint32_t;
  static constexpr SlotIndex no_slot = 0xFFFFFFFFu;

  // The word: address in bits 63-16, then the flags, then the port. An occupied slot is never zero.
  struct alignas(16) Slot {
    std::uint64_t word = 0;
    std::uint64_t seen_ns = 0;
  };
  static constexpr unsigned station_shift = 16;
  static constexpr std::uint64_t occupied = 1U << 15;
  static constexpr std::uint64_t heard_again = 1U << 14;  // on this port, at a later time than the first
  static constexpr std::uint64_t port_mask = heard_again - 1;
  static_assert(limits::ports_max - 1 <= port_mask);

  struct Links {  // neighbours in the list
    SlotIndex older;
    SlotIndex newer;
  };
  struct List {
    SlotIndex oldest = no_slot;
    SlotIndex newest = no_slot;
    std::uint32_t stations = 0;
  };
  struct PortLists {
    List once;
    List again;
  };

  [[nodiscard]] static MacAddress station_of(const Slot& slot) {
    return MacAddress(slot.word >> station_shift);
  }
  [[nodiscard]] static PortIndex port_of(const Slot& slot) {
    return static_cast<PortIndex>(slot.word & port_mask);
  }
  [[nodiscard]] static Slot slot_for(MacAddress station, PortIndex port, std::uint64_t now_ns) {
    return {(station.value() << station_shift) | occupied | port, now_ns};
  }
  [[nodiscard]] bool aged(const Slot& slot, std::uint64_t now_ns) const {
    return now_ns >= slot.seen_ns && now_ns - slot.seen_ns >= ageing_ns_;
  }

  // Two rounds of multiply-and-fold with secret operands; after one, addresses that count up show a pattern.
  [[nodiscard]] static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  [[nodiscard]] SlotIndex home(MacAddress station) const {
    return static_cast<SlotIndex>(fold(fold(station.value() ^ keys_[0], keys_[1]) ^ keys_[2], keys_[3]) >>
                                  hash_shift_);
  }
  [[nodiscard]] SlotIndex next(SlotIndex at) const { return (at + 1) & mask_; }
  [[nodiscard]] SlotIndex find(MacAddress station) const {
    for (SlotIndex at = home(station);; at = next(at)) {
      const std::uint64_t word = slots_[at].word;
      if (word == 0) return no_slot;
      if (word >> station_shift == station.value()) return at;
    }
  }

  [[nodiscard]] List& list_of(const Slot& slot) {
    PortLists& lists = lists_[port_of(slot)];
    return (slot.word & heard_again) == 0 ? lists.once : lists.again;
  }

  bool learn_elsewhere(MacAddress station, PortIndex port, SlotIndex at, std::uint64_t now_ns);
  void promote(SlotIndex at);
  void evict(PortIndex newcomer, std::uint64_t now_ns);
  [[nodiscard]] SlotIndex victim_on(PortIndex port, std::uint64_t now_ns);
  void erase(SlotIndex at);
  SlotIndex place(const Slot& slot);
  void relocate(SlotIndex from, SlotIndex to);
  void link_newest(SlotIndex at);
  void unlink(SlotIndex at);
  void set_slot_count(std::size_t slots);
  void grow();
  void set_sweep_interval();
  [[nodiscard]] std::size_t slot_count() const { return std::size_t{mask_} + 1; }

  std::unique_ptr<Slot[]> slots_;
  SlotIndex mask_ = 0;       // slot count - 1
  unsigned hash_shift_ = 0;  // leaves as many bits of the hash as number a slot
  std::uint64_t keys_[4];
  std::uint64_t ageing_ns_;
  std::size_t size_ = 0;
  std::size_t capacity_;
  std::unique_ptr<Links[]> links_;  // by slot
  std::vector<PortLists> lists_;    // by port
  PortRanking ranking_;
  SlotIndex hand_ = 0;  // the next slot to sweep
  std::uint64_t swept_ns_ = 0;
  std::uint64_t sweep_interval_ns_ = 1;  // time per slot
  std::uint64_t moves_ = 0;
  PortIndex moved_from_ = no_port;
  std::uint64_t evictions_ = 0;
};

}  // namespace lanyard
