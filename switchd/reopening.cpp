// Ports that are tried again; see the header.
#include "switchd/reopening.h"

#include <algorithm>
#include <utility>

#include "switchd/resolve.h"

namespace lanyard {

Reopening::Reopening(asio::io_context& io, NameResolver& resolver, Attempt attempt)
    : timer_(io), resolver_(resolver), attempt_(std::move(attempt)) {}

void Reopening::later(const PortConfig& port) {
  name_ = name_to_bind(port);
  pause(backoff_.next());
}

void Reopening::now() {
  if (state_ != State::paused) return;
  const auto present = std::chrono::steady_clock::now();
  if (present - tried_ > Backoff::max) backoff_.reset();
  const auto next = std::max(present, tried_ + between_tries_min);
  if (next < timer_.expiry()) pause(std::chrono::ceil<std::chrono::milliseconds>(next - present));
}

void Reopening::stop() {
  state_ = State::stopped;
  timer_.cancel();
  look_up_.reset();
}

void Reopening::pause(std::chrono::milliseconds time) {
  state_ = State::paused;
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
    if (cancelled || self->state_ != State::paused) return;
    self->look_up();
  });
}

void Reopening::look_up() {
  tried_ = std::chrono::steady_clock::now();
  state_ = State::trying;
  if (name_.empty()) return attempt_(nullptr);
  state_ = State::looking;
  look_up_ = resolver_.look_up(name_, [self = weak_from_this()](const NameAnswer& answer) {
    const auto waiting = self.lock();
    if (!waiting || waiting->state_ != State::looking) return;
    waiting->state_ = State::trying;
    waiting->attempt_(&answer);
  });
}

}  // namespace lanyard
