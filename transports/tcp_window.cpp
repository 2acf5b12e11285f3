// Bounded receive buffers for TCP within this host; see the header.
#include "transports/tcp_window.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "transports/fd.h"
#include "transports/open_sockets.h"

namespace lanyard {

namespace {

[[nodiscard]] bool is_loopback(const SocketAddress& address) {
  if (address.family() == AF_INET) return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return address.family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
}

[[nodiscard]] int receive_buffer_bytes(int fd) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  return ::getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size) == 0 ? bytes : 0;
}

void ask_for_receive_buffer(int fd) {
  constexpr int bytes = near_receive_buffer_bytes;
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

// What the kernel makes of what is asked for: it is doubled, and cut by net.core.rmem_max.
[[nodiscard]] int granted_bytes() {
  static const int granted = [] {
    const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!probe) return 0;
    ask_for_receive_buffer(probe.get());
    return receive_buffer_bytes(probe.get());
  }();
  return granted;
}

}  // namespace

bool is_on_this_host(const SocketAddress& local, const SocketAddress& remote) {
  const bool is_ip = remote.family() == AF_INET || remote.family() == AF_INET6;
  return is_ip && (is_loopback(local) || is_loopback(remote) || local.host() == remote.host());
}

void bound_receive_window(int fd) {
  if (!is_on_this_host(bound_address(fd), peer_address(fd))) return;
  const int granted = granted_bytes();
  if (granted < 2 * near_receive_buffer_bytes_min || granted < receive_buffer_bytes(fd)) return;
  ask_for_receive_buffer(fd);
  // Linux 6.1 leaves the window of a connection that is up at 64 KiB when its buffer is set (tcp(7); seen on Debian 12):
  // it wants the window's bound as well. 6.18 does not, so that there only the figures would tell that this is missing.
  constexpr int window_bytes = 2 * near_receive_buffer_bytes;  // never larger than the buffer, whatever that is
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window_bytes, sizeof window_bytes);
}

}  // namespace lanyard
