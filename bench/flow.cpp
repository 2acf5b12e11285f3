// Windows, pacing and waiting; see flow.h.
#include "bench/flow.h"

#include <poll.h>

#include <algorithm>

namespace lanyard::bench {

namespace {

using namespace std::chrono_literals;

constexpr Clock::duration greeting_interval = 100ms;
constexpr Clock::duration greeting_longest = 10s;
// After this long without an arrival, what is under way is given up for the window's sake; it may still come.
constexpr Clock::duration quiet_sending_longest = 500ms;
// And after this long it is lost. Far beyond what a busy machine keeps a frame waiting.
constexpr Clock::duration quiet_ending_longest = 5s;

timespec to_timespec(Clock::duration duration) {
  const auto ns = std::max<std::int64_t>(0, std::chrono::nanoseconds(duration).count());
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

void greet(Station& from, Station& to, Clock::time_point deadline) {
  const Burst greeting = make_greeting({from.mac(), to.mac()});
  Tally heard;
  while (heard.greetings == 0) {
    while (!from.send(greeting)) {
    }
    const Clock::time_point again = Clock::now() + greeting_interval;
    while (heard.greetings == 0 && wait_readable(to, again - Clock::now())) to.receive(heard);
    if (Clock::now() > deadline) failure("no frame gets through the program under test");
  }
}

// The traffic of one stretch: what is due, what has passed, and when anything was heard last.
class StretchRun {
 public:
  StretchRun(std::vector<Flow>& flows, const Stretch& stretch)
      : flows_(flows),
        stretch_(stretch),
        before_(sum()),
        start_(Clock::now()),
        last_arrival_(start_),
        quiet_since_(start_) {}

  Outcome run() {
    while (true) {
      const bool sending = !all_sent() && Clock::now() - start_ < stretch_.longest;
      const bool sent = send(sending);
      const bool received = receive();
      if (received) last_arrival_ = quiet_since_ = Clock::now();
      const bool travelled = travel(sending);
      if (!sending && all_complete()) break;
      if (!sent && !received && !travelled) wait(sending);
    }
    return difference();
  }

 private:
  Outcome sum() const {
    Outcome sum;
    for (const Flow& flow : flows_) {
      sum.sent += flow.sent();
      sum.received.frames += flow.received().frames;
      sum.received.bytes += flow.received().bytes;
      sum.received.strays += flow.received().strays;
    }
    return sum;
  }

  Outcome difference() const {
    Outcome passed = sum();
    passed.sent -= before_.sent;
    passed.received.frames -= before_.received.frames;
    passed.received.bytes -= before_.received.bytes;
    passed.received.strays -= before_.received.strays;
    const bool until_last_arrival = stretch_.receives && stretch_.trips.empty();
    const Clock::time_point end = until_last_arrival ? last_arrival_ : Clock::now();
    passed.seconds = std::chrono::duration<double>(end - start_).count();
    return passed;
  }

  std::uint64_t frames_sent() const {
    std::uint64_t sent = 0;
    for (const Flow& flow : flows_) sent += flow.sent();
    return sent - before_.sent;
  }

  bool all_sent() const {
    if (stretch_.trips.empty()) return frames_sent() >= stretch_.frames_max;
    return std::all_of(stretch_.trips.begin(), stretch_.trips.end(),
                       [](const RoundTrips& trips) { return trips.all_started(); });
  }

  bool all_rest() const {
    return std::all_of(stretch_.trips.begin(), stretch_.trips.end(),
                       [](const RoundTrips& trips) { return trips.awaited() == nullptr; });
  }

  bool travel(bool sending) {
    bool any = false;
    for (RoundTrips& trips : stretch_.trips) any |= trips.step(sending);
    return any;
  }

  bool paced() const { return stretch_.frames_per_second > 0; }

  bool is_due() const {
    const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
    return static_cast<double>(frames_sent()) <= seconds * stretch_.frames_per_second;
  }

  bool send(bool sending) {
    bool any = false;
    for (Flow& flow : flows_) any |= flow.fill(sending && !paced() ? frames_left() : 0);
    for (std::size_t i = 0; i < flows_.size() && sending && paced() && is_due(); ++i) {
      any |= flows_[next_flow_].fill(1);
      next_flow_ = (next_flow_ + 1) % flows_.size();
    }
    return any;
  }

  // A limit for bursts, generous where they have many frames. Without a window the time is looked at now and
  // then.
  std::uint64_t frames_left() const {
    const std::uint64_t left = stretch_.frames_max - std::min(stretch_.frames_max, frames_sent());
    return stretch_.receives ? left : std::min<std::uint64_t>(left, 1024);
  }

  bool receive() {
    if (!stretch_.receives || flows_.empty()) return false;
    if (flows_.size() == 1) return flows_.front().collect();
    polled_.clear();  // one call finds out which of many have something
    for (Flow& flow : flows_) polled_.push_back({flow.sink().fd(), POLLIN, 0});
    if (poll(polled_.data(), polled_.size(), 0) <= 0) return false;
    bool any = false;
    for (std::size_t i = 0; i < flows_.size(); ++i)
      if (polled_[i].revents != 0) any |= flows_[i].collect();
    return any;
  }

  bool all_complete() const {
    if (!all_rest()) return false;
    return !stretch_.receives ||
           std::all_of(flows_.begin(), flows_.end(), [](const Flow& flow) { return flow.complete(); });
  }

  void wait(bool sending) {
    polled_.clear();
    for (Flow& flow : flows_) {
      if (stretch_.receives) polled_.push_back({flow.sink().fd(), POLLIN, 0});
      if (flow.cut_short()) polled_.push_back({flow.source().fd(), POLLOUT, 0});
    }
    for (const RoundTrips& trips : stretch_.trips)
      if (const Station* station = trips.awaited()) polled_.push_back({station->fd(), POLLIN, 0});
    const timespec timeout = to_timespec(waits_until(sending) - Clock::now());
    if (ppoll(polled_.data(), polled_.size(), &timeout, nullptr) > 0) quiet_since_ = Clock::now();
    if (Clock::now() - quiet_since_ < quiet_longest(sending) || !stretch_.receives) return;
    for (Flow& flow : flows_) flow.give_up_missing();
    if (!sending && !all_complete()) failure("the program under test stopped reading a stream");
    quiet_since_ = Clock::now();
  }

  static Clock::duration quiet_longest(bool sending) {
    return sending ? quiet_sending_longest : quiet_ending_longest;
  }

  Clock::time_point waits_until(bool sending) const {
    Clock::time_point quiet_until =
        stretch_.receives ? quiet_since_ + quiet_longest(sending) : start_ + stretch_.longest;
    for (const RoundTrips& trips : stretch_.trips) quiet_until = std::min(quiet_until, trips.due(sending));
    if (!sending || !paced() || flows_.empty()) return quiet_until;
    const std::chrono::duration<double> due(static_cast<double>(frames_sent()) / stretch_.frames_per_second);
    return std::min(quiet_until, start_ + std::chrono::duration_cast<Clock::duration>(due));
  }

  std::vector<Flow>& flows_;
  const Stretch& stretch_;
  const Outcome before_;
  const Clock::time_point start_;
  Clock::time_point last_arrival_;
  Clock::time_point quiet_since_;  // nothing heard since, or the last time frames were given up
  std::size_t next_flow_ = 0;
  std::vector<pollfd> polled_;
};

}  // namespace

bool wait_readable(const Station& station, Clock::duration longest) {
  pollfd polled{station.fd(), POLLIN, 0};
  const timespec timeout = to_timespec(longest);
  return ppoll(&polled, 1, &timeout, nullptr) > 0;
}

void introduce(Station& a, Station& b) {
  const Clock::time_point deadline = Clock::now() + greeting_longest;
  greet(b, a, deadline);
  greet(a, b, deadline);
}

Flow::Flow(std::unique_ptr<Station> source, std::unique_ptr<Station> sink, std::vector<Burst> bursts,
           std::uint64_t window_frames, std::uint64_t copies)
    : source_(std::move(source)),
      sink_(std::move(sink)),
      bursts_(std::move(bursts)),
      window_(window_frames == UINT64_MAX ? UINT64_MAX : window_frames * copies),
      copies_(copies) {}

bool Flow::has_room(std::size_t frames) const {
  return under_way() + frames * copies_ <= window_;
}

std::uint64_t Flow::under_way() const {
  const std::uint64_t left = sink_->passed(received_.frames) + given_up_;  // a frame given up may still arrive
  return sent_ > left ? sent_ - left : 0;
}

bool Flow::fill(std::uint64_t frames) {
  const std::uint64_t before = sent_;
  bool any = false;
  while (cut_short_ || sent_ - before < frames) {
    const Burst& burst = bursts_[next_burst_];
    if (!cut_short_) {
      if (!has_room(burst.frames.size())) break;
      sent_ += burst.frames.size() * copies_;
    }
    cut_short_ = !source_->send(burst);
    if (cut_short_) break;
    any = true;
    next_burst_ = (next_burst_ + 1) % bursts_.size();
  }
  return any;
}

void Flow::give_up_missing() { given_up_ += under_way(); }

Outcome run_stretch(std::vector<Flow>& flows, const Stretch& stretch) {
  return StretchRun(flows, stretch).run();
}

}  // namespace lanyard::bench
