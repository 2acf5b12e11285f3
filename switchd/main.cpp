// switchd: the switch. Reads what it is asked to do, then runs until told to stop.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <new>
#include <optional>
#include <system_error>

#include "switchd/config.h"
#include "switchd/daemon.h"
#include "switchd/log.h"

namespace {

constexpr rlim_t descriptors_of_daemon = 32;  // standard ones, event loops, control socket and HTTP, with a client each
constexpr rlim_t descriptors_of_port = 2;     // a socket, and one connection or a second socket

// Every connection is a descriptor: takes what the system allows. Where that is little, says so first and returns the
// limit, since what fails for it further on may be anything.
std::optional<rlim_t> raise_descriptor_limit(const lanyard::Config& config) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = descriptors_of_daemon + descriptors_of_port * config.ports.size();
  if (limit.rlim_max >= wanted) return std::nullopt;
  lanyard::log_warn("at most {} files can be open at one time (ulimit -n), and every port and connection is one: "
                    "expected {} or more, as with 'ulimit -n 1024', or LimitNOFILE= of systemd",
                    limit.rlim_max, wanted);
  return limit.rlim_max;
}

int run(const lanyard::Config& config, std::optional<rlim_t> too_few_descriptors) try {
  lanyard::Daemon daemon(config);
  const int exit_code = daemon.run();
  if (daemon.is_resolving()) std::_Exit(exit_code);  // all is closed and told; a mute name server is not waited for
  return exit_code;
} catch (const std::system_error& error) {  // before anything was opened: no descriptors, no address space
  if (too_few_descriptors)
    lanyard::log_error("cannot start: {} open files are too few (ulimit -n): {}", *too_few_descriptors, error.what());
  else
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
  return run(line.config, raise_descriptor_limit(line.config));
}
