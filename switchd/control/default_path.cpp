// The default control socket; see the header.
#include "switchd/control/default_path.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace lanyard::control {

std::string default_path() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (runtime != nullptr && *runtime == '/') return std::string(runtime) + "/lanyard/switchd.sock";
  return fmt::format("/tmp/lanyard-{}/switchd.sock", ::geteuid());
}

}  // namespace lanyard::control
