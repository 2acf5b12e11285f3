// Listening ports; see the header.
#include "switchd/listener_control.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <utility>

#include "switchd/log.h"
#include "switchd/resolve.h"

namespace lanyard {

std::optional<OpenError> ListenerControl::open() {
  auto error = config_.type == PortType::unix_listen ? open_unix() : open_tcp();
  if (error) return error;
  services_.registry().set(config_.name, record(address_, "listening", nullptr));
  return std::nullopt;
}

void ListenerControl::begin() {
  for (const auto& accepting : accepting_) accept(accepting);
}

std::optional<OpenError> ListenerControl::open_unix() {
  auto opened = open_unix_listener({config_.path, config_.mode, config_.group});
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  address_ = config_.path;
  add_acceptor(AF_UNIX, std::move(std::get<Fd>(opened)));
  return std::nullopt;
}

std::optional<OpenError> ListenerControl::open_tcp() {
  auto addresses = services_.addresses_to_bind(config_.address);
  if (auto* error = std::get_if<OpenError>(&addresses)) return std::move(*error);
  auto bound = bind_all(std::get<std::vector<SocketAddress>>(addresses));
  if (auto* error = std::get_if<OpenError>(&bound)) return std::move(*error);
  auto& sockets = std::get<std::vector<Fd>>(bound);
  const SocketAddress bound_at = bound_address(sockets.front().get());
  keep_number(config_.address.port, bound_at.port());
  address_ = to_string(bound_at);
  for (Fd& fd : sockets) {
    const int family = bound_address(fd.get()).family();
    add_acceptor(family, std::move(fd));
  }
  return std::nullopt;
}

// All addresses with one number: where 0 was asked for, that which it had before, or else the first socket's decides, and
// another is tried when it is taken for a later one. One that this host does not have is left out as long as there is another: without IPv6 still
// the IPv4 loopback is bound, whichever comes first.
Opened<std::vector<Fd>> ListenerControl::bind_all(const std::vector<SocketAddress>& addresses) const {
  constexpr int tries = 16;
  OpenError last;
  for (int i = 0; i < tries; ++i) {
    std::vector<Fd> sockets;
    std::uint16_t port = i == 0 ? number_to_bind(config_.address.port) : config_.address.port;
    bool taken = false;
    for (const SocketAddress& address : addresses) {
      auto opened = open_tcp_listener(address.with_port(port));
      if (auto* error = std::get_if<OpenError>(&opened)) {
        last = std::move(*error);
        if (is_absent(last)) continue;
        taken = true;
        break;
      }
      sockets.push_back(std::move(std::get<Fd>(opened)));
      port = bound_address(sockets.back().get()).port();
    }
    if (!taken && !sockets.empty()) return sockets;
    if (config_.address.port != 0) break;
  }
  return last;
}

void ListenerControl::add_acceptor(int family, Fd fd) {
  const int protocol = family == AF_UNIX ? 0 : IPPROTO_TCP;
  const SocketAddress local = bound_address(fd.get());
  const unsigned zone = local.is_link_local() ? local.v6.sin6_scope_id : 0;
  accepting_.push_back(
      std::make_shared<Accepting>(Accepting{Acceptor(services_.io()), asio::steady_timer(services_.io()), zone}));
  accepting_.back()->acceptor.assign(asio::generic::stream_protocol(family, protocol), fd.release());
}

void ListenerControl::links_changed(const std::set<unsigned>& gone) {
  if (waiting_) return try_again();
  const bool is_deaf = std::any_of(accepting_.begin(), accepting_.end(), [&](const auto& one) {
    return one->zone != 0 && gone.contains(one->zone);
  });
  if (!is_deaf) return;
  close_all();
  waiting_ = true;
  show_down("its interface is gone");
  services_.print("port " + config_.name + " down its interface is gone");
  services_.event(LogLevel::info, EventKind::port_down, config_.name,
                  "port " + config_.name + " down: its interface is gone");
  try_again();
}

// That the interface is there again will be told.
void ListenerControl::try_again() {
  if (const auto failed = open()) {
    if (failed->what != std::exchange(last_failure_, failed->what))
      log_info("port {} is down: {}; trying again", config_.name, failed->what);
    return;
  }
  waiting_ = false;
  last_failure_.clear();
  begin();
  services_.print("port " + config_.name + " up " + std::string(name_of(config_.type)) + ":" + address_);
  services_.event(LogLevel::info, EventKind::port_up, config_.name, "port " + config_.name + " up: " + address_);
}

// Their handlers may still be called, and keep what they use.
void ListenerControl::close_all() {
  asio::error_code ignored;
  for (const auto& accepting : accepting_) {
    accepting->pause.cancel();
    accepting->acceptor.close(ignored);
  }
  accepting_.clear();
}

void ListenerControl::accept(const std::shared_ptr<Accepting>& accepting) {
  if (!accepting->acceptor.is_open()) return;
  accepting->acceptor.async_accept([this, accepting](const asio::error_code& error, auto socket) {
    if (stopping_ || error == asio::error::operation_aborted) return;
    if (error) {
      // Out of descriptors or memory: what is connected goes on; try again when some may have been freed.
      if (accepting->failures++ == 0) refusals_.warn("cannot accept: " + error.message());
      accepting->pause.expires_after(std::chrono::milliseconds(100));
      accepting->pause.async_wait([this, accepting](const asio::error_code& stopped) {
        if (!stopped && !stopping_) accept(accepting);
      });
      return;
    }
    accepting->failures = 0;
    asio::error_code ignored;
    const auto remote = socket.remote_endpoint(ignored);
    const SocketAddress peer(remote.data(), static_cast<socklen_t>(remote.size()));
    Fd fd(socket.release(ignored));
    if (fd) accepted(std::move(fd), peer);
    accept(accepting);
  });
}

void ListenerControl::accepted(Fd fd, const SocketAddress& peer) {
  const bool tcp = config_.type == PortType::tcp_listen;
  if (tcp && !config_.allow.empty() && !allowed_by(config_.allow, peer)) {
    refusals_.warn("refused " + to_string(peer) + ": not in allow=");
    return;
  }
  if (services_.registry().records().size() >= limits::ports_max) {
    refusals_.warn("refused " + (tcp ? to_string(peer) : config_.path) + ": " + std::to_string(limits::ports_max) +
                   " ports are open");
    return;
  }
  auto transport = make_stream(std::move(fd), tcp);
  const std::string name = services_.registry().take_name(config_.name);
  const std::string far_end = tcp ? to_string(peer) : config_.path;
  services_.registry().set(name, record(far_end, "up", transport->ports.front()->counters));
  const std::uint64_t serial = services_.attach(std::move(transport), *this);
  connections_[serial] = name;
}

void ListenerControl::attached(const Notice& notice) {
  const std::string& name = connections_.at(notice.serial);
  const std::string& far_end = services_.registry().find(name)->address;
  services_.print("port " + name + " up " + std::string(name_of(config_.type)) + ":" + far_end);
  services_.event(LogLevel::info, EventKind::port_up, name, "port " + name + " up: " + far_end);
}

void ListenerControl::closed(const Notice& notice) {
  const auto connection = connections_.find(notice.serial);
  if (connection == connections_.end()) return;
  const std::string name = connection->second;
  connections_.erase(connection);
  services_.print("port " + name + " down " + cause_text(notice));
  services_.event(LogLevel::info, EventKind::port_down, name, "port " + name + " down: " + cause_text(notice));
  services_.registry().remove(name);
}

void ListenerControl::stop() {
  stopping_ = true;
  refusals_.finish();
  close_all();
  if (config_.type == PortType::unix_listen && !address_.empty()) ::unlink(config_.path.c_str());
}

}  // namespace lanyard
