// That switchd bounds what a TCP peer on this host has under way to it, as the kernel shows it (ss, of iproute2).
#include <catch2/catch.hpp>
#include <string>

#include "tests/support/lines_of.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"
#include "tests/support/tcp_pair.h"
#include "transports/tcp_window.h"

namespace process_tcp_window_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// The receive buffer of the connection from `here` to `there`, in the kernel's words: "rb524288".
[[nodiscard]] std::string receive_buffer(const std::string& here, const std::string& there) {
  const auto lines = lines_of("ss -HOtnm 'src = " + here + " and dst = " + there + "'");
  INFO(here << " " << there);
  REQUIRE(lines.size() == 1);
  const std::size_t begin = lines.front().find(",rb") + 1;
  return lines.front().substr(begin, lines.front().find(',', begin) - begin);
}

// What a connection has whose peer asks for the bound by itself.
[[nodiscard]] std::string bounded_buffer() {
  const TcpPair pair;
  bound_receive_window(pair.here.get());
  return "rb" + std::to_string(pair.option(SOL_SOCKET, SO_RCVBUF));
}

}  // namespace

TEST_CASE("connections from and to this host have bounded receive buffers") {
  const std::string engine = GENERATE("epoll", "io_uring");
  Listener listening;
  SwitchdProcess daemon(engine, {"in=tcp-listen:127.0.0.1:0", "out=tcp-connect:" + listening.address()});
  Peer in = Peer::tcp(daemon.address("in"));
  Peer out = listening.accept();
  daemon.await_up("in.1");
  daemon.await_up("out");
  CHECK(receive_buffer(daemon.address("in"), in.local()) == bounded_buffer());
  const std::string switch_end = to_string(peer_address(out.fd()));
  CHECK(receive_buffer(switch_end, out.local()) == bounded_buffer());
  CHECK(daemon.stop() == 0);
}

}  // namespace process_tcp_window_test
