// DNS messages (RFC 1035, EDNS of RFC 6891) as far as a gateway needs them: the one question of a query, read
// and checked, and the answers to it that the gateway gives itself. What it only forwards stays bytes. Codec
// only; pure; any thread.
//
//   id 2 | flags 2 | questions 2 | answers 2 | authorities 2 | additional 2 |
//   question: name (length 1, label ... 0), type 2, class 2 | records
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frames/ipv4_address.h"

namespace lanyard {

inline constexpr std::uint16_t dns_port = 53;
inline constexpr std::size_t dns_header_bytes = 12;
inline constexpr std::size_t dns_name_bytes_max = 253;      // written with dots (RFC 1035, 2.3.4)
inline constexpr std::size_t dns_label_bytes_max = 63;      // RFC 1035, 2.3.4
inline constexpr std::size_t dns_udp_bytes_min = 512;       // what every client takes (RFC 1035, 4.2.1)
inline constexpr std::size_t dns_message_bytes_max = 65535;

namespace dns_types {
inline constexpr std::uint16_t a = 1, soa = 6, ptr = 12, aaaa = 28, opt = 41, any = 255;
}

// Those above 15 need a query with EDNS: the header has four bits, the OPT record has the others (RFC 6891, 6.1.3).
enum class DnsCode : std::uint8_t {
  ok = 0,
  format_error = 1,
  server_failure = 2,
  no_such_name = 3,
  not_implemented = 4,
  refused = 5,
  bad_version = 16,
};

struct DnsQuery {
  std::uint16_t id = 0;
  std::string name;        // lower case, labels with dots between them, without the last dot; "" is the root
  std::uint16_t type = 0;
  std::uint16_t type_class = 0;  // 1: the Internet
  std::size_t question_bytes = 0;  // behind the header
  std::size_t udp_bytes_max = dns_udp_bytes_min;  // of an answer by UDP, as the client says
  bool edns = false;
  std::uint8_t edns_version = 0;  // 0 is all that there is
};

// Nothing where `message` is no standard query with one question. A label's bytes are taken as they are, except that a
// dot or a byte that is not printable makes it no name of ours: it becomes '?'.
[[nodiscard]] std::optional<DnsQuery> parse_dns_query(std::span<const std::byte> message);

// The answer to what parse_dns_query takes for none: a header that names the fault. Nothing where there is no header to
// answer, or where the message is an answer itself: two servers would go on for ever.
[[nodiscard]] std::optional<std::vector<std::byte>> write_dns_refusal(std::span<const std::byte> message);

// What an answer says: addresses for A and AAAA, a name for PTR. One without records says from which zone it is, and for
// how long it may be remembered, by that zone's SOA record (RFC 2308, 3).
struct DnsAnswer {
  DnsCode code = DnsCode::ok;
  std::vector<Ipv4Address> addresses;
  std::vector<std::array<std::byte, 16>> addresses6;
  std::string name;
  std::uint32_t ttl_seconds = 0;
  std::string zone{};    // the end of the name asked for, or all of it; empty: no SOA record
  std::string domain{};  // of the zone's server: gateway.DOMAIN, with hostmaster@DOMAIN for people
};

// The answer to `query`, which was read from `message`. Records of another type than was asked for are left out.
[[nodiscard]] std::vector<std::byte> write_dns_answer(std::span<const std::byte> message, const DnsQuery& query,
                                                      const DnsAnswer& answer);

// Is `answer` one to `query`, which was read from `message`? Its id is not looked at. An answer without a question, which
// some servers give to what they do not understand, is taken where it says what is wrong.
[[nodiscard]] bool is_dns_answer_to(std::span<const std::byte> answer, std::span<const std::byte> message,
                                    const DnsQuery& query);
// Does an answer say that its server is of no help, so that another is worth asking? SERVFAIL, NOTIMP and REFUSED, and a
// delegation by a server that does not look up what it does not know: as glibc has it (resolv/res_send.c, send_dg()).
// And what has no question: glibc takes no notice of that. REQUIRES: at least dns_header_bytes bytes.
[[nodiscard]] bool is_dns_no_help(std::span<const std::byte> answer);

// Header and question of `answer` alone, marked as cut (TC), so that the client asks again by TCP. REQUIRES: at least
// dns_header_bytes bytes.
[[nodiscard]] std::vector<std::byte> cut_dns_answer(std::span<const std::byte> answer);

// A host's name or a domain as it is written, as DnsQuery has it: labels of letters, digits, hyphens and underscores, lower
// case, without the last dot. Empty: it is none, or the root.
[[nodiscard]] std::string normal_dns_name(std::string_view written);

// The address that a name for a reverse look-up asks for: 15.2.0.10.in-addr.arpa (RFC 1035, 3.5).
[[nodiscard]] std::optional<Ipv4Address> parse_reverse4(std::string_view name);
// The same for IPv6, ....ip6.arpa (RFC 3596, 2.5).
[[nodiscard]] std::optional<std::array<std::byte, 16>> parse_reverse6(std::string_view name);

// Appends `name`, whose labels have dots between them, uncompressed (RFC 1035, 3.1). REQUIRES: no label is longer than
// dns_label_bytes_max.
void put_dns_name(std::vector<std::byte>& out, std::string_view name);
// One behind the other, as DHCP and router advertisements carry them; those beyond `bytes_max` are left out.
[[nodiscard]] std::vector<std::byte> write_dns_names(const std::vector<std::string>& names, std::size_t bytes_max);

}  // namespace lanyard
