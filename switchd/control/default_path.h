// Where the control socket is when nobody says: one text for the daemon and its clients, so that they meet. Any thread.
#pragma once

#include <string>

namespace lanyard::control {

// $XDG_RUNTIME_DIR/lanyard/switchd.sock, else /tmp/lanyard-UID/switchd.sock, of the user whose rights the process has.
[[nodiscard]] std::string default_path();

}  // namespace lanyard::control
