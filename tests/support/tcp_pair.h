// A TCP connection over loopback, and the options of our end.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "transports/fd.h"
#include "transports/open_sockets.h"

namespace lanyard::test {

// `here` is ours, `there` the VM's.
struct TcpPair {
  TcpPair() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
    REQUIRE(::listen(listener.get(), 1) == 0);
    const SocketAddress bound = bound_address(listener.get());
    there = Fd(::socket(AF_INET, SOCK_STREAM, 0));
    REQUIRE(::connect(there.get(), &bound.any, bound.length) == 0);
    here = Fd(::accept(listener.get(), nullptr, nullptr));
    REQUIRE(here);
  }

  [[nodiscard]] int option(int level, int name) const {
    int value = -1;
    socklen_t size = sizeof value;
    REQUIRE(::getsockopt(here.get(), level, name, &value, &size) == 0);
    return value;
  }

  Fd here;
  Fd there;
};

}  // namespace lanyard::test
