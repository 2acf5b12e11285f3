// TcpWatch on a real loopback connection: which timeouts the kernel is left with, and what is taken for a dead host.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/tcp_pair.h"
#include "transports/tcp_watch.h"

namespace tcp_watch_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A connection that TcpWatch has prepared.
struct WatchedPair : TcpPair {
  WatchedPair() { TcpWatch::prepare(here.get()); }

  [[nodiscard]] int user_timeout_ms() const { return option(IPPROTO_TCP, TCP_USER_TIMEOUT); }

  // Sends until the VM, which does not read, takes no more.
  void fill() const {
    const std::string bytes(64 * 1024, 'x');
    while (::send(here.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
  }
};

}  // namespace

TEST_CASE("a new connection is prepared to notice a dead host, and sends without delay") {
  const WatchedPair pair;
  CHECK(pair.user_timeout_ms() == TcpWatch::dead_after_ms);
  CHECK(pair.option(SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(pair.option(IPPROTO_TCP, TCP_NODELAY) == 1);
  const int idle_ms_max = 1000 * (pair.option(IPPROTO_TCP, TCP_KEEPIDLE) +
                                  pair.option(IPPROTO_TCP, TCP_KEEPINTVL) * pair.option(IPPROTO_TCP, TCP_KEEPCNT));
  CHECK(idle_ms_max <= TcpWatch::dead_after_ms);
}

TEST_CASE("a connection that waits for its peer to read loses the kernel's timeout, and gets it back") {
  const WatchedPair pair;
  pair.fill();
  TcpWatch watch;
  CHECK_FALSE(watch.peer_is_dead(pair.here.get(), true));
  CHECK(pair.user_timeout_ms() == TcpWatch::dead_after_ms);  // once may be a moment
  CHECK_FALSE(watch.peer_is_dead(pair.here.get(), true));
  CHECK(pair.user_timeout_ms() == 0);
  CHECK_FALSE(watch.peer_is_dead(pair.here.get(), true));
  CHECK(pair.user_timeout_ms() == 0);
  CHECK_FALSE(watch.peer_is_dead(pair.here.get(), false));
  CHECK(pair.user_timeout_ms() == TcpWatch::dead_after_ms);
}

TEST_CASE("a VM paused for long is kept, a host that answers no more is not") {
  // As the kernel shows them: probes two minutes apart, each answered.
  tcp_info paused{};
  paused.tcpi_probes = 0;
  paused.tcpi_last_ack_recv = 119'000;
  CHECK_FALSE(TcpWatch::is_unanswered(paused));
  paused.tcpi_probes = 1;  // on its way
  CHECK_FALSE(TcpWatch::is_unanswered(paused));
  tcp_info dead{};
  dead.tcpi_probes = 3;
  dead.tcpi_last_ack_recv = 31'000;
  CHECK(TcpWatch::is_unanswered(dead));
  dead.tcpi_probes = 0;
  dead.tcpi_retransmits = 5;  // died before it closed its window
  CHECK(TcpWatch::is_unanswered(dead));
  dead.tcpi_last_ack_recv = 20'000;  // a bad line
  CHECK_FALSE(TcpWatch::is_unanswered(dead));
}

TEST_CASE("a connection that is busy now and then keeps the kernel's timeout") {
  const WatchedPair pair;
  TcpWatch watch;
  for (int second = 0; second < 6; ++second) {
    CHECK_FALSE(watch.peer_is_dead(pair.here.get(), second % 2 == 0));
    CHECK(pair.user_timeout_ms() == TcpWatch::dead_after_ms);
  }
}

}  // namespace tcp_watch_test
