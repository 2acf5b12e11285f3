// Datagram ports; see the header.
#include "switchd/datagram_control.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "switchd/log.h"
#include "switchd/port_keys.h"
#include "switchd/resolve.h"

namespace lanyard {

std::optional<OpenError> DatagramControl::open() {
  if (config_.type != PortType::unix_dgram) frame_bytes_max_ = limits::udp_payload_bytes_max;
  switch (config_.type) {
    case PortType::unix_dgram: return open_unix();
    case PortType::mcast: return open_group();
    default: return config_.remote ? open_udp_remote() : open_udp_allow();
  }
}

std::optional<OpenError> DatagramControl::open_udp_remote() {
  if (!is_name(*config_.remote)) {
    auto remotes = addresses_of(*config_.remote);
    if (auto* error = std::get_if<OpenError>(&remotes)) return std::move(*error);
    auto way = find_way(std::get<std::vector<SocketAddress>>(remotes));
    if (auto* error = std::get_if<OpenError>(&way)) return std::move(*error);
    return open_udp_remote(std::get<Way>(way));
  }
  address_ = unbound_address(config_);
  services_.registry().set(config_.name, record(address_, "down", nullptr));
  show_down("looking up '" + config_.remote->host + "'");
  name_.emplace(services_.io(), services_.names(), *config_.remote,
                NameWatch::User{[this](const auto& addresses) { return use_remote(addresses); },
                                [this] { return heard_frames(); },
                                [this](const std::string& why) { told_unusable(why); }});
  return std::nullopt;
}

void DatagramControl::begin() {
  if (name_) name_->begin();
}

// The first remote that can be reached from here.
Opened<DatagramControl::Way> DatagramControl::find_way(const std::vector<SocketAddress>& remotes) const {
  const std::string& host = config_.address.host;
  if (host.empty()) {
    OpenError last;
    for (const SocketAddress& remote : remotes) {
      auto routed = local_address_towards(remote);
      if (const auto* local = std::get_if<SocketAddress>(&routed))
        return Way{local->with_port(config_.address.port), remote};
      last = std::move(std::get<OpenError>(routed));
    }
    return last;
  }
  auto locals = services_.addresses_to_bind(config_.address);
  if (auto* error = std::get_if<OpenError>(&locals)) return std::move(*error);
  for (const SocketAddress& remote : remotes)
    for (const SocketAddress& local : std::get<std::vector<SocketAddress>>(locals))
      if (local.family() == remote.family()) return Way{local, remote};
  return OpenError{"local host '" + host + "' has no address of the kind of the remote " + to_string(remotes.front()),
                   0};
}

// With the number that it had before, where that is free and any is wanted.
Opened<Fd> DatagramControl::open_numbered(const SocketAddress& local) const {
  Opened<Fd> opened = open_udp(local.with_port(number_to_bind(config_.address.port)));
  const auto* error = std::get_if<OpenError>(&opened);
  return error != nullptr && error->error == EADDRINUSE && config_.address.port == 0 ? open_udp(local) : std::move(opened);
}

std::optional<OpenError> DatagramControl::open_udp_remote(const Way& way) {
  auto opened = open_numbered(way.local);
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)));
  transport->sources = Sources::one_peer;
  transport->gso = true;
  if (name_) {
    keep_errors(transport->receive_fd());
    transport->keeps_errors = true;
  }
  local_ = way.local;
  remote_ = way.remote;
  const SocketAddress bound = bound_address(transport->receive_fd());
  keep_number(config_.address.port, bound.port());
  address_ = to_string(bound);
  transport->ports.push_back(make_port(Wire::datagram, max_frame_bytes()));
  transport->ports.front()->peer = way.remote;
  hand_over(std::move(transport));
  return std::nullopt;
}

std::optional<OpenError> DatagramControl::open_udp_allow() {
  auto opened = open_for_allowed();
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(std::get<Fd>(opened)));
  transport->sources = Sources::allowed;
  transport->gso = true;
  transport->allows = [cidrs = config_.allow](const SocketAddress& source) { return allowed_by(cidrs, source); };
  transport->network = services_.network_index(config_.network);
  transport->max_frame_bytes = max_frame_bytes();
  transport->queue_frames = config_.queue_frames;
  transport->copies = &services_.copies();
  transport->stranger_counters = services_.own_counters(config_.name);
  local_ = bound_address(transport->receive_fd());
  keep_number(config_.address.port, local_.port());
  address_ = to_string(local_);
  services_.registry().set(config_.name, record(address_, "listening", transport->stranger_counters));
  serial_ = services_.attach(std::move(transport), *this);
  return std::nullopt;
}

// On the first of its addresses that is here; of a family that `allow` has, where there is one: by the others nobody is
// let in.
Opened<Fd> DatagramControl::open_for_allowed() const {
  auto found = services_.addresses_to_bind(config_.address);
  if (auto* error = std::get_if<OpenError>(&found)) return std::move(*error);
  auto& locals = std::get<std::vector<SocketAddress>>(found);
  const auto is_allowed = [&](const SocketAddress& local) {
    return std::any_of(config_.allow.begin(), config_.allow.end(),
                       [&](const Cidr& cidr) { return cidr.v6 == (local.family() == AF_INET6); });
  };
  std::stable_partition(locals.begin(), locals.end(), is_allowed);
  Opened<Fd> opened = OpenError{};
  for (const SocketAddress& local : locals) {
    opened = open_numbered(local);
    const auto* error = std::get_if<OpenError>(&opened);
    if (error == nullptr || !is_absent(*error)) break;
  }
  return opened;
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
  auto opened = open_multicast(group());
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto& sockets = std::get<MulticastSockets>(opened);
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(sockets.receive));
  transport->second_fd = std::move(sockets.send);
  transport->own_address = sockets.own_address;
  place_ = sockets.place;
  transport->sources = Sources::group;
  transport->gso = true;
  transport->ports.push_back(make_port(Wire::datagram, max_frame_bytes()));
  transport->ports.front()->peer = group().group;
  address_ = to_string(group().group);
  hand_over(std::move(transport));
  return std::nullopt;
}

MulticastGroup DatagramControl::group() const {
  return {literal_addresses(config_.address).at(0), config_.interface, config_.ttl};
}

// A transport of one port.
void DatagramControl::hand_over(std::unique_ptr<Transport> transport) {
  Port& port = *transport->ports.front();
  port.counters = services_.own_counters(config_.name);
  port.transport = transport.get();
  port.gso_bytes_max = transport->gso ? limits::udp_payload_bytes_max : 0;
  counters_ = port.counters;
  services_.registry().set(config_.name, record(address_, "up", port.counters));
  serial_ = services_.attach(std::move(transport), *this);
}

// --- A remote that is a name.

// As NameWatch::User has it.
std::string DatagramControl::use_remote(const std::vector<SocketAddress>& remotes) {
  const bool is_open = remote_.family() != AF_UNSPEC;
  if (is_open && std::find(remotes.begin(), remotes.end(), remote_) != remotes.end()) return {};
  if (leaving_) return {};
  const auto found = find_way(remotes);
  if (const auto* error = std::get_if<OpenError>(&found)) return cannot_use(*error);
  const Way& way = std::get<Way>(found);
  if (is_open) {
    move_peer(way);
    return {};
  }
  if (const auto failed = open_udp_remote(way)) return cannot_use(*failed);
  last_failure_.clear();
  log_info("port {}: {} is {}", config_.name, to_string(*config_.remote), to_string(remote_));
  return {};
}

std::string DatagramControl::cannot_use(const OpenError& error) {
  services_.look_up_again(config_.address);
  return error.what;
}

void DatagramControl::move_peer(const Way& way) {
  services_.event(LogLevel::info, EventKind::peer_moved, config_.name,
                  "port " + config_.name + ": " + to_string(*config_.remote) + " is " + to_string(way.remote) +
                      " now, and was " + to_string(remote_));
  if (way.local == local_) {
    remote_ = way.remote;
    return services_.set_peer(serial_, remote_);
  }
  leave("it moves to another address");
}

void DatagramControl::told_unusable(const std::string& why) {
  if (why != last_failure_)
    log_info("port {} is down: remote {}: {}; trying again", config_.name, to_string(*config_.remote), why);
  last_failure_ = why;
  show_down("remote " + to_string(*config_.remote) + ": " + why);
}

// Frames of others are counted at the port, too.
std::uint64_t DatagramControl::heard_frames() const {
  if (!counters_) return 0;
  return counters_->received_frames.get() -
         counters_->drops[static_cast<std::size_t>(DropReason::unknown_source)].get();
}

void DatagramControl::unreachable(const Notice&) {
  if (name_) name_->unreachable();
}

// Of the others, their lines have told when they were opened.
void DatagramControl::attached(const Notice&) {
  if (!name_) return;
  services_.print("port " + config_.name + " up " + std::string(name_of(config_.type)) + ":" + address_);
  services_.event(LogLevel::info, EventKind::port_up, config_.name, "port " + config_.name + " up: " + address_);
}

// --- A port for many.

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
  services_.event(leaving_ ? LogLevel::info : LogLevel::error, EventKind::port_down, config_.name,
                  "port " + config_.name + " down: " + cause_text(notice));
}

// --- This host's interfaces, addresses and routes.

void DatagramControl::links_changed(const std::set<unsigned>& gone) {
  if (serial_ == 0 || leaving_) return;
  if (const char* why = why_deaf(gone)) leave(why);
}

// null: it would be opened now as it was.
const char* DatagramControl::why_deaf(const std::set<unsigned>& gone) const {
  if (config_.type == PortType::mcast) return why_deaf_to_group(gone);
  if (local_.is_link_local() && gone.contains(local_.v6.sin6_scope_id)) return "its interface is gone";
  if (remote_.family() == AF_UNSPEC || !config_.address.host.empty()) return nullptr;
  const auto routed = local_address_towards(remote_);
  const auto* local = std::get_if<SocketAddress>(&routed);
  return local == nullptr || *local == local_.host() ? nullptr : "its remote is routed from another address";
}

const char* DatagramControl::why_deaf_to_group(const std::set<unsigned>& gone) const {
  if (gone.contains(place_.interface)) return "its interface is gone";
  const auto now = multicast_place(group());
  const auto* place = std::get_if<MulticastPlace>(&now);
  if (place == nullptr) return "the group cannot be reached";
  return *place == place_ ? nullptr : "the group is reached by another address";
}

// Its place is taken by a port that is opened anew (topology.h).
void DatagramControl::leave(const char* why) {
  leaving_ = true;
  services_.detach(serial_, why);
}

void DatagramControl::stop() {
  stopping_ = true;
  if (name_) name_->stop();
  if (bound_path_) ::unlink(config_.path.c_str());
}

}  // namespace lanyard
