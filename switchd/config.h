// The one model of what switchd is asked to do. The command line and YAML both fill it; nothing else configures the
// daemon. Plain values, checked as a whole: what validate() accepts can be opened.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frames/bridge.h"
#include "frames/limits.h"

namespace lanyard {

enum class PortType : std::uint8_t { tcp_listen, tcp_connect, unix_listen, unix_connect, udp, unix_dgram, mcast };

// "tcp-listen" and so on, in the order of the enumeration.
[[nodiscard]] std::string_view name_of(PortType type);

// An IPv4 or IPv6 prefix, as in allow=10.0.0.0/8. A bare address is a prefix of full length. Host bits are zeroed.
struct Cidr {
  bool v6 = false;
  std::array<std::uint8_t, 16> address{};  // IPv4 in the first four bytes
  std::uint8_t prefix_bits = 0;
  [[nodiscard]] bool contains(bool address_v6, const std::uint8_t* address_bytes) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};
[[nodiscard]] std::optional<Cidr> parse_cidr(std::string_view text);
[[nodiscard]] std::string to_string(const Cidr& cidr);

// HOST:PORT, [V6]:PORT or PORT. An empty host means "left out".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
[[nodiscard]] std::string to_string(const HostPort& address);  // brackets IPv6; a left-out host prints as the port

struct PortConfig {
  std::string name;  // given, or the type and a number in command order (udp1)
  PortType type = PortType::tcp_listen;
  HostPort address;                 // inet types: where to bind or connect; mcast: the group
  std::string path;                 // unix types
  std::optional<HostPort> remote;   // udp
  std::string remote_path;          // unix_dgram
  std::vector<Cidr> allow;          // tcp_listen, udp
  std::optional<std::uint32_t> mode;  // unix listeners: permission bits, e.g. 0660
  std::string group;                // unix listeners: group name
  std::string interface;            // mcast: IPv4 address or interface name
  std::uint8_t ttl = 1;             // mcast
  std::string network;              // never empty after parsing
  std::size_t max_frame_bytes = 0;  // 0: what the transport can carry
  std::size_t queue_frames = limits::queue_frames_default;

  friend bool operator==(const PortConfig&, const PortConfig&) = default;
};

enum class EngineChoice : std::uint8_t { automatic, io_uring, epoll };
enum class LogLevel : std::uint8_t { error, warn, info, debug };

struct Config {
  std::map<std::string, NetworkKind> networks;  // by name
  std::string default_network = "lan";
  std::vector<PortConfig> ports;  // in command order, those of the file first
  EngineChoice engine = EngineChoice::automatic;
  LogLevel log_level = LogLevel::info;
  bool check_only = false;
};

// One mistake: where (an argument as typed, or FILE:LINE:COLUMN) and what was expected instead.
struct ConfigError {
  std::string where;
  std::string what;
};
[[nodiscard]] std::string to_string(const ConfigError& error);  // "WHERE: WHAT", one line

// Reads "[NAME=]TYPE[:ADDRESS][,KEY=VALUE]..." into `port`; appends every mistake found. `port.network` stays empty
// where none is given.
void parse_port(std::string_view text, PortConfig& port, std::vector<ConfigError>& errors);

// Reads a YAML document into `config`. `file` is only for messages. Never throws; every mistake found is appended.
void parse_yaml(std::string_view text, std::string_view file, Config& config, std::vector<ConfigError>& errors);

// What only the whole can tell: names given to unnamed ports, uniqueness, networks that do not exist, limits.
void complete(Config& config, std::vector<ConfigError>& errors);

// The closest of `words` to `word`, or empty when none is near (edit distance above a third of its length).
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string_view>& words);

// The command line. `exit_code` is set when the process should end at once (0 after --help, --version and a good
// --check; 2 after a mistake), with `output` to print: to standard output when it is 0, else to standard error.
struct CommandLine {
  Config config;
  std::optional<int> exit_code;
  std::string output;
};
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace lanyard
