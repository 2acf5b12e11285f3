// UNIX datagram ports are connected to their peer's path, so that a full receiver is seen as "not writable" and not
// as loss. A peer that restarts binds a new socket at the same path: our old connection then refuses our sends, and
// the kernel refuses its (EPERM), until we connect again. So we do when a send fails, and once a second.
#pragma once

#include <sys/socket.h>

#include "transports/transport.h"

namespace lanyard {

// Connects to the path of the transport's one port. False when nobody is there. Never blocks.
inline bool connect_unix_peer(Transport& transport) {
  const SocketAddress& peer = transport.ports.front()->peer;
  return ::connect(transport.send_fd(), &peer.any, peer.length) == 0;
}

}  // namespace lanyard
