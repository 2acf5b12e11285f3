// The gateway's loop; see the header for the theory.
#include "switchd/gateway/gateway.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "frames/bytes.h"
#include "frames/ethernet.h"
#include "frames/udp4_packet.h"
#include "switchd/gateway/gateway_process.h"
#include "switchd/gateway/lease_file.h"
#include "transports/clock.h"

namespace lanyard {

namespace {

constexpr std::size_t chunks = 4;
constexpr std::size_t frames_per_turn_max =
    limits::chunk_bytes / (limits::frame_bytes_min + limits::length_header_bytes);
constexpr std::size_t outbox_bytes_max = 4 * limits::mebi;
constexpr std::size_t outbox_bytes_paused = limits::mebi;  // from here on, the way out is not read
constexpr std::size_t neighbours_max = 4096;
constexpr Ipv4Address host_loopback(0x7F00'0001);
constexpr std::size_t flows_max = 2048;  // half of the descriptors that the sandbox leaves
constexpr std::size_t control_bytes_max = 1024 * limits::kibi;
constexpr unsigned reports_max = 16;                 // in that time, where each says something else

// Behind the IPv6 header, of which the first is looked at.
bool is_icmp6(std::span<const std::byte> frame) { return frame[20] == std::byte{ip_protocols::icmp6}; }

// With its ports.
bool is_udp(const Ipv4View& packet) {
  return packet.protocol == ip_protocols::udp && packet.payload.size() >= 8 && !packet.later_fragment;
}

}  // namespace

std::int64_t Gateway::now_ms() { return static_cast<std::int64_t>(monotonic_ns() / 1'000'000); }
std::int64_t Gateway::now_s() { return std::time(nullptr); }
std::uint64_t Gateway::uptime_s() { return static_cast<std::uint64_t>(now_ms()) / 1000; }

bool Gateway::is_own(MacAddress mac) const {
  for (const Ipv4Address own : {config_.router, config_.dns})
    if (mac == SlirpStack::mac_of(own) || mac == SlirpStack::mac_of(own_link_local(own))) return true;
  return false;
}

Gateway::Gateway(GatewayConfig config, Fd stream, Fd control, Fd dns_listener, const std::string& dns_path)
    : config_(std::move(config)),
      stream_(std::move(stream)),
      control_(std::move(control)),
      memory_(chunks * limits::chunk_bytes),
      chunks_(memory_.span(), limits::chunk_bytes),
      frames_(frames_per_turn_max),
      scratch_(64 * limits::kibi),
      leases_({config_.pool_first, config_.pool_last, config_.lease_seconds, config_.reservations}),
      keeper_(
          leases_, [this](Ipv4Address address) { ask_who_has(address); },
          [this](const char* kind, const std::string& line) { report(kind, line); }),
      neighbours6_(neighbours_max),
      policy_(config_),
      dns6_(own_address6(config_, config_.dns)),
      dns6_streams_({SlirpStack::mac_of(config_.dns), config_.dns, dns_port}),
      dhcp_(dhcp_options_of(config_), leases_,
            [this](const char* kind, const std::string& line) { report(kind, line); }),
      names_(config_, leases_, neighbours6_),
      dns_(
          names_, resolvers_, config_.mtu - 48, std::move(dns_listener),
          [this](const DnsClient& client, std::span<const std::byte> message) { send_dns(client, message); }),
      tftp_(
          config_.mtu - 20 - 8 - tftp_header_bytes,
          [this](const Udp4Endpoint& client, std::span<const std::byte> message) {
            send(write_udp4({{SlirpStack::mac_of(config_.router), config_.router, tftp_port}, client, message}));
          },
          [this](const std::string& line) { report("tftp", line); }),
      slirp_(config_, [this](std::span<const std::byte> frame) { take_from_slirp(frame); }) {
  if (config_.hosts) names_.use(hosts_);
  take_lease_file();
  if (!slirp_.connect_to_unix(config_.dns, dns_port, dns_path)) report("dns", "no DNS by TCP: libslirp refuses it");
}

std::string Gateway::open() {
  if (!config_.tftp_folder.empty()) {
    if (std::string wrong = TftpServer::check_folder(config_.tftp_folder); !wrong.empty()) return wrong;
    tftp_.serve(config_.tftp_folder);
  }
  for (const Forward& forward : config_.forwards) {
    const std::string wrong = slirp_.add_forward(config_, forward);
    if (!wrong.empty()) return wrong;
    open_.push_back(forward);
  }
  return {};
}

void Gateway::run() {
  PollSet polled;
  while (true) {
    polled.clear();
    const bool paused = outbox_.size() - outbox_sent_ > outbox_bytes_paused;
    const std::size_t stream_at =
        polled.add(stream_.get(), static_cast<short>(POLLIN | (outbox_.empty() ? 0 : POLLOUT)));
    const std::size_t control_at = polled.add(control_.get(), POLLIN);
    dns_.fill(polled, now_ms());
    tftp_.fill(polled, now_ms());
    wake_for_dhcp(polled);
    if (!paused) slirp_.fill(polled);
    if (std::exchange(slirp_was_told_, false)) polled.wake_within(0);
    flows_left_ = flows_max - std::min(flows_max, slirp_.sockets());
    udp_flows_.clear();
    const bool failed = polled.wait() < 0;
    if (failed && errno != EINTR) return;
    if (!paused) slirp_.poll(polled, failed);
    tftp_.poll(now_ms());
    if (!failed) {
      dns_.poll(polled, now_ms(), now_s());
      keeper_.look(now_ms(), now_s());
      if (polled.revents(control_at) != 0 && !read_control()) break;
      if ((polled.revents(stream_at) & ~POLLOUT) != 0 && !read_stream()) break;
    }
    serve_dhcp();
    keep_leases();
    answer_slirp();
    save_leases_if_changed();
    if (!flush()) break;
  }
  save_next_ms_ = 0;
  save_leases_if_changed();
  if (!config_.lease_file.empty()) sync_leases(config_.lease_file);  // after this nobody waits for us
}

bool Gateway::read_stream() {
  const StreamReader::Window window = reader_.window(chunks_, scratch_);
  const ssize_t got = ::recv(stream_.get(), window.data, window.bytes, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  const StreamReader::Result result = reader_.received(static_cast<std::size_t>(got), 0, frames_);
  for (const Frame& frame : frames_.frames()) take_frame({frame.data, frame.bytes});
  frames_.clear();
  return !result.bad_length;
}

bool Gateway::read_control() {
  std::string message(control_bytes_max, '\0');
  const ssize_t got = ::recv(control_.get(), message.data(), message.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  message.resize(static_cast<std::size_t>(got));
  if (message == gateway_ping) {
    tell(fmt::format(R"({{"pong":true,"dns_refused":{}}})", dns_.refused()));
    return true;
  }
  if (const auto fresh = read_gateway_config(message)) apply(*fresh);
  else report("control", "a configuration that is none was left out");
  return true;
}

// What may change while guests are served (change_live()): forwards, where they may go and what they are
// told. All of it, or nothing.
void Gateway::apply(const GatewayConfig& fresh) {
  const bool is_other_folder = fresh.tftp_folder != config_.tftp_folder;
  std::string wrong;
  if (is_other_folder && !fresh.tftp_folder.empty()) wrong = TftpServer::check_folder(fresh.tftp_folder);
  if (wrong.empty()) wrong = change_forwards(fresh.forwards);
  if (wrong.empty()) {
    const RouterNews before = router_news();
    if (is_other_folder) tftp_.serve(fresh.tftp_folder);
    change_live(config_, fresh);
    policy_ = OutboundPolicy(config_);
    dhcp_.change(dhcp_options_of(config_));
    if (router_news() != before) advertise();
  }
  const nlohmann::json answer{{"applied", wrong.empty()}, {"error", wrong}};
  tell(answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// Forwards that stay are not touched, and those that are to go are closed when the new ones are open: but for one from
// the port of a new one, which would be in its way. Empty, or why all stays as it was.
std::string Gateway::change_forwards(const std::vector<Forward>& wanted) {
  const auto is_in = [](const std::vector<Forward>& all, const Forward& one) {
    return std::find(all.begin(), all.end(), one) != all.end();
  };
  std::vector<Forward> fresh, in_the_way, gone;
  for (const Forward& forward : wanted)
    if (!is_in(open_, forward)) fresh.push_back(forward);
  for (const Forward& old : open_) {
    const auto is_of_its_port = [&](const Forward& one) { return one.udp == old.udp && one.port == old.port; };
    if (is_in(wanted, old)) continue;
    (std::any_of(fresh.begin(), fresh.end(), is_of_its_port) ? in_the_way : gone).push_back(old);
  }
  for (const Forward& forward : in_the_way) slirp_.remove_forward(forward);
  for (auto forward = fresh.begin(); forward != fresh.end(); ++forward) {
    const std::string wrong = slirp_.add_forward(config_, *forward);
    if (wrong.empty()) continue;
    while (forward != fresh.begin()) slirp_.remove_forward(*--forward);
    for (const Forward& old : in_the_way)
      if (const std::string lost = slirp_.add_forward(config_, old); !lost.empty()) report("forward", lost);
    return wrong;
  }
  for (const Forward& forward : gone) slirp_.remove_forward(forward);
  for (const auto* ended : {&gone, &in_the_way})
    for (const Forward& forward : *ended)
      if (forward.udp) loopback_peers_.forget(forward.guest_port);
  open_ = config_.forwards = wanted;
  return {};
}

void Gateway::take_frame(std::span<const std::byte> frame) {
  const MacAddress to = MacAddress::read(frame.data());
  if (!to.is_group() && !is_own(to)) return hear_dhcp_answer(frame);  // for somebody else, such as another gateway
  const MacAddress source = MacAddress::read(&frame[6]);
  if (source.is_group()) return;
  switch (load_be16(&frame[12])) {
    case ether_types::arp: take_arp(frame); break;
    case ether_types::ipv4:
      if (const auto packet = parse_ipv4_frame(frame)) {
        learn(packet->from, source);
        take_ipv4(frame, *packet);
      }
      break;
    case ether_types::ipv6:
      if (const auto addresses = parse_ipv6_addresses(frame); addresses && !config_.ipv6_prefix.empty()) {
        learn(addresses->from, source);
        take_ipv6(frame, *addresses);
      }
      break;
    default: break;
  }
}

void Gateway::learn(Ipv4Address address, MacAddress mac) {
  const bool a_guest = config_.network.contains(address) && address != config_.router && address != config_.dns;
  if (a_guest && !mac.is_group()) keeper_.hear(address, mac, now_ms(), now_s());
}

// From one of our own addresses it is another's (a gateway never hears itself). That one is told of us in its turn, so
// that people are warned on both sides (as RFC 5227, 2.4, defends an address): once, or two would go on for ever.
void Gateway::take_arp(std::span<const std::byte> frame) {
  if (const auto arp = parse_arp(frame)) {
    if (arp->sender == Dns6Streams::stand_in) return;  // nobody's
    const bool is_ours = arp->sender == config_.router || arp->sender == config_.dns;
    if (is_ours && dhcp_.hear_rival(arp->sender, arp->sender_mac, now_s())) ask_who_has(config_.router);
    learn(arp->sender, arp->sender_mac);
  }
  slirp_.input(frame);
}

void Gateway::learn(const Ipv6Bytes& address, MacAddress mac) {
  if (address != Ipv6Bytes{} && address[0] != std::byte{0xFF}) neighbours6_.learn(address, mac);
}

void Gateway::take_ipv4(std::span<const std::byte> frame, const Ipv4View& packet) {
  if (packet.from == Dns6Streams::stand_in) return;  // nobody's
  if (packet.protocol == ip_protocols::udp && packet.payload.size() >= 8) {
    const std::uint16_t from = load_be16(&packet.payload[0]);
    const std::uint16_t to = load_be16(&packet.payload[2]);
    if (to == dhcp_server_port && from != dhcp_client_port && from != dhcp_server_port) return;
    if (to == dhcp_server_port || (to == dns_port && packet.to == config_.dns)) {
      const auto datagram = parse_udp4(frame);
      if (!datagram) return;  // malformed
      if (to == dhcp_server_port) return config_.dhcp ? take_dhcp(*datagram) : void();
      return take_dns(datagram->from, datagram->payload);
    }
    if (to == tftp_port && packet.to == config_.router && tftp_.is_serving()) {
      if (const auto datagram = parse_udp4(frame); datagram && config_.network.contains(packet.from))
        tftp_.take(datagram->from, datagram->payload, now_ms());
      return;
    }
    if (to == dhcp_client_port && from == dhcp_server_port) return hear_dhcp_answer(frame);
  }
  if (packet.fragment && !SlirpStack::may_reassemble()) return;
  if (take_loopback_answer(frame, packet)) return;
  switch (policy_.decide(packet.to)) {
    case OutboundPolicy::Decision::pass:
      if (may_open(packet.protocol, packet.from.value(), packet.payload)) slirp_.input(frame);
      return;
    case OutboundPolicy::Decision::dns:
      if (packet.protocol == ip_protocols::icmp) {
        if (const auto reply = write_icmp4_echo_reply(frame, packet)) send(*reply);
        return;
      }
      if (packet.protocol != ip_protocols::tcp || packet.fragment || packet.payload.size() < 4 ||
          load_be16(&packet.payload[2]) != dns_port ||
          !may_open(packet.protocol, packet.from.value(), packet.payload))
        return;
      return take_dns_segment(frame, packet, MacAddress::read(&frame[6]));
    case OutboundPolicy::Decision::link:  // of IPv6
    case OutboundPolicy::Decision::ignore: return;
    case OutboundPolicy::Decision::refuse:
      if (const auto told =
              write_icmp4_prohibited(frame, packet, SlirpStack::mac_of(config_.router), config_.router))
        send(*told);
      return;
  }
}

void Gateway::take_ipv6(std::span<const std::byte> frame, const Ipv6Addresses& addresses) {
  const OutboundPolicy::Decision decision = policy_.decide(addresses.to);
  if (decision == OutboundPolicy::Decision::link && is_icmp6(frame)) return slirp_.input(frame);
  if (decision != OutboundPolicy::Decision::pass) return;
  if (dns6_ && addresses.to == *dns6_ && !is_icmp6(frame)) return take_dns6(frame);
  const auto next_header = std::to_integer<std::uint8_t>(frame[20]);
  const bool of_network = same_prefix64(addresses.to, addresses.from);
  if (next_header == ip_protocols::icmp6 && !of_network) return;  // libslirp cannot, and says so each time
  if (may_open6(frame)) slirp_.input(frame);
}

bool Gateway::may_open6(std::span<const std::byte> frame) {
  constexpr std::size_t source_half_at = 30;  // the last half of its address
  const std::uint64_t source =
      std::uint64_t{load_be32(&frame[source_half_at])} << 32 | load_be32(&frame[source_half_at + 4]);
  return may_open(std::to_integer<std::uint8_t>(frame[20]), source, frame.subspan(ipv6_headers_bytes));
}

void Gateway::take_dns6(std::span<const std::byte> frame) {
  if (const auto datagram = parse_udp6(frame); datagram && datagram->to.port == dns_port)
    return take_dns(datagram->from, datagram->payload);
  const bool is_tcp =
      frame[20] == std::byte{ip_protocols::tcp} && frame.size() >= ipv6_headers_bytes + tcp_header_bytes_min;
  if (!is_tcp || load_be16(&frame[ipv6_headers_bytes + 2]) != dns_port || !may_open6(frame)) return;
  const auto as_ipv4 = dns6_streams_.to_slirp(frame, uptime_s());
  if (!as_ipv4) return;
  if (const auto packet = parse_ipv4_frame(*as_ipv4)) take_dns_segment(*as_ipv4, *packet, MacAddress::read(&frame[6]));
}

void Gateway::take_dns_segment(std::span<const std::byte> frame, const Ipv4View& packet, MacAddress guest) {
  if (!handshakes_.may_pass(packet.from.value(), packet.payload, guest, uptime_s()))
    return report("dns", "guests begin too many connections to the DNS server: more are dropped");
  dns_.accept_connections(now_ms());
  slirp_.input(frame);
}

void Gateway::send_dns(const DnsClient& client, std::span<const std::byte> message) {
  if (const auto* v4 = std::get_if<Udp4Endpoint>(&client))
    return send(write_udp4({{SlirpStack::mac_of(config_.dns), config_.dns, dns_port}, *v4, message}));
  send(write_udp6({{SlirpStack::mac_of(*dns6_), *dns6_, dns_port}, std::get<Udp6Endpoint>(client), message}));
}

// What may become one more flow of libslirp's: a TCP SYN, the first of a UDP flow in this turn, old or new, and each
// echo request, which has a socket until it is answered.
bool Gateway::may_open(std::uint8_t protocol, std::uint64_t source, std::span<const std::byte> payload) {
  const bool opens_tcp = protocol == ip_protocols::tcp && payload.size() >= 14 && opens_connection(payload);
  const bool may_open_udp = protocol == ip_protocols::udp && payload.size() >= 2 &&
                            udp_flows_.insert(source << 16 ^ load_be16(payload.data())).second;
  const bool opens_echo = !payload.empty() && ((protocol == ip_protocols::icmp && payload[0] == std::byte{8}) ||
                                               (protocol == ip_protocols::icmp6 && payload[0] == std::byte{128}));
  if (!opens_tcp && !may_open_udp && !opens_echo) return true;
  if (flows_left_ == 0) {
    report("flows", fmt::format("guests have {} connections to the outside: more are dropped", flows_max));
    return false;
  }
  --flows_left_;
  return true;
}

void Gateway::take_dns(const DnsClient& client, std::span<const std::byte> message) {
  dns_.query(client, message, now_ms(), now_s());
  const std::uint64_t refused = dns_.refused();
  if (refused == dns_refused_) return;
  dns_refused_ = refused;
  report("dns refused", fmt::format("DNS: {} queries refused so far: more than {} of one VM or {} of all wait for this "
                                    "host's resolvers",
                                    refused, DnsServer::pending_of_guest_max, DnsServer::pending_max));
}

// Its questions are answered where we can; everything else is for guests.
void Gateway::take_from_slirp(std::span<const std::byte> frame) {
  if (frame.size() < limits::frame_bytes_min) return;
  if (const auto arp = parse_arp(frame); arp && arp->is_request) {
    if (const auto mac = mac_for_slirp(arp->target)) {
      for_slirp_.push_back(write_arp({false, *mac, arp->target, arp->sender_mac, arp->sender}, arp->sender_mac));
      return;
    }
  }
  if (const auto told = change_router_advertisement(frame, router_news())) {
    advertisement_.assign(frame.begin(), frame.end());
    return send(*told);
  }
  if (const auto asked = parse_neighbour_solicitation(frame)) {
    if (const auto mac = neighbours6_.find(asked->target)) {
      for_slirp_.push_back(write_neighbour_advertisement(*asked, *mac));
      return;
    }
  }
  const auto packet = parse_ipv4_frame(frame);
  if (packet && packet->protocol == ip_protocols::tcp && packet->from == config_.dns)
    handshakes_.answered(packet->to.value(), packet->payload);
  if (packet && packet->to == Dns6Streams::stand_in) {
    if (const auto as_ipv6 = dns6_streams_.to_guest(frame, uptime_s())) send(*as_ipv6);
    return;
  }
  if (!config_.host_loopback) {
    if (packet && (packet->from == config_.router || packet->from == host_loopback) && is_udp(*packet))
      return send_loopback_datagram(frame, *packet);
  }
  send(frame);
}

std::optional<MacAddress> Gateway::mac_for_slirp(Ipv4Address address) const {
  return address == Dns6Streams::stand_in ? Dns6Streams::stand_in_mac : keeper_.mac_of(address, now_s());
}

// Guests go out by us where they are told of us, and not of another router or of none.
RouterNews Gateway::router_news() {
  RouterNews news;
  news.search = search_domains();
  news.is_default_router = told_router(config_) == config_.router;
  for (const std::string& server : config_.nameservers)
    if (Ipv6Bytes address; inet_pton(AF_INET6, server.c_str(), address.data()) == 1) news.resolvers.push_back(address);
  if (config_.nameservers.empty() && dns6_) news.resolvers.push_back(*dns6_);
  return news;
}

// Where unqualified names are looked up: the domain of guests' names, and with the host's names also where
// the host does.
std::vector<std::string> Gateway::search_domains() {
  std::vector<std::string> domains = {config_.domain};
  if (!config_.hosts) return domains;
  for (const std::string& domain : resolvers_.search_domains(now_ms()))
    if (domain != config_.domain) domains.push_back(domain);
  return domains;
}

// Guests that have asked are told at once of what has changed.
void Gateway::advertise() {
  if (const auto told = change_router_advertisement(advertisement_, router_news())) send(*told);
}

// A guest's answer to what came from the host's own loopback (loopback_peers.h). Given its true address, libslirp sends it
// there; false: it is none.
bool Gateway::take_loopback_answer(std::span<const std::byte> frame, const Ipv4View& packet) {
  if (packet.to != config_.router || config_.host_loopback || !is_udp(packet)) return false;
  const LoopbackFlow flow{packet.from.value(), load_be16(&packet.payload[0]), load_be16(&packet.payload[2])};
  if (!loopback_peers_.may_answer(flow, uptime_s())) return false;
  Bytes answer(frame.begin(), frame.end());
  replace_udp4_address(answer, Ipv4End::receiver, host_loopback);
  slirp_.input(answer);
  return true;
}

// From the host's own loopback to a guest: it sees the router. After the guest has answered, libslirp would show it the
// true address.
void Gateway::send_loopback_datagram(std::span<const std::byte> frame, const Ipv4View& packet) {
  loopback_peers_.came_in({packet.to.value(), load_be16(&packet.payload[2]), load_be16(&packet.payload[0])},
                          uptime_s());
  if (packet.from == config_.router) return send(frame);
  Bytes datagram(frame.begin(), frame.end());
  replace_udp4_address(datagram, Ipv4End::sender, config_.router);
  send(datagram);
}

// An answer may let out what waited for it, which asks again.
void Gateway::answer_slirp() {
  slirp_was_told_ = !for_slirp_.empty();
  for (std::size_t left = 4096; left > 0 && !for_slirp_.empty(); --left) {
    const Bytes frame = std::move(for_slirp_.front());
    for_slirp_.pop_front();
    slirp_.input(frame);
  }
}

void Gateway::send(std::span<const std::byte> frame) {
  if (outbox_.size() - outbox_sent_ + frame.size() > outbox_bytes_max) {
    ++outbox_dropped_;
    return report("outbox", "the switch takes no frames; some are dropped");
  }
  const std::size_t at = outbox_.size();
  outbox_.resize(at + limits::length_header_bytes + frame.size());
  store_be32(&outbox_[at], static_cast<std::uint32_t>(frame.size()));
  std::memcpy(&outbox_[at + limits::length_header_bytes], frame.data(), frame.size());
}

bool Gateway::flush() {
  while (outbox_sent_ < outbox_.size()) {
    const ssize_t sent = ::send(stream_.get(), &outbox_[outbox_sent_], outbox_.size() - outbox_sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return false;
    if (sent < 0) break;
    outbox_sent_ += static_cast<std::size_t>(sent);
  }
  if (outbox_sent_ == outbox_.size()) {
    outbox_.clear();
    outbox_sent_ = 0;
  } else if (outbox_sent_ > outbox_bytes_paused) {
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(outbox_sent_));
    outbox_sent_ = 0;
  }
  return true;
}

void Gateway::report(const std::string& kind, const std::string& line, std::int64_t interval_ms) {
  const bool each_counts = kind == "name" || is_gateway_event(kind);  // else one stands for all
  const auto [known, is_new] = reported_.try_emplace(kind, Reported{now_ms(), 0});
  Reported& reported = known->second;
  if (!is_new && now_ms() - reported.since_ms >= interval_ms) reported = {now_ms(), 0};
  if (++reported.lines > (each_counts ? reports_max : 1)) return;
  tell(nlohmann::json{{"event", line}, {"kind", kind}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

// A full channel loses it: nothing waits for the switch.
void Gateway::tell(const std::string& json) {
  (void)!::send(control_.get(), json.data(), json.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace lanyard
