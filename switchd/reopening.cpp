// Ports that are tried again; see the header.
#include "switchd/reopening.h"

#include <algorithm>
#include <utility>

#include "switchd/resolve.h"

namespace lanyard {

namespace {

// The host that a port binds, where it is a name.
HostPort name_to_bind(const PortConfig& port) {
  const bool binds = port.type == PortType::tcp_listen || port.type == PortType::udp;
  return binds && literal_addresses(port.address).empty() ? port.address : HostPort{};
}

}  // namespace

Reopening::Reopening(asio::io_context& io, std::shared_ptr<unsigned> looking, std::function<void()> attempt)
    : timer_(io), resolver_(io), looking_(std::move(looking)), attempt_(std::move(attempt)) {}

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
  resolver_.cancel();
}

void Reopening::pause(std::chrono::milliseconds time) {
  state_ = State::paused;
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
    if (cancelled || self->state_ != State::paused) return;
    self->look_up();
  });
}

// One that does not resolve waits on: the try would only say so, and late.
void Reopening::look_up() {
  tried_ = std::chrono::steady_clock::now();
  state_ = State::trying;
  if (name_.host.empty()) return attempt_();
  state_ = State::looking;
  ++*looking_;
  resolver_.async_resolve(name_.host, std::to_string(name_.port), asio::ip::resolver_base::numeric_service,
                          [self = shared_from_this()](const asio::error_code& error, const auto&) {
                            --*self->looking_;
                            if (self->state_ != State::looking) return;
                            if (error) return self->pause(self->backoff_.next());
                            self->state_ = State::trying;
                            self->attempt_();
                          });
}

}  // namespace lanyard
