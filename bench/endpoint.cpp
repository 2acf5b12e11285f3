// Parsing and opening of endpoints; see endpoint.h.
#include "bench/endpoint.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace lanyard::bench {

namespace {

constexpr int datagram_receive_buffer_bytes = 4 * 1024 * 1024;
constexpr int backlog = 128;

struct TypeName {
  std::string_view prefix;
  EndpointType type;
};
constexpr TypeName type_names[] = {
    {"unix-listen", EndpointType::unix_listen},
    {"unix-connect", EndpointType::unix_connect},
    {"tcp-listen", EndpointType::tcp_listen},
    {"tcp-connect", EndpointType::tcp_connect},
    {"udp", EndpointType::udp},
    {"mcast", EndpointType::mcast},
    {"vde", EndpointType::vde},
};

EndpointType type_named(std::string_view prefix, std::string_view text) {
  for (const TypeName& entry : type_names)
    if (entry.prefix == prefix) return entry.type;
  usage_error(std::string(text) +
              ": expected unix-listen:, unix-connect:, tcp-listen:, tcp-connect:, udp:, mcast: or vde:");
}

SocketAddress parse_host_port(std::string_view place, int socktype) {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) usage_error(std::string(place) + ": expected HOST:PORT");
  std::string host(place.substr(0, colon));
  const std::string port(place.substr(colon + 1));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = socktype;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    usage_error(std::string(place) + ": " + gai_strerror(error));
  SocketAddress address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

SocketAddress parse_path(std::string_view path) {
  sockaddr_un name{};
  if (path.empty() || path.size() >= sizeof name.sun_path)
    usage_error(std::string(path) + ": expected a path of 1 to " + std::to_string(sizeof name.sun_path - 1) +
                " bytes");
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  SocketAddress address;
  std::memcpy(&address.storage, &name, sizeof name);
  address.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

void set_option(const Fd& socket, int level, int option, int value) {
  if (setsockopt(socket.get(), level, option, &value, sizeof value) != 0) system_error("setsockopt");
}

void enlarge_receive_buffer(const Fd& socket) {
  const int bytes = datagram_receive_buffer_bytes;
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    set_option(socket, SOL_SOCKET, SO_RCVBUF, bytes);  // without CAP_NET_ADMIN: up to net.core.rmem_max
}

// As a QEMU does it (net/socket.c): members share the port, and each hears what it sends itself.
void join_group(const Fd& socket, const Endpoint& endpoint) {
  ip_mreqn membership{};
  membership.imr_multiaddr = reinterpret_cast<const sockaddr_in&>(endpoint.address.storage).sin_addr;
  membership.imr_address = reinterpret_cast<const sockaddr_in&>(endpoint.interface.storage).sin_addr;
  for (const int option : {IP_ADD_MEMBERSHIP, IP_MULTICAST_IF})
    if (setsockopt(socket.get(), IPPROTO_IP, option, &membership, sizeof membership) != 0)
      system_error(endpoint.place);
}

}  // namespace

void usage_error(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(2);
}

void system_error(const std::string& what) { failure(what + ": " + std::strerror(errno)); }

void failure(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::exit(1);
}

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Endpoint parse_endpoint(std::string_view text, std::size_t position) {
  Endpoint endpoint;
  const std::size_t equals = text.find('=');
  const std::size_t colon = text.find(':');
  std::string_view rest = text;
  if (equals < colon) {  // NAME= counts only before the first ':'
    endpoint.name = text.substr(0, equals);
    rest = text.substr(equals + 1);
  }
  endpoint.prefix = rest.substr(0, rest.find(':'));
  endpoint.type = type_named(endpoint.prefix, text);
  if (endpoint.name.empty()) endpoint.name = endpoint.prefix + std::to_string(position);

  rest = rest.substr(std::min(endpoint.prefix.size() + 1, rest.size()));
  const std::size_t key = rest.find(',');
  endpoint.place = rest.substr(0, key);
  const auto value_of = [&](std::string_view expected) {  // of the one key of datagram endpoints, a HOST:PORT
    if (key == std::string_view::npos || !rest.substr(key).starts_with(expected))
      usage_error(std::string(text) + ": expected " + std::string(expected) + "...");
    return std::string(rest.substr(key + expected.size()));
  };
  switch (endpoint.type) {
    case EndpointType::unix_listen:
    case EndpointType::unix_connect:
      endpoint.address = parse_path(endpoint.place);
      break;
    case EndpointType::tcp_listen:
    case EndpointType::tcp_connect:
      endpoint.address = parse_host_port(endpoint.place, SOCK_STREAM);
      break;
    case EndpointType::udp:
      endpoint.address = parse_host_port(endpoint.place, SOCK_DGRAM);
      endpoint.remote = parse_host_port(value_of(",remote="), SOCK_DGRAM);
      break;
    case EndpointType::mcast:
      endpoint.address = endpoint.remote = parse_host_port(endpoint.place, SOCK_DGRAM);
      endpoint.interface = parse_host_port(value_of(",interface=") + ":0", SOCK_DGRAM);
      break;
    case EndpointType::vde:
      break;
  }
  return endpoint;
}

Fd open_endpoint(const Endpoint& endpoint) {
  const bool datagram = is_datagram(endpoint);
  const bool tcp = endpoint.type == EndpointType::tcp_listen || endpoint.type == EndpointType::tcp_connect;
  const bool group = endpoint.type == EndpointType::mcast;
  const bool listens = is_listener(endpoint);
  Fd socket(
      ::socket(endpoint.address.storage.ss_family, (datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) system_error(endpoint.place);
  if (tcp || group) set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (datagram) enlarge_receive_buffer(socket);
  if (datagram || listens) {
    if (bind(socket.get(), endpoint.address.get(), endpoint.address.bytes) != 0) system_error(endpoint.place);
    if (group) join_group(socket, endpoint);
    if (listens && listen(socket.get(), backlog) != 0) system_error(endpoint.place);
  } else {
    if (connect(socket.get(), endpoint.address.get(), endpoint.address.bytes) != 0)
      system_error(endpoint.place);
    if (tcp) set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  }
  return socket;
}

bool is_datagram(const Endpoint& endpoint) {
  return endpoint.type == EndpointType::udp || endpoint.type == EndpointType::mcast;
}

bool is_listener(const Endpoint& endpoint) {
  return endpoint.type == EndpointType::unix_listen || endpoint.type == EndpointType::tcp_listen;
}

Fd accept_connection(const Fd& listener) {
  Fd connection(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (connection.get() < 0) system_error("accept");
  const int no_delay = 1;  // fails on UNIX sockets, where there is nothing to turn off
  (void)setsockopt(connection.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  return connection;
}

std::string announced(const Endpoint& endpoint, const Fd& socket) {
  const sa_family_t family = endpoint.address.storage.ss_family;
  if (family != AF_INET && family != AF_INET6) return endpoint.prefix + ':' + endpoint.place;
  SocketAddress bound;
  bound.bytes = sizeof bound.storage;
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound.storage), &bound.bytes) != 0)
    system_error("getsockname");
  const in_port_t port = family == AF_INET ? reinterpret_cast<const sockaddr_in*>(&bound.storage)->sin_port
                                           : reinterpret_cast<const sockaddr_in6*>(&bound.storage)->sin6_port;
  const std::string host = endpoint.place.substr(0, endpoint.place.rfind(':'));
  return endpoint.prefix + ':' + host + ':' + std::to_string(ntohs(port));
}

void pin_to_core(int core) {
  if (core < 0) return;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(core), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) system_error("core " + std::to_string(core));
}

void shorten_slice() {
  // sched_setattr(2), version 0 of its structure: glibc has neither.
  struct {
    std::uint32_t size = 48, policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 100'000, deadline_ns = 0, period_ns = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace lanyard::bench
