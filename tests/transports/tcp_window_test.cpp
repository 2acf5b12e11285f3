// The bound on what a TCP peer on this host has under way: whom it is for, and, on real connections, that it is kept and
// leaves room for what a window is for.
#include "transports/tcp_window.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/support/tcp_pair.h"

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

}  // namespace

TEST_CASE("a peer on this host is told from one elsewhere by its address") {
  CHECK(is_on_this_host(ip("127.0.0.1", 7000), ip("127.0.0.1", 40000)));
  CHECK(is_on_this_host(ip("127.9.9.9", 7000), ip("127.0.0.1", 40000)));
  CHECK(is_on_this_host(ip("::1", 7000), ip("::1", 40000)));
  CHECK(is_on_this_host(ip("192.0.2.7", 7000), ip("192.0.2.7", 40000)));
  CHECK(is_on_this_host(ip("2001:db8::7", 7000), ip("2001:db8::7", 40000)));
  CHECK_FALSE(is_on_this_host(ip("192.0.2.7", 7000), ip("192.0.2.8", 7000)));
  CHECK_FALSE(is_on_this_host(ip("10.0.0.127", 7000), ip("10.127.0.1", 7000)));
  CHECK_FALSE(is_on_this_host(ip("2001:db8::7", 7000), ip("2001:db8::8", 7000)));
  CHECK_FALSE(is_on_this_host(SocketAddress(), SocketAddress()));
  CHECK_FALSE(is_on_this_host(SocketAddress::unix_path("/a"), SocketAddress::unix_path("/a")));
}

TEST_CASE("a receive buffer on this host stays bounded however much passes, and holds two frames of any size") {
  const TcpPair pair;
  bound_receive_window(pair.here.get());
  const int before = pair.option(SOL_SOCKET, SO_RCVBUF);
  CHECK(before <= 2 * near_receive_buffer_bytes);
  stream_through(pair);
  CHECK(pair.option(SOL_SOCKET, SO_RCVBUF) == before);
  const int waiting = bytes_waiting_at_most(pair);
  CHECK(waiting <= 2 * near_receive_buffer_bytes);
  CHECK(waiting >= 2 * static_cast<int>(limits::frame_bytes_max));
}

TEST_CASE("buffers of what is no TCP connection on this host stay as they are") {
  std::array<int, 2> pair{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
  const Fd here(pair[0]), there(pair[1]);
  const auto buffer = [&] {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    REQUIRE(::getsockopt(here.get(), SOL_SOCKET, SO_RCVBUF, &bytes, &size) == 0);
    return bytes;
  };
  const int before = buffer();
  REQUIRE(before != 2 * near_receive_buffer_bytes);
  bound_receive_window(here.get());
  CHECK(buffer() == before);
}
