// Which comings and goings of a port's connection are told, where each may end as soon as it is there: something accepts
// and closes at once, as a tunnel (ssh -L) does whose far end is down; a gateway ends when it meets a guest. Routers call
// it flap damping (RFC 2439); this is the simplest form:
//
//   steady    (at first) a coming is told at once, and so is the going
//   damped    once `told_max`, one after another, went before they had counted: a coming is told when it counts, which
//             leads back to steady; one that does not get there is not told, neither that it came nor that it went
//
// A connection counts when it has served (its user says what that is) or lasted `lasts`. Pure.
#pragma once

#include <chrono>
#include <utility>

namespace lanyard {

class FlapDamping {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Rule {
    std::chrono::milliseconds lasts;
    unsigned told_max;
  };
  struct Gone {
    bool is_told;  // as its coming was
    bool counted;
    bool begins;   // from now on they are damped
  };

  explicit FlapDamping(Rule rule) : rule_(rule) {}

  // One has come. Returns whether that is told now; else it is when settles() says so.
  bool came(TimePoint now) {
    is_there_ = true;
    came_ = now;
    is_told_ = in_vain_ < rule_.told_max;
    return is_told_;
  }
  // Does it count by now? False, too, where none is there.
  [[nodiscard]] bool counts(TimePoint now, bool has_served) const {
    return is_there_ && (has_served || now - came_ >= rule_.lasts);
  }
  // True once: it counts by now, and that it came has not been told and is to be.
  bool settles(TimePoint now, bool has_served) {
    if (is_told_ || !counts(now, has_served)) return false;
    in_vain_ = 0;
    return is_told_ = true;
  }
  // It has gone. REQUIRES: one came.
  Gone went(TimePoint now, bool has_served) {
    const bool counted = counts(now, has_served);
    in_vain_ = counted ? 0 : in_vain_ + 1;
    is_there_ = false;
    return {std::exchange(is_told_, false), counted, !counted && in_vain_ == rule_.told_max};
  }
  // Was it told that the present one has come?
  [[nodiscard]] bool is_told() const { return is_told_; }

 private:
  Rule rule_;
  TimePoint came_;
  bool is_there_ = false;
  bool is_told_ = false;
  unsigned in_vain_ = 0;  // went before they counted, one after another
};

}  // namespace lanyard
