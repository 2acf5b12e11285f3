// What lanyard-gateway is told: one JSON document by its control channel at the start, and again when
// something changes. switchd writes it (nat_control.cpp), the gateway reads it; both are of one build. Plain
// values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frames/dhcp.h"
#include "frames/ipv4_address.h"
#include "frames/ndp.h"
#include "switchd/gateway/lease_table.h"

namespace lanyard {

// A port of this host that leads to a port of a guest.
struct Forward {
  bool udp = false;
  std::string host = "127.0.0.1";  // an IPv4 address of this host
  std::uint16_t port = 0;
  std::string guest;  // an IPv4 address, or the name of a reservation
  std::uint16_t guest_port = 0;
  friend bool operator==(const Forward&, const Forward&) = default;
};
[[nodiscard]] std::string to_string(const Forward& forward);  // as it is written: "tcp:127.0.0.1:8080:10.0.2.15:80"
// PROTOCOL:[HOST:]PORT:GUEST:PORT. Returns what is wrong, or an empty string.
[[nodiscard]] std::string read_forward(std::string_view text, Forward& forward);

// NUMBER:hex:BYTES, NUMBER:text:TEXT or NUMBER:ip:ADDR[+ADDR]...: an option that DHCP tells beside its own. Returns what is
// wrong, or an empty string. Those that the server makes itself are refused, with the key to use where there is one.
[[nodiscard]] std::string read_dhcp_option(std::string_view text, DhcpOption& option);

inline constexpr std::size_t nameservers_max = 8;
inline constexpr std::size_t dhcp_options_max = 32;
inline constexpr std::size_t bootfile_bytes_max = 127;  // a field of DHCP messages

// Where guests may go.
enum class Outbound : std::uint8_t { any, none, listed };

struct GatewayConfig {
  std::string name;  // of the port, for messages
  Ipv4Network network{Ipv4Address(0x0A00'0200), 24};
  Ipv4Address router;
  Ipv4Address dns;
  Ipv4Address via;        // the router that guests are told of, where it is another than this gateway
  bool via_none = false;  // they are told of none
  Ipv4Address pool_first;
  Ipv4Address pool_last;
  std::string domain = "lan";
  std::uint32_t lease_seconds = 3600;
  std::uint16_t mtu = 1500;
  bool dhcp = true;                       // answered
  std::string bootfile;                   // of guests that boot by network; empty: none
  Ipv4Address next_server;                // where it is; unspecified: the router, where that serves files
  std::vector<std::string> nameservers;   // IPv4 and IPv6 addresses that guests are told instead of our own
  std::vector<std::string> dhcp_options;  // for read_dhcp_option()
  std::string tftp_folder;                // whose files the router serves by TFTP; empty: none
  std::string ipv6_prefix;  // of 64 bits, as an address; empty: no IPv6
  Outbound outbound = Outbound::any;
  std::vector<std::string> outbound_prefixes;  // IPv4 and IPv6, as CIDR
  bool host_loopback = false;
  bool hosts = false;  // the host's own names and search domains are given to guests
  std::vector<Reservation> reservations;
  std::vector<Forward> forwards;
  std::string lease_file;  // empty: leases are not kept
  friend bool operator==(const GatewayConfig&, const GatewayConfig&) = default;
};

// Takes over from `fresh` what a gateway changes while it serves: where guests may go, and what they are told.
void change_live(GatewayConfig& config, const GatewayConfig& fresh);

[[nodiscard]] std::string write_gateway_config(const GatewayConfig& config);  // JSON, one line
// Nothing where `text` is no such document.
[[nodiscard]] std::optional<GatewayConfig> read_gateway_config(std::string_view text);

// The bytes of ipv6_prefix; nothing without IPv6.
[[nodiscard]] std::optional<Ipv6Bytes> prefix6_of(const GatewayConfig& config);
// The address of IPv6 that goes with one of IPv4 that is the gateway's: it ends in that, so that gateways whose addresses
// of one family differ have different ones of the other, and MACs, on one LAN; nothing without IPv6.
[[nodiscard]] std::optional<Ipv6Bytes> own_address6(const GatewayConfig& config, Ipv4Address own);
// The same of the link.
[[nodiscard]] Ipv6Bytes own_link_local(Ipv4Address own);

// The router that DHCP and router advertisements tell; nothing where they tell none: by `via`, or since nobody gets out.
[[nodiscard]] std::optional<Ipv4Address> told_router(const GatewayConfig& config);
// Where guests that boot by network find the file; unspecified: nowhere.
[[nodiscard]] Ipv4Address told_next_server(const GatewayConfig& config);
// The DNS servers that DHCP tells.
[[nodiscard]] std::vector<Ipv4Address> told_nameservers(const GatewayConfig& config);

// The guest's address of a forward, looked up among the reservations where it is a name.
[[nodiscard]] std::optional<Ipv4Address> guest_address(const GatewayConfig& config, const Forward& forward);

}  // namespace lanyard
