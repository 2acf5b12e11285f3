// A port that cannot be open now, because an address or an interface is not there: why, and when it is tried again.
// Control thread only.
//
//   paused    a timer runs, for longer and longer (backoff.h)
//   looking   the name of the host that it binds is being looked up
//   trying    `attempt` was called; who called later() or stop() since has answered
//   stopped   for good
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "switchd/backoff.h"
#include "switchd/config.h"
#include "switchd/name_resolver.h"

namespace lanyard {

class Reopening : public std::enable_shared_from_this<Reopening> {
 public:
  // `attempt` is given what was found for the name, or null where there is none.
  using Attempt = std::function<void(const NameAnswer*)>;
  Reopening(asio::io_context& io, NameResolver& resolver, Attempt attempt);

  // Tries once, after a pause. `port` is as configured now.
  void later(const PortConfig& port);
  // Something may be there that was not: tries at once, or a second after the last try, as what a try does to an
  // interface is such a change, too. Pauses are short again if none of them was of late.
  void now();
  void stop();

  // Returns whether it is another reason than before.
  bool set_reason(const std::string& reason) { return std::exchange(reason_, reason) != reason; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  enum class State : std::uint8_t { trying, paused, looking, stopped };

  void pause(std::chrono::milliseconds time);
  void look_up();

  static constexpr std::chrono::milliseconds between_tries_min{1000};

  asio::steady_timer timer_;
  NameResolver& resolver_;
  NameResolver::LookUp look_up_;
  Attempt attempt_;
  Backoff backoff_;
  std::chrono::steady_clock::time_point tried_;  // last
  std::string name_;  // to be looked up first; empty: nothing
  std::string reason_;
  State state_ = State::trying;
};

}  // namespace lanyard
