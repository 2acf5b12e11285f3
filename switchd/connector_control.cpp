// Connecting ports; see the header.
#include "switchd/connector_control.h"

#include <utility>

#include "switchd/log.h"
#include "switchd/resolve.h"

namespace lanyard {

namespace {

// TCP lets a socket connect to itself when the kernel happens to choose the target's port as its own, which it does
// sooner or later where nobody listens on an ephemeral port of this host (RFC 9293, 3.5: simultaneous open). Such a
// connection would send every frame back to us, and keep the VM from binding its port.
[[nodiscard]] bool is_connected_to_itself(int fd, const SocketAddress& target) {
  return target.family() != AF_UNIX && bound_address(fd) == target;
}

}  // namespace

ConnectorControl::ConnectorControl(const PortConfig& config, PortServices& services)
    : PortControl(config, services),
      socket_(services.io()),
      timer_(services.io()),
      watch_timer_(services.io()) {}

std::string ConnectorControl::address() const {
  return config_.type == PortType::unix_connect ? config_.path : to_string(config_.address);
}

std::optional<OpenError> ConnectorControl::open() {
  services_.registry().set(config_.name, record(address(), "down", nullptr));
  return std::nullopt;
}

void ConnectorControl::resolve() {
  candidates_.clear();
  if (config_.type == PortType::unix_connect) {
    candidates_.push_back(SocketAddress::unix_path(config_.path));
    return connect_next();
  }
  if (!is_name(config_.address)) {
    const auto addresses = addresses_of(config_.address);
    if (const auto* error = std::get_if<OpenError>(&addresses)) return failed(error->what);
    return connect_to(std::get<std::vector<SocketAddress>>(addresses));
  }
  if (last_failure_.empty()) show_down("looking up '" + config_.address.host + "'");
  look_up_ = services_.names().look_up(config_.address.host, [this](const NameAnswer& answer) {
    look_up_.reset();
    if (answer.addresses.empty()) return failed(answer.wrong);
    connect_to(with_port_of(config_.address, answer.addresses));
  });
}

void ConnectorControl::connect_to(const std::vector<SocketAddress>& addresses) {
  candidates_.assign(addresses.begin(), addresses.end());
  connect_next();
}

void ConnectorControl::connect_next() {
  const SocketAddress target = candidates_.front();
  candidates_.pop_front();
  asio::error_code error;
  socket_.open(asio::generic::stream_protocol(target.family(), target.family() == AF_UNIX ? 0 : IPPROTO_TCP), error);
  if (error) return candidates_.empty() ? failed(error.message()) : connect_next();  // IPv6 may be switched off
  timer_.expires_after(connect_max);
  timer_.async_wait([this](const asio::error_code& cancelled) {
    asio::error_code ignored;
    if (!cancelled) socket_.close(ignored);  // ends the connect below with operation_aborted
  });
  socket_.async_connect({&target.any, target.length}, [this, target](const asio::error_code& result) {
    if (stopping_) return;
    const bool timed_out = result == asio::error::operation_aborted;
    timer_.cancel();
    asio::error_code ignored;
    const bool to_itself = !result && is_connected_to_itself(socket_.native_handle(), target);
    if (!result && !to_itself) return connected(Fd(socket_.release(ignored)));
    socket_.close(ignored);
    if (!candidates_.empty()) return connect_next();
    failed(to_itself ? "nobody listens there" : timed_out ? "no answer" : result.message());
  });
}

void ConnectorControl::connected(Fd fd) {
  if (!fd) return failed("cannot take over the socket");
  auto transport = make_own_stream(std::move(fd), config_.type == PortType::tcp_connect);
  counters_ = transport->ports.front()->counters;
  frames_before_ = frames_brought();
  connected_at_ = std::chrono::steady_clock::now();
  is_connected_ = true;
  PortRecord shown = record(address(), "up", counters_);
  untold_drops_.came(damping_.came(connected_at_), shown);
  services_.registry().set(config_.name, std::move(shown));
  services_.attach(std::move(transport), *this);
}

void ConnectorControl::attached(const Notice&) {
  if (damping_.is_told()) tell_up();
  else watch();
}

void ConnectorControl::tell_up() {
  last_failure_.clear();
  untold_drops_.told(*services_.registry().find(config_.name));
  services_.print("port " + config_.name + " up " + std::string(name_of(config_.type)) + ":" + address());
  services_.event(LogLevel::info, EventKind::port_up, config_.name, "port " + config_.name + " up: " + address());
}

// What is no frame to the bridge, such as another protocol's greeting, does not count.
std::uint64_t ConnectorControl::frames_brought() const {
  return counters_->received_frames.get() - counters_->drops[static_cast<std::size_t>(DropReason::bad_length)].get();
}

// A timer of its own: one that has run out already cannot be cancelled, and would take the place of the next try.
void ConnectorControl::watch() {
  watch_timer_.expires_after(watch_interval);
  watch_timer_.async_wait([this, which = connected_at_](const asio::error_code& cancelled) {
    if (cancelled || stopping_ || !is_connected_ || which != connected_at_) return;
    if (damping_.settles(std::chrono::steady_clock::now(), has_served())) tell_up();
    else watch();
  });
}

void ConnectorControl::failed(const std::string& why) {
  if (why != last_failure_) log_info("port {} is down: {}: {}; trying again", config_.name, address(), why);
  last_failure_ = why;
  show_down(why);
  retry_later();
}

void ConnectorControl::retry_later() {
  timer_.expires_after(backoff_.next());
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled && !stopping_) resolve();
  });
}

void ConnectorControl::closed(const Notice& notice) {
  const std::string cause = cause_text(notice);
  show_down(cause);
  const FlapDamping::Gone gone = damping_.went(std::chrono::steady_clock::now(), has_served());
  if (gone.is_told) {
    services_.print("port " + config_.name + " down " + cause);
    services_.event(LogLevel::info, EventKind::port_down, config_.name, "port " + config_.name + " down: " + cause);
  }
  is_connected_ = false;
  if (stopping_) return;
  watch_timer_.cancel();
  if (gone.counted) {
    backoff_.reset();
  } else if (gone.begins) {
    log_info("port {}: {} closes connections before a frame comes; trying again with longer pauses, and telling only of "
             "one that lasts",
             config_.name, address());
  }
  retry_later();
}

void ConnectorControl::stop() {
  stopping_ = true;
  asio::error_code ignored;
  look_up_.reset();
  timer_.cancel();
  watch_timer_.cancel();
  socket_.close(ignored);
}

}  // namespace lanyard
