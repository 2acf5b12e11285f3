// Datagram ports; see the header.
#include "switchd/datagram_control.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "switchd/log.h"
#include "switchd/resolve.h"

namespace lanyard {

DatagramControl::DatagramControl(const PortConfig& config, PortServices& services)
    : PortControl(config, services), resolver_(services.io()), timer_(services.io()) {}

std::optional<OpenError> DatagramControl::open() {
  if (config_.type != PortType::unix_dgram) frame_bytes_max_ = limits::udp_payload_bytes_max;
  switch (config_.type) {
    case PortType::unix_dgram: return open_unix();
    case PortType::mcast: return open_group();
    default: return config_.remote ? open_udp_remote() : open_udp_allow();
  }
}

std::optional<OpenError> DatagramControl::open_udp_remote() {
  const std::vector<SocketAddress> remotes = literal_addresses(*config_.remote);
  if (!remotes.empty()) return open_udp_remote(remotes.front());
  address_ = to_string(config_.address);
  services_.registry().set(config_.name, record(address_, "down", nullptr));
  resolved_late_ = true;
  return std::nullopt;
}

void DatagramControl::begin() {
  if (resolved_late_) resolve_remote();
}

std::optional<OpenError> DatagramControl::open_udp_remote(const SocketAddress& remote) {
  SocketAddress local;
  if (config_.address.host.empty()) {
    auto routed = local_address_towards(remote);
    if (auto* error = std::get_if<OpenError>(&routed)) return std::move(*error);
    local = std::get<SocketAddress>(routed);
    local.family() == AF_INET ? local.v4.sin_port = htons(config_.address.port)
                              : local.v6.sin6_port = htons(config_.address.port);
  } else {
    const std::vector<SocketAddress> locals = resolve_now(config_.address);
    const auto same_family = [&](const SocketAddress& address) { return address.family() == remote.family(); };
    if (locals.empty()) return OpenError{"cannot resolve host '" + config_.address.host + "'", name_unknown};
    const auto found = std::find_if(locals.begin(), locals.end(), same_family);
    if (found == locals.end())
      return OpenError{"local host '" + config_.address.host + "' has no address of the kind of the remote " +
                       to_string(remote), 0};
    local = *found;
  }
  auto opened = open_udp(local);
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)));
  transport->sources = Sources::one_peer;
  transport->gso = true;
  address_ = to_string(bound_address(transport->receive_fd()));
  transport->ports.push_back(make_port(Wire::datagram, max_frame_bytes()));
  transport->ports.front()->peer = remote;
  hand_over(std::move(transport));
  return std::nullopt;
}

std::optional<OpenError> DatagramControl::open_udp_allow() {
  const std::vector<SocketAddress> locals = resolve_now(config_.address);
  if (locals.empty()) return OpenError{"cannot resolve host '" + config_.address.host + "'", name_unknown};
  auto opened = open_udp(locals.front());
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)));
  transport->sources = Sources::allowed;
  transport->gso = true;
  transport->allows = [cidrs = config_.allow](const SocketAddress& source) { return allowed_by(cidrs, source); };
  transport->network = services_.network_index(config_.network);
  transport->max_frame_bytes = max_frame_bytes();
  transport->queue_frames = config_.queue_frames;
  transport->copies = &services_.copies();
  transport->stranger_counters = std::make_shared<PortCounters>();
  address_ = to_string(bound_address(transport->receive_fd()));
  services_.registry().set(config_.name, record(address_, "listening", transport->stranger_counters));
  services_.attach(std::move(transport), *this);
  return std::nullopt;
}

std::optional<OpenError> DatagramControl::open_unix() {
  auto opened = open_unix_datagram({config_.path, config_.mode, config_.group});
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  bound_path_ = true;
  address_ = config_.path;
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)));
  transport->sources = Sources::connected;
  transport->is_unix_datagram = true;
  transport->ports.push_back(make_port(Wire::datagram, max_frame_bytes()));
  transport->ports.front()->peer = SocketAddress::unix_path(config_.remote_path);
  hand_over(std::move(transport));
  return std::nullopt;
}

std::optional<OpenError> DatagramControl::open_group() {
  const std::vector<SocketAddress> group = literal_addresses(config_.address);
  if (group.empty()) return OpenError{"'" + config_.address.host + "' is not a multicast group", 0};
  auto opened = open_multicast({group.front(), config_.interface, config_.ttl});
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto& sockets = std::get<MulticastSockets>(opened);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(sockets.receive));
  transport->second_fd = std::move(sockets.send);
  transport->own_address = sockets.own_address;
  transport->sources = Sources::group;
  transport->gso = true;
  transport->ports.push_back(make_port(Wire::datagram, max_frame_bytes()));
  transport->ports.front()->peer = group.front();
  address_ = to_string(group.front());
  hand_over(std::move(transport));
  return std::nullopt;
}

// A transport of one port.
void DatagramControl::hand_over(std::unique_ptr<Transport> transport) {
  Port& port = *transport->ports.front();
  port.transport = transport.get();
  port.gso_bytes_max = transport->gso ? limits::udp_payload_bytes_max : 0;
  services_.registry().set(config_.name, record(address_, "up", port.counters));
  services_.attach(std::move(transport), *this);
}

void DatagramControl::resolve_remote() {
  resolving_ = true;
  resolver_.async_resolve(config_.remote->host, std::to_string(config_.remote->port),
                          asio::ip::resolver_base::numeric_service,
                          [this](const asio::error_code& error, const asio::ip::udp::resolver::results_type& results) {
                            resolving_ = false;
                            if (stopping_ || error == asio::error::operation_aborted) return;
                            if (error) return resolve_later("cannot resolve: " + error.message());
                            const auto endpoint = results.begin()->endpoint();
                            const SocketAddress remote(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
                            if (const auto failed = open_udp_remote(remote)) return resolve_later(failed->what);
                            log_info("port {}: {} is {}", config_.name, to_string(*config_.remote), to_string(remote));
                          });
}

void DatagramControl::resolve_later(const std::string& why) {
  if (why != last_failure_)
    log_info("port {} is down: {}: {}; trying again", config_.name, to_string(*config_.remote), why);
  last_failure_ = why;
  show_down(to_string(*config_.remote) + ": " + why);
  timer_.expires_after(backoff_.next());
  timer_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled && !stopping_) resolve_remote();
  });
}

// Of those that were open before `ready`, the `port` line has told.
void DatagramControl::attached(const Notice&) {
  if (!resolved_late_) return;
  services_.print("port " + config_.name + " up udp:" + address_);
  services_.event(LogLevel::info, EventKind::port_up, config_.name, "port " + config_.name + " up: " + address_);
}

void DatagramControl::peer_up(const Notice& notice) {
  const std::string far_end = to_string(notice.peer);
  const std::string name = services_.registry().take_name(config_.name);
  peers_[notice.peer] = name;
  services_.registry().set(name, record(far_end, "up", notice.counters));
  services_.print("port " + name + " up udp:" + far_end);
  services_.event(LogLevel::info, EventKind::port_up, name, "port " + name + " up: " + far_end);
}

void DatagramControl::peer_down(const Notice& notice) {
  const auto peer = peers_.find(notice.peer);
  if (peer == peers_.end()) return;
  const std::string cause = "silent for " + std::to_string(notice.silent_ns / 1'000'000'000) + " s";
  services_.print("port " + peer->second + " down " + cause);
  services_.event(LogLevel::info, EventKind::port_down, peer->second, "port " + peer->second + " down: " + cause);
  services_.registry().remove(peer->second);
  peers_.erase(peer);
}

// Told at most once a minute; every frame that is turned away is counted.
void DatagramControl::crowded(const Notice& notice) {
  const auto now = std::chrono::steady_clock::now();
  if (crowded_at_ && now - *crowded_at_ < std::chrono::minutes(1)) return;
  crowded_at_ = now;
  log_warn("port {}: no room for {}: at most {} peers, {} of one host; silent ones are forgotten after {} s to make "
           "room, until then newcomers are dropped as unknown_source",
           config_.name, to_string(notice.peer), limits::peers_per_transport_max, limits::peers_per_host_max,
           limits::peer_idle_crowded_ns_max / 1'000'000'000);
}

void DatagramControl::closed(const Notice& notice) {
  for (const auto& [peer, name] : peers_) {
    services_.print("port " + name + " down " + cause_text(notice));
    services_.registry().remove(name);
  }
  peers_.clear();
  show_down(cause_text(notice));
  services_.print("port " + config_.name + " down " + cause_text(notice));
  if (stopping_) return;
  services_.event(LogLevel::error, EventKind::port_down, config_.name,
                  "port " + config_.name + " down: " + cause_text(notice));
}

void DatagramControl::stop() {
  stopping_ = true;
  resolver_.cancel();
  timer_.cancel();
  if (bound_path_) ::unlink(config_.path.c_str());
}

}  // namespace lanyard
