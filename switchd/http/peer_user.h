// Whose process is at the other end of a TCP connection within this machine: asked of the kernel by the addresses of the
// other end's socket (sock_diag(7)). Control thread; does not block.
#pragma once

#include <sys/types.h>

#include <optional>

#include "transports/socket_address.h"

namespace lanyard::http {

// The user of the socket that is bound to `peer` and connected to `local`, of the same family, IPv4 or IPv6. Nothing: no
// process has it (any more), or it is in another network namespace. Throws std::system_error where the kernel
// cannot be asked.
[[nodiscard]] std::optional<uid_t> user_of_peer(const SocketAddress& peer, const SocketAddress& local);

}  // namespace lanyard::http
