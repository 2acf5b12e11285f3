// Tells systemd how the service fares (sd_notify(3)): a datagram to the socket it named in NOTIFY_SOCKET. Written out
// here, as that page suggests, because the portable build can link no libsystemd.
#pragma once

#include <string_view>

namespace lanyard {

// `state` as in sd_notify(3): "READY=1". Does nothing when not started by systemd; never fails.
void notify_service_manager(std::string_view state);

}  // namespace lanyard
