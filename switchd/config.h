// The one model of what switchd is asked to do. The command line and YAML both fill it; nothing else
// configures the daemon. Plain values, checked as a whole: what complete() accepts can be opened, unless the
// machine refuses (an address in use, a group that does not exist).
//
// A network is declared by YAML's `networks:` or by --network NAME[:KIND][,KEY=VALUE]... Once one is declared, ports may
// name declared networks only, so that a typing error does not cost a VM its connectivity unseen; where none
// is declared, the networks that ports name are switches. The default network, for ports that name none, is
// there without being declared: it is that of the first --network that is a NAME and no more, else the first
// without a KIND, else YAML's `network:`, else "lan".
//
// Everything here runs on the control plane's thread, before the data plane starts.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "frames/bridge.h"
#include "frames/limits.h"
#include "switchd/gateway/gateway_config.h"

namespace lanyard {

enum class PortType : std::uint8_t {
  tcp_listen,
  tcp_connect,
  unix_listen,
  unix_connect,
  udp,
  unix_dgram,
  mcast,
  nat,
  tap,
  nic,
};

// "tcp-listen" and so on, in the order of the enumeration.
[[nodiscard]] std::string_view name_of(PortType type);

// An IPv4 or IPv6 prefix, as in allow=10.0.0.0/8. A bare address is a prefix of full length. Host bits are
// zeroed. A link-local one may have a zone: fe80::1%eth0, fe80::%eth0/64 (RFC 4007, 11.7).
struct Cidr {
  bool v6 = false;
  std::array<std::uint8_t, 16> address{};  // IPv4 in the first four bytes
  std::uint8_t prefix_bits = 0;
  std::string zone;  // link-local only: the interface by which it is meant, by name or number; empty: any
  // REQUIRES: 16 readable bytes where `address_v6`, else 4. An IPv4 peer that a dual-stack socket shows as
  // ::ffff:a.b.c.d (RFC 4291, 2.5.5.2) is judged as the IPv4 address it is.
  [[nodiscard]] bool contains(bool address_v6, const std::uint8_t* address_bytes) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};
[[nodiscard]] std::optional<Cidr> parse_cidr(std::string_view text);
[[nodiscard]] std::string to_string(const Cidr& cidr);

// HOST:PORT, [V6]:PORT or PORT. An empty host means "left out".
struct HostPort {
  std::string host;  // a name, or an IPv4 or IPv6 literal, the latter without its brackets
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
// Brackets IPv6; a left-out host prints as the port alone.
[[nodiscard]] std::string to_string(const HostPort& address);

// Where something was written: an argument as typed, FILE:LINE:COLUMN, or "port NAME" of one that is there. It is for
// messages, and never makes two values differ.
struct Origin {
  std::string text;
  bool is_kept = false;       // it was there before this change: what does not go together is not its fault
  bool has_mistakes = false;  // which have been said: what hangs on its values is not judged
  friend bool operator==(const Origin&, const Origin&) { return true; }
};

struct PortConfig {
  std::string name;  // given, or the type and a number in command order (udp1)
  PortType type = PortType::tcp_listen;
  HostPort address;                   // inet types: where to bind or connect; mcast: the group
  std::string path;                   // unix types
  std::optional<HostPort> remote;     // udp
  std::string remote_path;            // unix_dgram
  std::vector<Cidr> allow;            // tcp_listen, udp
  std::optional<std::uint32_t> mode;  // unix_listen, unix_dgram: permission bits of the path, e.g. 0660
  std::string group;                  // unix_listen, unix_dgram: group name or number of the path
  std::string interface;              // mcast: IPv4 address or interface name; tap, nic: interface name
  std::uint8_t ttl = 1;               // mcast
  GatewayConfig gateway;              // nat
  std::string up_script;              // tap: path
  std::string down_script;            // tap: path
  std::string network;                // never empty after complete()
  std::size_t max_frame_bytes = 0;    // 0: what the transport can carry
  std::size_t queue_frames = limits::queue_frames_default;
  Origin origin;

  friend bool operator==(const PortConfig&, const PortConfig&) = default;
};

// Keys and their values: switchd/network_keys.h.
struct NetworkConfig {
  NetworkKind kind = NetworkKind::learning_switch;
  std::uint64_t ageing_s = limits::mac_ageing_ns_default / 1'000'000'000;
  std::uint64_t rewind_mib = 0;  // memory for its recent past
  SpanningTree stp = SpanningTree::pass;

  // What the data plane has to know of it.
  [[nodiscard]] NetworkOptions options() const { return {kind, stp, ageing_s * 1'000'000'000}; }
  friend bool operator==(const NetworkConfig&, const NetworkConfig&) = default;
};

enum class EngineChoice : std::uint8_t { automatic, io_uring, epoll };
enum class LogLevel : std::uint8_t { error, warn, info, debug };

// As on the command line: "auto", "io_uring", "epoll"; "error", "warn", "info", "debug".
[[nodiscard]] std::string_view name_of(EngineChoice engine);
[[nodiscard]] std::string_view name_of(LogLevel level);

// One remark about the configuration: where (an argument as typed, or FILE:LINE:COLUMN), and what is wrong
// and was expected instead.
struct ConfigError {
  std::string where;
  std::string what;
};
[[nodiscard]] std::string to_string(const ConfigError& error);  // "WHERE: WHAT", one line whatever was typed

struct Config {
  std::map<std::string, NetworkConfig> networks;  // by name: those declared, and after complete() those in use
  std::string default_network = "lan";            // of ports that name none
  std::vector<PortConfig> ports;                  // in command order, those of the file first
  std::vector<PortConfig> written;  // the same before complete() filled in what was left out; but names and networks
  std::optional<std::string> control;  // path of the control socket; empty: none; nothing: the default one
  std::string control_group;           // whose members may use it, too; a name or a number
  std::optional<HostPort> http;        // where HTTP is served; a host left out is 127.0.0.1
  std::string http_token;              // path of the file with the token; empty: none
  EngineChoice engine = EngineChoice::automatic;
  LogLevel log_level = LogLevel::info;
  std::optional<std::size_t> memory_bytes;  // for frames; nothing: the default, or what the machine has to give
  bool strict = false;  // an address or interface that is not there yet ends the start
  bool check_only = false;
  // Settings given on the command line, by name: they hold where a document says nothing of them, now and later.
  std::map<std::string, std::string> given;
  // Allowed, but worth a line: --check prints them, the daemon logs them when it starts. Filled by complete() and
  // parse_command_line(), and by nobody else, so that both say the same.
  std::vector<ConfigError> warnings;
  std::vector<ConfigError> notes;  // likewise, of what is no mistake
  // Settings whose value could not be read, which has been said: what hangs on them is not judged.
  std::set<std::string, std::less<>> unclear;
};

// Reads "[NAME=]TYPE[:ADDRESS][,KEY=VALUE]..." into `port`; appends every mistake found. `port.name` and
// `port.network` stay empty where none is given. Keys and their values: switchd/port_keys.h.
void parse_port(std::string_view text, PortConfig& port, std::vector<ConfigError>& errors);

// Reads a YAML document into `config`. `file` is only for messages. Never throws; every mistake found is
// appended, except that nothing is read of a text which is not YAML, not UTF-8, or longer than
// limits::config_bytes_max. Returns whether it says which ports or networks there are, be it none.
bool parse_yaml(std::string_view text, std::string_view file, Config& config,
                std::vector<ConfigError>& errors);

// What only the whole can tell: names given to unnamed ports, the loopback address of a udp port for many,
// uniqueness, networks that do not exist, addresses used twice, limits. Call it once, when file and command
// line have both been read.
void complete(Config& config, std::vector<ConfigError>& errors);

// The command line. `exit_code` is set when the process should end at once (0 after --help, --version and a
// good
// --check; 2 after a mistake), with `output` to print as it is: to standard output when it is 0, else to
// standard error. Reads the file of --config and the environment, and nothing else of the machine.
struct CommandLine {
  Config config;
  std::optional<int> exit_code;
  std::string output;
};
[[nodiscard]] CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace lanyard
