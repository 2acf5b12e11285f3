// Reading addresses as people write them. Literals only: nothing is resolved here, so that a configuration
// can be checked anywhere. A reader returns what is wrong and what was expected, or an empty string when all
// is well. The types are in config.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "switchd/config.h"

namespace lanyard {

// What an address needs in the place where it is written.
struct HostPortRules {
  bool host_required = false;
  bool port_zero = false;  // 0 asks the kernel for a free port
};

// Reads "HOST:PORT", "[V6]:PORT" or, where the host may be left out, "PORT". `address` is set only when all
// is well.
[[nodiscard]] std::string read_host_port(std::string_view text, HostPortRules rules, HostPort& address);

// Reads "GROUP:PORT", with a group in 224.0.0.0/4 (RFC 1112): QEMU's multicast back ends know no other.
[[nodiscard]] std::string read_multicast_group(std::string_view text, HostPort& group);

// A UNIX path: not empty, at most limits::unix_path_bytes_max, no control characters (it is printed in lines
// of output).
[[nodiscard]] std::string check_unix_path(std::string_view path);

// Of a file: not empty, at most limits::path_bytes_max, no control characters.
[[nodiscard]] std::string check_path(std::string_view path);

// The name of a network interface.
[[nodiscard]] std::string check_interface_name(std::string_view text);

// An IPv4 address or the name of a network interface.
[[nodiscard]] std::string check_interface(std::string_view text);

[[nodiscard]] bool is_ipv4(std::string_view text);
[[nodiscard]] bool is_ipv6(std::string_view text);  // a zone (%eth0) may follow

// Whether only this machine can reach `host`: 127.0.0.0/8, ::1, "localhost", or left out (listeners bind
// loopback).
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace lanyard
