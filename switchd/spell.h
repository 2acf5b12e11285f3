// A counter that counts for a while, and then does not: when such a spell begins and ends, so that each is told of
// once, and not each time that something was counted. Pure; one thread.
#pragma once

#include <cstdint>
#include <utility>

namespace lanyard {

class Spell {
 public:
  static constexpr unsigned quiet_looks_max = 5;  // without anything new: it has ended

  enum class Change : std::uint8_t { none, began, ended };
  // `now` is the counter, which only grows and was 0 before the first look. Call it once a second.
  Change look(std::uint64_t now) {
    const std::uint64_t before = std::exchange(seen_, now);
    if (now > before) {
      quiet_looks_ = 0;
      if (std::exchange(going_on_, true)) return Change::none;
      began_ = before;
      return Change::began;
    }
    if (!going_on_ || ++quiet_looks_ < quiet_looks_max) return Change::none;
    going_on_ = false;
    return Change::ended;
  }
  // What was counted since the last look is none of its business.
  void skip_to(std::uint64_t now) {
    began_ += now - seen_;
    seen_ = now;
  }
  // Counted in this spell, or the last.
  [[nodiscard]] std::uint64_t count() const { return seen_ - began_; }

 private:
  std::uint64_t seen_ = 0;   // at the last look
  std::uint64_t began_ = 0;  // what there was before
  unsigned quiet_looks_ = 0;
  bool going_on_ = false;
};

}  // namespace lanyard
