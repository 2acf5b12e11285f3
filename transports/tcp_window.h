// How much a TCP peer on this host may have under way to us: as much as our caches hold.
//
// Left alone the kernel lets the receive buffer of a fast connection grow to many megabytes, as a long way needs it. On
// this host there is no way to fill: what is under way only waits in memory, and is no longer in the cache when it is
// read and sent on. So there the receive buffer is bounded, about as UNIX sockets bound what waits in them. The peer
// then waits sooner for us to read, which it does on a UNIX socket as well. What we send is not bounded: a port that
// takes no more loses frames, and the peer's side decides when.
//
// Connections from other hosts, and from containers with addresses of their own, are left to the kernel.
#pragma once

#include "frames/limits.h"
#include "transports/socket_address.h"

namespace lanyard {

// Asked for; the kernel doubles it. On AMD EPYC, frames of 1514 bytes in bursts cost 1.0 of the pump with 208 and 256
// KiB, 1.1 to 1.2 with 128, 384 and 512, and 1.3 without a bound.
inline constexpr int near_receive_buffer_bytes = 256 * limits::kibi;
// Where net.core.rmem_max leaves less of it, there is no bound. Debian's leaves 208.
inline constexpr int near_receive_buffer_bytes_min = 192 * limits::kibi;

// Both ends of a connection, as the kernel names them, are on this host.
[[nodiscard]] bool is_on_this_host(const SocketAddress& local, const SocketAddress& remote);

// Of `fd`, a new connection. Never makes the buffer smaller than it is: the peer was told of the room that there is, and
// the kernel would drop what it then sends.
void bound_receive_window(int fd);

}  // namespace lanyard
