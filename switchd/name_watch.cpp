// Looking a peer's name up again; see the header.
#include "switchd/name_watch.h"

#include <algorithm>
#include <utility>

#include "switchd/resolve.h"

namespace lanyard {

void NameWatch::look_up() {
  if (look_up_) return;
  looked_up_at_ = Clock::now();
  look_up_ = resolver_.look_up(name_.host, [this](const NameAnswer& answer) {
    look_up_.reset();
    if (answer.addresses.empty()) return not_found(answer.wrong);
    found(with_port_of(name_, answer.addresses));
  });
}

void NameWatch::found(const std::vector<SocketAddress>& addresses) {
  const std::string wrong = user_.use(addresses);
  if (!wrong.empty()) return not_found(wrong);
  if (!std::exchange(used_, true)) {
    heard_at_ = Clock::now();
    heard_ = user_.heard();
    pause_ = pause_min;
  }
  wait(listen_interval, &NameWatch::listen);
}

// What is in use stays so.
void NameWatch::not_found(const std::string& why) {
  if (used_) return wait(listen_interval, &NameWatch::listen);
  user_.failed(why);
  wait(retry_.next(), &NameWatch::look_up);
}

void NameWatch::wait(std::chrono::milliseconds time, void (NameWatch::*then)()) {
  timer_.expires_after(time);
  timer_.async_wait([this, then](const asio::error_code& cancelled) {
    if (!cancelled && !stopping_) (this->*then)();
  });
}

void NameWatch::hear() {
  const std::uint64_t heard = user_.heard();
  if (heard == std::exchange(heard_, heard)) return;
  heard_at_ = Clock::now();
  pause_ = pause_min;
  unreachable_ = false;
}

void NameWatch::listen() {
  hear();
  const auto now = Clock::now();
  const bool is_suspect = unreachable_ || now - heard_at_ >= silence_max;
  if (!is_suspect || now - looked_up_at_ < pause_) return wait(listen_interval, &NameWatch::listen);
  pause_ = std::min(pause_ * 2, pause_max);
  look_up();
}

// What was heard before this does not speak against it.
void NameWatch::unreachable() {
  if (!used_ || stopping_) return;
  hear();
  unreachable_ = true;
  if (!look_up_) listen();
}

void NameWatch::stop() {
  stopping_ = true;
  look_up_.reset();
  timer_.cancel();
}

}  // namespace lanyard
