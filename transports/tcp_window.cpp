// Bounded receive buffers for TCP within this host; see the header.
#include "transports/tcp_window.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "transports/open_sockets.h"

namespace lanyard {

namespace {

[[nodiscard]] bool is_loopback(const SocketAddress& address) {
  if (address.family() == AF_INET) return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  return address.family() == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
}

}  // namespace

bool is_on_this_host(const SocketAddress& local, const SocketAddress& remote) {
  const bool is_ip = remote.family() == AF_INET || remote.family() == AF_INET6;
  return is_ip && (is_loopback(remote) || local.host() == remote.host());
}

void bound_receive_window(int fd) {
  if (!is_on_this_host(bound_address(fd), peer_address(fd))) return;
  constexpr int bytes = near_receive_buffer_bytes, window_bytes = 2 * bytes;
  (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  // Linux 6.1 leaves the window of a connection that is up at 64 KiB when its buffer is set (tcp(7); 6.18 does not): it
  // wants the window's bound as well. A window is never larger than the buffer, whatever that is.
  (void)::setsockopt(fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &window_bytes, sizeof window_bytes);
}

}  // namespace lanyard
