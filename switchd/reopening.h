// A port that cannot be open now, because an address or an interface is not there: why, and when it is tried again.
// Control thread only.
//
//   paused    a timer runs, for longer and longer (backoff.h)
//   looking   the name of the host that it binds is being looked up, so that the try itself does not wait for a name
//             server: the control plane serves others
//   trying    `attempt` was called; who called later() or stop() since has answered
//   stopped   for good
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "switchd/backoff.h"
#include "switchd/config.h"

namespace lanyard {

class Reopening : public std::enable_shared_from_this<Reopening> {
 public:
  // `looking` counts the look-ups under way, which cannot be interrupted.
  Reopening(asio::io_context& io, std::shared_ptr<unsigned> looking, std::function<void()> attempt);

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
  asio::ip::tcp::resolver resolver_;
  std::shared_ptr<unsigned> looking_;
  std::function<void()> attempt_;
  Backoff backoff_;
  std::chrono::steady_clock::time_point tried_;  // last
  HostPort name_;  // to be looked up first; no host: nothing
  std::string reason_;
  State state_ = State::trying;
};

}  // namespace lanyard
