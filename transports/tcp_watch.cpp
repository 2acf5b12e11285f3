// Dead hosts behind TCP connections; see the header.
#include "transports/tcp_watch.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace lanyard {

namespace {

void set_option(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

}  // namespace

void TcpWatch::prepare(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, dead_after_ms);
}

bool TcpWatch::peer_is_dead(int fd, bool waiting) {
  const bool stuck = waiting && waited_before_;  // for at least one interval
  waited_before_ = waiting;
  if (stuck != timeout_off_) {
    timeout_off_ = stuck;
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, stuck ? 0 : dead_after_ms);
  }
  if (!stuck) return false;
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && is_unanswered(info);
}

bool TcpWatch::is_unanswered(const tcp_info& info) {
  // A paused VM's host answers every probe, however far apart the kernel spaces them (up to two minutes), and each
  // answer resets these counts; only a host that is gone leaves several unanswered.
  constexpr unsigned unanswered_max = 2;
  const unsigned unanswered = unsigned{info.tcpi_probes} + info.tcpi_retransmits;
  return unanswered >= unanswered_max && info.tcpi_last_ack_recv > static_cast<unsigned>(dead_after_ms);
}

}  // namespace lanyard
