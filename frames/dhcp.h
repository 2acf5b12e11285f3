// DHCP messages for IPv4 over Ethernet (RFC 2131, options of RFC 2132): what clients send, read and checked, and what a
// server answers, written. Codec only: who gets which address is decided elsewhere.
//
//   op 1 | htype 1 | hlen 1 | hops 1 | xid 4 | secs 2 | flags 2 | ciaddr 4 | yiaddr 4 | siaddr 4 | giaddr 4 |
//   chaddr 16 | sname 64 | file 128 | magic 4 | options: code 1, length 1, value ...
//
// Options may go on in `file` and `sname` (overload, option 52), and long ones come in parts that are put together
// (RFC 3396). Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "frames/ipv4_address.h"
#include "frames/mac_address.h"

namespace lanyard {

inline constexpr std::uint16_t dhcp_server_port = 67;
inline constexpr std::uint16_t dhcp_client_port = 68;
inline constexpr std::size_t dhcp_reply_bytes = 576 - 20 - 8;       // what every client takes (RFC 2131, 2)
inline constexpr std::size_t dhcp_reply_bytes_max = 1500 - 20 - 8;  // of one that says that it takes more (option 57)

// Option 53.
enum class DhcpType : std::uint8_t {
  discover = 1, offer = 2, request = 3, decline = 4, ack = 5, nak = 6, release = 7, inform = 8
};
[[nodiscard]] std::string_view name_of(DhcpType type);  // "DHCPDISCOVER", ...

// Option 81 (RFC 4702, 2): a host's name with its domain, and who tells the DNS of it.
struct DhcpFqdn {
  static constexpr std::uint8_t server_updates = 0x01;  // S: the server tells of name to address
  static constexpr std::uint8_t overridden = 0x02;      // O: S is not as the client has asked
  static constexpr std::uint8_t wire_format = 0x04;     // E: the name is in DNS labels, else in deprecated ASCII
  static constexpr std::uint8_t no_updates = 0x08;      // N: the server tells of nothing
  std::uint8_t flags = 0;
  std::string name;  // dotted in both encodings, up to 255 bytes; without its last dot
};

// What a client sends.
struct DhcpRequest {
  DhcpType type = DhcpType::discover;
  std::uint32_t xid = 0;
  std::uint8_t hops = 0;
  bool broadcast = false;      // the answer must not be unicast
  Ipv4Address client;          // ciaddr: the address it uses already
  Ipv4Address relay;           // giaddr: the relay it came by
  MacAddress mac;              // chaddr
  std::optional<Ipv4Address> requested;  // option 50
  std::optional<Ipv4Address> server;     // option 54: the server it has chosen
  std::string host_name;                 // option 12, as it came, up to 255 bytes
  std::uint16_t packet_bytes_max = 0;    // option 57: IP packets that it takes; 0: not said
  std::optional<DhcpFqdn> fqdn;          // option 81; one that is malformed is left out
  std::vector<std::byte> client_id;      // option 61 (RFC 6842), to be returned as it is
  std::vector<std::uint8_t> wanted;      // option 55, in its order
  std::vector<std::byte> relay_options;  // option 82 (RFC 3046), to be returned as it is
};

enum class DhcpFault : std::uint8_t {
  too_short,     // below the fixed part and the magic number
  not_a_request, // op is not BOOTREQUEST
  not_ethernet,  // htype or hlen of something else
  no_magic,      // plain BOOTP
  bad_option,    // one that goes beyond its field, or has the wrong length
  no_type,       // option 53 is missing or unknown
};
[[nodiscard]] std::string_view text_of(DhcpFault fault);  // a few words for people

// `message` is the payload of the UDP datagram.
[[nodiscard]] std::variant<DhcpRequest, DhcpFault> parse_dhcp_request(std::span<const std::byte> message);

// What the client calls itself: option 81 goes before option 12 (RFC 4702, 4), where it says anything.
[[nodiscard]] const std::string& name_of_client(const DhcpRequest& request);

// What another server has answered to some client.
struct DhcpServerSeen {
  DhcpType type = DhcpType::offer;
  Ipv4Address yours;                  // none: it gives no address, as a proxy for network boot
  std::optional<Ipv4Address> server;  // option 54
};
// Nothing where the message is none of a server.
[[nodiscard]] std::optional<DhcpServerSeen> parse_dhcp_answer(std::span<const std::byte> message);

struct DhcpOption {
  std::uint8_t code = 0;
  std::vector<std::byte> value;  // 1 to 255 bytes
  friend bool operator==(const DhcpOption&, const DhcpOption&) = default;
};

// What a server answers. Options that are empty or 0 are left out.
struct DhcpReply {
  DhcpType type = DhcpType::offer;
  Ipv4Address yours;              // yiaddr; none in a NAK or in the answer to an INFORM
  Ipv4Address server;             // option 54
  Ipv4Address next_server;        // siaddr, and option 66 for those that ask for it: where the boot file is
  std::string bootfile;           // field `file`, and option 67 likewise; up to 127 bytes
  std::uint32_t lease_seconds = 0;    // option 51
  std::uint32_t renew_seconds = 0;    // option 58
  std::uint32_t rebind_seconds = 0;   // option 59
  std::optional<Ipv4Address> mask;    // option 1
  std::vector<Ipv4Address> routers;   // option 3
  std::vector<Ipv4Address> dns;       // option 6
  std::string host_name;              // option 12
  std::optional<DhcpFqdn> fqdn;       // option 81
  std::string domain;                 // option 15
  std::vector<std::string> search;    // option 119 (RFC 3397): domains, each of labels of at most 63 bytes
  std::uint16_t mtu = 0;              // option 26, bytes
  std::string message;                // option 56: why not, in a NAK
  std::vector<DhcpOption> more;       // none of those above
};

// Writes the answer to `request`, whose xid, flags, relay, hardware address and client identifier it takes over
// (RFC 2131, table 3; RFC 6842). Returns its bytes, as many as the client takes and the MTU that it is told: options that
// do not fit are left out, the least important first.
[[nodiscard]] std::vector<std::byte> write_dhcp_reply(const DhcpRequest& request, const DhcpReply& reply);

}  // namespace lanyard
