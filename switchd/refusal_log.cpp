// Refused connections in the log; see the header.
#include "switchd/refusal_log.h"

#include "switchd/log.h"

namespace lanyard {

void RefusalLog::warn(std::string what) {
  last_ = std::move(what);
  ++untold_;
  if (resting_) return;
  tell();
  rest();
}

void RefusalLog::finish() {
  timer_.cancel();
  resting_ = false;
  tell();
}

void RefusalLog::rest() {
  resting_ = true;
  timer_.expires_after(interval);
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled) return;
    resting_ = false;
    if (untold_ == 0) return;
    tell();
    rest();
  });
}

void RefusalLog::tell() {
  if (untold_ == 1) log_warn("port {}: {}", port_, last_);
  if (untold_ > 1) log_warn("port {}: {}, and {} more before", port_, last_, untold_ - 1);
  untold_ = 0;
}

}  // namespace lanyard
