// Notices that the host behind a TCP connection has died, without mistaking a paused VM for it.
//
// Keep-alive finds a dead host on an idle connection. With data outstanding, TCP_USER_TIMEOUT does, and without it
// the kernel goes on for a quarter of an hour. But the kernel applies TCP_USER_TIMEOUT to zero-window probes too,
// even while the peer's host answers them (net/ipv4/tcp_timer.c, tcp_probe_timer): a VM that is merely paused would
// lose its connection, and a QEMU without reconnect its network for good. So while a connection waits for its peer
// to read, the timeout is taken off and unanswered probes are watched instead.
//
// Looked at once a second, on the data thread; one getsockopt, and only while data waits.
#pragma once

#include <netinet/tcp.h>

#include <cstdint>

namespace lanyard {

class TcpWatch {
 public:
  static constexpr int dead_after_ms = 30'000;

  // `waiting`: the port has frames queued that the socket would not take. True: close the connection.
  [[nodiscard]] bool peer_is_dead(int fd, bool waiting);

  // The rule, on what the kernel tells (tcp(7), TCP_INFO) of a connection that waits for its peer to read.
  [[nodiscard]] static bool is_unanswered(const tcp_info& info);

  // Sets no-delay, keep-alive and the user timeout on a new connection.
  static void prepare(int fd);

 private:
  bool waited_before_ = false;
  bool timeout_off_ = false;
};

}  // namespace lanyard
