// Which comings and goings of a connection are told.
#include "switchd/flap_damping.h"

#include <catch2/catch.hpp>

namespace flap_damping_test {

using namespace lanyard;
using namespace std::chrono_literals;

namespace {

struct Clock {
  FlapDamping::TimePoint now{};
  FlapDamping damping;
  [[nodiscard]] bool come() { return damping.came(now); }
  FlapDamping::Gone go_after(std::chrono::milliseconds time, bool has_served = false) {
    now += time;
    return damping.went(now, has_served);
  }
};

}  // namespace

TEST_CASE("as many connections as are allowed to may end soon and be told of; the next are not") {
  const unsigned told_max = GENERATE(1U, 3U);
  Clock clock{{}, FlapDamping({.lasts = 5s, .told_max = told_max})};
  for (unsigned i = 1; i <= told_max; ++i) {
    CHECK(clock.come());
    CHECK(clock.damping.is_told());
    const FlapDamping::Gone gone = clock.go_after(4999ms);
    CHECK(gone.is_told);
    CHECK_FALSE(gone.counted);
    CHECK(gone.begins == (i == told_max));
  }
  for (unsigned i = 0; i < 10; ++i) {
    CHECK_FALSE(clock.come());
    CHECK_FALSE(clock.damping.settles(clock.now + 4999ms, false));
    const FlapDamping::Gone gone = clock.go_after(4999ms);
    CHECK_FALSE(gone.is_told);
    CHECK_FALSE(gone.begins);
  }
}

TEST_CASE("one that lasts, or has served, is told late, once, with its end, and the next is told at once again") {
  const bool serves = GENERATE(false, true);
  Clock clock{{}, FlapDamping({.lasts = 5s, .told_max = 1})};
  CHECK(clock.come());
  (void)clock.go_after(1ms);
  CHECK_FALSE(clock.come());
  CHECK_FALSE(clock.damping.settles(clock.now, false));
  clock.now += serves ? 1ms : 5000ms;
  CHECK(clock.damping.settles(clock.now, serves));
  CHECK_FALSE(clock.damping.settles(clock.now, serves));
  const FlapDamping::Gone gone = clock.go_after(1ms, serves);
  CHECK(gone.is_told);
  CHECK(gone.counted);
  CHECK(clock.come());
}

TEST_CASE("where there is no connection, none counts and none settles") {
  FlapDamping damping({.lasts = 5s, .told_max = 1});
  const FlapDamping::TimePoint late{1h};
  CHECK_FALSE(damping.counts(late, true));
  CHECK_FALSE(damping.settles(late, true));
  (void)damping.came(late);
  CHECK(damping.counts(late, true));
  (void)damping.went(late, false);
  CHECK_FALSE(damping.counts(late + 1h, true));
  CHECK_FALSE(damping.settles(late + 1h, true));
}

}  // namespace flap_damping_test
