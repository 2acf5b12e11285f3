// Opening TCP and UDP sockets and multicast groups; UNIX sockets are in open_unix.cpp.
#include "transports/open_sockets.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "transports/socket_options.h"
#include "transports/udp_offload.h"

namespace lanyard {

namespace {

// Binds; waits a moment for an address in use: the kernel frees the sockets of an io_uring process that was killed only
// some time after the process is gone, and a restart must not fail for that. In the first second after the first call;
// later others wait for the caller, and it is a matter of sockets that this process has closed.
[[nodiscard]] int bind_patiently(int fd, const SocketAddress& address) {
  using Clock = std::chrono::steady_clock;
  constexpr auto pause_us = 10'000;
  static const Clock::time_point restarted = Clock::now() + std::chrono::seconds(1);
  const Clock::time_point deadline = std::max(restarted, Clock::now() + std::chrono::milliseconds(100));
  while (::bind(fd, &address.any, address.length) != 0) {
    if (errno != EADDRINUSE || Clock::now() >= deadline) return -1;
    ::usleep(pause_us);
  }
  return 0;
}

// Each datagram is to say which address it came to (local_address.h).
[[nodiscard]] bool tell_local_addresses(const Fd& fd, int family) {
  return family == AF_INET ? set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)
                           : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

// `name_of` is getsockname(2) or getpeername(2).
[[nodiscard]] SocketAddress address_by(int (&name_of)(int, sockaddr*, socklen_t*) noexcept, int fd) {
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (name_of(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return SocketAddress(&address, length);
}

}  // namespace

OpenError open_failed(const std::string& doing, int error) { return {doing + ": " + std::strerror(error), error}; }

bool may_come(const OpenError& error) {
  switch (error.error) {
    case EADDRNOTAVAIL:
    case ENODEV:
    case ENXIO:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTUNREACH: return true;
    default: return false;
  }
}

SocketAddress bound_address(int fd) { return address_by(::getsockname, fd); }

SocketAddress peer_address(int fd) { return address_by(::getpeername, fd); }

Opened<Fd> open_tcp_listener(const SocketAddress& local) {
  const std::string doing = "cannot listen on " + to_string(local);
  Fd fd(::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return open_failed(doing);
  if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1)) return open_failed(doing);
  if (local.family() == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return open_failed(doing);
  if (bind_patiently(fd.get(), local) != 0) return open_failed(doing);
  if (::listen(fd.get(), SOMAXCONN) != 0) return open_failed(doing);
  return fd;
}

Opened<Fd> open_udp(const SocketAddress& local) {
  const std::string doing = "cannot bind UDP " + to_string(local);
  Fd fd(::socket(local.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return open_failed(doing);
  if (local.family() == AF_INET6 && !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return open_failed(doing);
  enlarge_buffers(fd);
  (void)set_option(fd, SOL_UDP, UDP_GRO, 1);  // Linux 5.0; without it runs come as single datagrams
  if (local.is_any() && !tell_local_addresses(fd, local.family())) return open_failed(doing);
  if (bind_patiently(fd.get(), local) != 0) return open_failed(doing);
  return fd;
}

void keep_errors(int udp) {
  const int on = 1;
  const bool v6 = bound_address(udp).family() == AF_INET6;
  (void)::setsockopt(udp, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on, sizeof on);
}

Opened<SocketAddress> local_address_towards(const SocketAddress& remote) {
  const std::string doing = "no route to " + to_string(remote);
  Fd fd(::socket(remote.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || ::connect(fd.get(), &remote.any, remote.length) != 0) return open_failed(doing);
  return bound_address(fd.get()).host();
}

namespace {

// The interface as the kernel takes it, or what is wrong with it.
[[nodiscard]] Opened<ip_mreqn> membership_of(const MulticastGroup& group) {
  ip_mreqn membership{};
  membership.imr_multiaddr = group.group.v4.sin_addr;
  if (group.interface.empty()) return membership;
  if (::inet_pton(AF_INET, group.interface.c_str(), &membership.imr_address) == 1) return membership;
  membership.imr_ifindex = static_cast<int>(::if_nametoindex(group.interface.c_str()));
  if (membership.imr_ifindex == 0)
    return OpenError{"interface '" + group.interface + "' is neither an IPv4 address nor the name of an interface here",
                     ENODEV};
  return membership;
}

[[nodiscard]] OpenError no_way(const std::string& doing, const MulticastGroup& group) {
  OpenError error = open_failed(doing);
  const bool unrouted = error.error == ENETUNREACH || error.error == ENODEV || error.error == EHOSTUNREACH;
  if (unrouted && group.interface.empty())
    error.what += " (no route to the group: name an interface with interface=ADDRESS or interface=NAME)";
  return error;
}

// The address that frames sent to the group carry as their source.
[[nodiscard]] Opened<SocketAddress> source_address(const ip_mreqn& membership, const MulticastGroup& group) {
  Fd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe || !set_option(probe, IPPROTO_IP, IP_MULTICAST_IF, membership) ||
      ::connect(probe.get(), &group.group.any, group.group.length) != 0)
    return no_way("cannot send to group " + to_string(group.group), group);
  return bound_address(probe.get());
}

// The number of the interface that has this address; 0: none has.
[[nodiscard]] unsigned interface_of(in_addr address) {
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return 0;
  unsigned found = 0;
  for (const ifaddrs* one = all; one != nullptr && found == 0; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    const SocketAddress has(one->ifa_addr, sizeof(sockaddr_in));
    if (has.v4.sin_addr.s_addr == address.s_addr) found = ::if_nametoindex(one->ifa_name);
  }
  ::freeifaddrs(all);
  return found;
}

[[nodiscard]] MulticastPlace place_of(const ip_mreqn& membership, const SocketAddress& source) {
  if (membership.imr_ifindex != 0) return {static_cast<unsigned>(membership.imr_ifindex), source.host()};
  const bool named = membership.imr_address.s_addr != INADDR_ANY;
  return {interface_of(named ? membership.imr_address : source.v4.sin_addr), source.host()};
}

}  // namespace

Opened<MulticastPlace> multicast_place(const MulticastGroup& group) {
  auto found = membership_of(group);
  if (auto* error = std::get_if<OpenError>(&found)) return std::move(*error);
  const ip_mreqn& membership = std::get<ip_mreqn>(found);
  auto source = source_address(membership, group);
  if (auto* error = std::get_if<OpenError>(&source)) return std::move(*error);
  return place_of(membership, std::get<SocketAddress>(source));
}

Opened<MulticastSockets> open_multicast(const MulticastGroup& group) {
  const std::string doing = "cannot join group " + to_string(group.group);
  auto found = membership_of(group);
  if (auto* error = std::get_if<OpenError>(&found)) return std::move(*error);
  const ip_mreqn membership = std::get<ip_mreqn>(found);
  auto source = source_address(membership, group);
  if (auto* error = std::get_if<OpenError>(&source)) return std::move(*error);

  MulticastSockets sockets;
  sockets.receive = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockets.send = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!sockets.receive || !sockets.send) return open_failed(doing);
  enlarge_buffers(sockets.receive);
  enlarge_buffers(sockets.send);
  // Only this group, not what other sockets here have joined on the same port.
  if (!set_option(sockets.receive, SOL_SOCKET, SO_REUSEADDR, 1) ||
      !set_option(sockets.receive, IPPROTO_IP, IP_MULTICAST_ALL, 0) ||
      ::bind(sockets.receive.get(), &group.group.any, group.group.length) != 0 ||
      !set_option(sockets.receive, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership))
    return no_way(doing, group);
  // Not bound to its source address: the kernel would send from the interface that has this address, whatever the
  // route to the group says (net/ipv4/route.c, "Special hack"), and would miss the VMs, which go by the route.
  SocketAddress local = group.group;
  local.v4.sin_addr.s_addr = INADDR_ANY;
  local.v4.sin_port = 0;
  if (!set_option(sockets.send, IPPROTO_IP, IP_MULTICAST_IF, membership) ||
      !set_option(sockets.send, IPPROTO_IP, IP_MULTICAST_TTL, int{group.ttl}) ||
      !set_option(sockets.send, IPPROTO_IP, IP_MULTICAST_LOOP, 1) ||
      ::bind(sockets.send.get(), &local.any, local.length) != 0)
    return open_failed(doing);
  sockets.place = place_of(membership, std::get<SocketAddress>(source));
  sockets.own_address = std::get<SocketAddress>(source);
  sockets.own_address.v4.sin_port = bound_address(sockets.send.get()).v4.sin_port;
  return sockets;
}

}  // namespace lanyard
