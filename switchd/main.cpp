// switchd: the switch. Reads what it is asked to do, then runs until told to stop.
#include <cstdio>
#include <cstdlib>
#include <new>
#include <system_error>

#include "switchd/config.h"
#include "switchd/daemon.h"
#include "switchd/log.h"

namespace {

int run(const lanyard::Config& config) try {
  lanyard::Daemon daemon(config);
  const int exit_code = daemon.run();
  if (daemon.is_resolving()) std::_Exit(exit_code);  // all is closed and told; a mute name server is not waited for
  return exit_code;
} catch (const std::system_error& error) {  // before anything was opened: no descriptors, no address space
  lanyard::log_error("cannot start: {}", error.what());
  return 1;
} catch (const std::bad_alloc&) {
  lanyard::log_error("cannot start: out of memory");
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const lanyard::CommandLine line = lanyard::parse_command_line(argc, argv);
  if (line.exit_code) {
    std::fputs(line.output.c_str(), *line.exit_code == 0 ? stdout : stderr);
    return *line.exit_code;
  }
  lanyard::set_log_level(line.config.log_level);
  return run(line.config);
}
