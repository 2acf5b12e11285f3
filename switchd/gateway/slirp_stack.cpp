// libslirp behind our interface: its callbacks, its timers, its descriptors; see the header.
#include "switchd/gateway/slirp_stack.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <slirp/libslirp.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "frames/bytes.h"
#include "switchd/log.h"
#include "transports/clock.h"
#include "transports/socket_address.h"

namespace lanyard {

namespace {

constexpr std::int64_t ns_per_ms = 1'000'000;

std::int64_t clock_ms() { return static_cast<std::int64_t>(monotonic_ns()) / ns_per_ms; }

in_addr to_in_addr(Ipv4Address address) { return {htonl(address.value())}; }

in6_addr to_in6_addr(const Ipv6Bytes& address) {
  in6_addr out;
  std::memcpy(&out, address.data(), sizeof out);
  return out;
}

short to_poll_events(int events) {
  int polled = 0;
  if ((events & SLIRP_POLL_IN) != 0) polled |= POLLIN;
  if ((events & SLIRP_POLL_OUT) != 0) polled |= POLLOUT;
  if ((events & SLIRP_POLL_PRI) != 0) polled |= POLLPRI;
  if ((events & SLIRP_POLL_ERR) != 0) polled |= POLLERR;
  if ((events & SLIRP_POLL_HUP) != 0) polled |= POLLHUP;
  return static_cast<short>(polled);
}

int to_slirp_events(int polled) {
  int events = 0;
  if ((polled & POLLIN) != 0) events |= SLIRP_POLL_IN;
  if ((polled & POLLOUT) != 0) events |= SLIRP_POLL_OUT;
  if ((polled & POLLPRI) != 0) events |= SLIRP_POLL_PRI;
  if ((polled & POLLERR) != 0) events |= SLIRP_POLL_ERR;
  if ((polled & POLLHUP) != 0) events |= SLIRP_POLL_HUP;
  return events;
}

SocketAddress host_address(const Forward& forward) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(forward.port);
  inet_pton(AF_INET, forward.host.c_str(), &v4.sin_addr);
  return SocketAddress(&v4, sizeof v4);
}

int forward_flags(const Forward& forward) { return forward.udp ? SLIRP_HOSTFWD_UDP : 0; }

// "4.7.0" as 4007.
unsigned version_number() {
  unsigned major = 0;
  unsigned minor = 0;
  if (std::sscanf(slirp_version_string(), "%u.%u", &major, &minor) != 2) return 0;
  return major * 1000 + minor;
}

constexpr Ipv6Bytes slirp_link_local{std::byte{0xFE}, std::byte{0x80}, {}, {}, {}, {}, {}, {},
                                     {}, {}, {}, {}, {}, {}, {}, std::byte{2}};  // src/ip6.h, LINKLOCAL_ADDR

constexpr unsigned oldest_version = 4007;  // SlirpConfig version 4: disable_dhcp
constexpr unsigned version_with_sound_reassembly = 4008;

}  // namespace

// What the library calls; `user` is the stack.
struct SlirpStack::Callbacks {
  static SlirpStack& stack(void* user) { return *static_cast<SlirpStack*>(user); }

  static ssize_t send_packet(const void* data, std::size_t bytes, void* user) {
    stack(user).send({static_cast<const std::byte*>(data), bytes});
    return static_cast<ssize_t>(bytes);
  }
  static void guest_error(const char* text, void*) { log_debug("libslirp: {}", text); }
  static std::int64_t clock(void*) { return static_cast<std::int64_t>(monotonic_ns()); }
  static void* timer_new(SlirpTimerCb fire, void* timer_user, void* user) {
    return stack(user).timers_.emplace_back(std::make_unique<Timer>(Timer{fire, timer_user, -1})).get();
  }
  static void timer_free(void* timer, void* user) {
    std::erase_if(stack(user).timers_, [&](const auto& each) { return each.get() == timer; });
  }
  static void timer_mod(void* timer, std::int64_t at_ms, void*) { static_cast<Timer*>(timer)->at_ms = at_ms; }
  static void fd_new(int fd, void* user) { stack(user).unconnected_.insert(fd); }
  static void fd_gone(int fd, void* user) { stack(user).unconnected_.erase(fd); }
  static void notify(void*) {}

  static constexpr SlirpCb table = [] {
    SlirpCb callbacks{};
    callbacks.send_packet = send_packet;
    callbacks.guest_error = guest_error;
    callbacks.clock_get_ns = clock;
    callbacks.timer_new = timer_new;
    callbacks.timer_free = timer_free;
    callbacks.timer_mod = timer_mod;
    callbacks.register_poll_fd = fd_new;
    callbacks.unregister_poll_fd = fd_gone;
    callbacks.notify = notify;
    return callbacks;
  }();
};

// It gives its addresses MACs that begin so and end in the address (src/slirp.c, special_ethaddr; src/ip6.h).
MacAddress SlirpStack::mac_of(Ipv4Address own) { return MacAddress(0x5255'0000'0000ULL | own.value()); }
MacAddress SlirpStack::mac_of(const Ipv6Bytes& own) { return MacAddress(0x5256'0000'0000ULL | load_be32(&own[12])); }

std::string SlirpStack::version() { return slirp_version_string(); }

bool SlirpStack::may_reassemble() {
  static const bool may = version_number() >= version_with_sound_reassembly;
  return may;
}

SlirpStack::SlirpStack(const GatewayConfig& config, Send send)
    : send_(std::move(send)), link_local_(own_link_local(config.router)) {
  if (version_number() < oldest_version)
    throw std::runtime_error(fmt::format("libslirp {} is too old: 4.7 or later is needed", version()));
  SlirpConfig slirp{};
  slirp.version = 4;
  slirp.in_enabled = true;
  slirp.vnetwork = to_in_addr(config.network.address);
  slirp.vnetmask = to_in_addr(config.network.mask());
  slirp.vhost = to_in_addr(config.router);
  slirp.vnameserver = to_in_addr(config.router);  // so that the address of ours may lead to a socket of ours
  slirp.vdhcp_start = to_in_addr(config.pool_first);
  slirp.if_mtu = slirp.if_mru = config.mtu;
  slirp.disable_host_loopback = !config.host_loopback;
  slirp.disable_dns = slirp.disable_dhcp = true;
  if (prefix6_of(config)) {
    slirp.in6_enabled = true;
    slirp.vprefix_len = 64;
    slirp.vprefix_addr6 = to_in6_addr(*prefix6_of(config));
    slirp.vhost6 = to_in6_addr(*own_address6(config, config.router));
    slirp.vnameserver6 = to_in6_addr(*own_address6(config, config.dns));
  }
  slirp_ = slirp_new(&slirp, &Callbacks::table, this);
  if (slirp_ == nullptr) throw std::runtime_error("libslirp does not start");
}

SlirpStack::~SlirpStack() { slirp_cleanup(slirp_); }

void SlirpStack::input(std::span<const std::byte> frame) {
  slirp_input(slirp_, reinterpret_cast<const std::uint8_t*>(frame.data()), static_cast<int>(frame.size()));
}

void SlirpStack::send(std::span<const std::byte> frame) {
  const auto addresses = parse_ipv6_addresses(frame);
  if (!addresses || addresses->from != slirp_link_local || link_local_ == slirp_link_local) return send_(frame);
  std::vector<std::byte> ours(frame.begin(), frame.end());
  replace_icmp6_sender(ours, link_local_, mac_of(link_local_));
  send_(ours);
}

void SlirpStack::fill(PollSet& polled) {
  auto timeout_ms = static_cast<std::uint32_t>(polled.timeout_ms());
  const std::size_t before = polled.size();
  filled_ = &polled;
  connecting_at_.clear();
  slirp_pollfds_fill(
      slirp_, &timeout_ms,
      [](int fd, int events, void* user) { return static_cast<int>(Callbacks::stack(user).add_polled(fd, events)); },
      this);
  sockets_ = polled.size() - before;
  polled.wake_within(timeout_ms);
  for (const auto& timer : timers_)
    if (timer->at_ms >= 0) polled.wake_within(timer->at_ms - clock_ms());
}

// What libslirp waits for tells what a socket is: only for room to write, if it is connecting; also for what there is to
// read, from the first turn on in which it is connected.
std::size_t SlirpStack::add_polled(int fd, int events) {
  const std::size_t index = filled_->add(fd, to_poll_events(events));
  if (events != (SLIRP_POLL_OUT | SLIRP_POLL_ERR)) unconnected_.erase(fd);
  else if (unconnected_.contains(fd)) connecting_at_.insert(index);
  return index;
}

int SlirpStack::events_of(std::size_t index) const {
  const short polled = polled_->revents(index);
  return polled != 0 && connecting_at_.contains(index) ? SLIRP_POLL_OUT : to_slirp_events(polled);
}

void SlirpStack::poll(const PollSet& polled, bool failed) {
  polled_ = &polled;
  slirp_pollfds_poll(
      slirp_, failed ? 1 : 0,
      [](int index, void* user) { return Callbacks::stack(user).events_of(static_cast<std::size_t>(index)); }, this);
  run_timers();
}

// A timer may make or end others.
void SlirpStack::run_timers() {
  const std::int64_t now = clock_ms();
  for (std::size_t i = 0; i < timers_.size(); ++i) {
    Timer& timer = *timers_[i];
    if (timer.at_ms < 0 || timer.at_ms > now) continue;
    timer.at_ms = -1;
    timer.fire(timer.user);
  }
}

std::string SlirpStack::add_forward(const GatewayConfig& config, const Forward& forward) {
  const auto guest = guest_address(config, forward);
  if (!guest) return fmt::format("forward {}: no reservation has the name '{}'", to_string(forward), forward.guest);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(forward.guest_port);
  to.sin_addr = to_in_addr(*guest);
  const SocketAddress host = host_address(forward);
  errno = 0;
  if (slirp_add_hostxfwd(slirp_, &host.any, host.length, reinterpret_cast<const sockaddr*>(&to), sizeof to,
                         forward_flags(forward)) == 0)
    return {};
  forward_error_ = errno;
  return fmt::format("forward {}: cannot listen on {}: {}", to_string(forward), to_string(host),
                     std::strerror(forward_error_));
}

void SlirpStack::remove_forward(const Forward& forward) {
  const SocketAddress host = host_address(forward);
  slirp_remove_hostxfwd(slirp_, &host.any, host.length, forward_flags(forward));
}

bool SlirpStack::connect_to_unix(Ipv4Address address, std::uint16_t port, const std::string& path) {
  in_addr guest = to_in_addr(address);
  return slirp_add_unix(slirp_, path.c_str(), &guest, port) == 0;
}

}  // namespace lanyard
