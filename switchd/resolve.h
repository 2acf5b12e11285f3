// Host names to addresses, on the control plane.
#pragma once

#include <string>
#include <vector>

#include "switchd/config.h"
#include "transports/socket_address.h"

namespace lanyard {

// The addresses of a host that was given as a literal, or left out (loopback, both families) for binding. Empty when
// it is a name, which only the resolver can tell.
[[nodiscard]] std::vector<SocketAddress> literal_addresses(const HostPort& address);

// For binding: literals, and names by the system's resolver, which may take its time. Empty: not to be found.
[[nodiscard]] std::vector<SocketAddress> resolve_now(const HostPort& address);

// Is `source` in one of `cidrs`? Asks the kernel for the name of its interface where one has a zone.
[[nodiscard]] bool allowed_by(const std::vector<Cidr>& cidrs, const SocketAddress& source);

}  // namespace lanyard
