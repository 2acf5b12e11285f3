// Addresses that are written as such, on the control plane. Names: switchd/name_resolver.h.
#pragma once

#include <string>
#include <vector>

#include "switchd/config.h"
#include "transports/open_sockets.h"
#include "transports/socket_address.h"

namespace lanyard {

// Is the host a name, for which a resolver is needed?
[[nodiscard]] bool is_name(const HostPort& address);

// The addresses of a host that was given as a literal, or left out (loopback, both families) for binding. Empty when
// it is a name, or on an interface that is not there.
[[nodiscard]] std::vector<SocketAddress> literal_addresses(const HostPort& address);
// REQUIRES: it is no name.
[[nodiscard]] Opened<std::vector<SocketAddress>> addresses_of(const HostPort& address);

// With the port of `address`.
[[nodiscard]] std::vector<SocketAddress> with_port_of(const HostPort& address, std::vector<SocketAddress> hosts);

// The name of the host that a port binds; empty: it binds none, or that is written as an address.
[[nodiscard]] std::string name_to_bind(const PortConfig& port);

// Is `source` in one of `cidrs`? Asks the kernel for the name of its interface where one has a zone.
[[nodiscard]] bool allowed_by(const std::vector<Cidr>& cidrs, const SocketAddress& source);

}  // namespace lanyard
