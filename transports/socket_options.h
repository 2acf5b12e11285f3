// Socket options, set in one line. For opening sockets.
#pragma once

#include <sys/socket.h>

#include "transports/fd.h"

namespace lanyard {

template <class Value>
[[nodiscard]] bool set_option(const Fd& fd, int level, int option, const Value& value) {
  return ::setsockopt(fd.get(), level, option, &value, sizeof value) == 0;
}

// Large queues between the kernel and us; best effort: the kernel gives what its limits allow.
inline void enlarge_buffers(const Fd& fd) {
  constexpr int datagram_buffer_bytes = 4 * 1024 * 1024;
  (void)set_option(fd, SOL_SOCKET, SO_RCVBUF, datagram_buffer_bytes);
  (void)set_option(fd, SOL_SOCKET, SO_SNDBUF, datagram_buffer_bytes);
}

}  // namespace lanyard
