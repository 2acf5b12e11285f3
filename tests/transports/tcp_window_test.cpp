// The bound on what a TCP peer on this host has under way: whom it is for, and, on real connections, that it is kept, that
// it leaves room for a frame, and that it takes no room away.
#include "transports/tcp_window.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/skip.h"
#include "tests/support/tcp_pair.h"

namespace tcp_window_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

[[nodiscard]] SocketAddress ip(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) return SocketAddress(&v4, sizeof v4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  REQUIRE(::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1);
  return SocketAddress(&v6, sizeof v6);
}

// The peer writes all it can, round after round, and all of it is read: what the kernel would let the buffer grow by.
void stream_through(const TcpPair& pair) {
  std::vector<char> bytes(1 << 20);
  for (int round = 0; round < 500; ++round) {
    std::size_t written = 0;
    while (written < bytes.size()) {
      const ssize_t n = ::send(pair.there.get(), bytes.data(), bytes.size() - written, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n <= 0) break;
      written += static_cast<std::size_t>(n);
    }
    while (::recv(pair.here.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) {
    }
  }
}

// What lies in our receive buffer once the peer can write no more.
[[nodiscard]] int bytes_waiting_at_most(const TcpPair& pair) {
  const std::vector<char> bytes(1 << 20);
  while (::send(pair.there.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
  int waiting = 0;
  REQUIRE(::ioctl(pair.here.get(), FIONREAD, &waiting) == 0);
  return waiting;
}

// What the kernel makes of 256 KiB here, where net.core.rmem_max may be less. False: no bound is to be expected.
[[nodiscard]] bool is_granted() {
  const TcpPair pair;
  constexpr int bytes = near_receive_buffer_bytes;
  REQUIRE(::setsockopt(pair.here.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
  if (pair.option(SOL_SOCKET, SO_RCVBUF) >= 2 * near_receive_buffer_bytes_min) return true;
  lanyard::test::skip("net.core.rmem_max leaves too little");
  return false;
}

}  // namespace

TEST_CASE("a peer on this host is told from one elsewhere by its address") {
  CHECK(is_on_this_host(ip("127.0.0.1", 7000), ip("127.0.0.1", 40000)));
  CHECK(is_on_this_host(ip("127.9.9.9", 7000), ip("127.0.0.1", 40000)));
  CHECK(is_on_this_host(ip("127.0.0.1", 7000), ip("192.0.2.7", 40000)));
  CHECK(is_on_this_host(ip("::1", 7000), ip("::1", 40000)));
  CHECK(is_on_this_host(ip("192.0.2.7", 7000), ip("192.0.2.7", 40000)));
  CHECK(is_on_this_host(ip("2001:db8::7", 7000), ip("2001:db8::7", 40000)));
  CHECK_FALSE(is_on_this_host(ip("192.0.2.7", 7000), ip("192.0.2.8", 7000)));
  CHECK_FALSE(is_on_this_host(ip("10.0.0.127", 7000), ip("10.127.0.1", 7000)));
  CHECK_FALSE(is_on_this_host(ip("2001:db8::7", 7000), ip("2001:db8::8", 7000)));
  CHECK_FALSE(is_on_this_host(SocketAddress(), SocketAddress()));
  CHECK_FALSE(is_on_this_host(SocketAddress::unix_path("/a"), SocketAddress::unix_path("/a")));
}

TEST_CASE("a receive buffer on this host stays bounded however much passes, and has room for the longest frame") {
  if (!is_granted()) return;
  const TcpPair pair;
  const int before = pair.option(SOL_SOCKET, SO_RCVBUF);
  bound_receive_window(pair.here.get());
  const int bounded = pair.option(SOL_SOCKET, SO_RCVBUF);
  CHECK(bounded >= before);
  CHECK(bounded <= std::max(before, 2 * near_receive_buffer_bytes));
  stream_through(pair);
  CHECK(pair.option(SOL_SOCKET, SO_RCVBUF) == bounded);
  const int waiting = bytes_waiting_at_most(pair);
  CHECK(waiting <= bounded);
  CHECK(waiting >= static_cast<int>(limits::frame_bytes_max + limits::length_header_bytes));
}

TEST_CASE("a receive buffer that has grown already is not taken away: the peer was told that there is room") {
  const TcpPair pair;
  stream_through(pair);
  const int grown = pair.option(SOL_SOCKET, SO_RCVBUF);
  if (grown <= 2 * near_receive_buffer_bytes) SKIP_TEST("the kernel does not let buffers grow that far");
  bound_receive_window(pair.here.get());
  CHECK(pair.option(SOL_SOCKET, SO_RCVBUF) == grown);
}

TEST_CASE("buffers of what is no TCP connection on this host stay as they are") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const Fd here(pair[0]), there(pair[1]);
  constexpr int bytes = 32 * 1024;  // far below the bound, and below any net.core.rmem_max
  REQUIRE(::setsockopt(here.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) == 0);
  bound_receive_window(here.get());
  int after = 0;
  socklen_t size = sizeof after;
  REQUIRE(::getsockopt(here.get(), SOL_SOCKET, SO_RCVBUF, &after, &size) == 0);
  CHECK(after == 2 * bytes);
}

}  // namespace tcp_window_test
