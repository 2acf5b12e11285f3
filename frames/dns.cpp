// The DNS codec; see the header. A question is read front to back, and nothing is taken before its size was looked at.
#include "frames/dns.h"

#include <algorithm>
#include <charconv>

#include "frames/bytes.h"
#include "frames/check.h"

namespace lanyard {

namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint16_t response = 0x8000, opcode = 0x7800, authoritative = 0x0400, cut = 0x0200,
                        recursion_wanted = 0x0100, recursion_there = 0x0080;
constexpr std::size_t label_bytes_max = 63;
constexpr std::uint16_t internet = 1;
constexpr std::size_t record_bytes = 10;  // type, class, TTL, length
constexpr std::uint16_t edns_udp_bytes = 1232;  // that pass everywhere unfragmented

char readable(std::byte byte) {
  const auto c = std::to_integer<unsigned char>(byte);
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c > ' ' && c < 0x7F && c != '.' ? static_cast<char>(c) : '?';
}

// Returns how many bytes the name takes; nothing where it is cut, compressed or too long.
std::optional<std::size_t> read_name(std::span<const std::byte> bytes, std::string& name) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto length = std::to_integer<std::size_t>(bytes[at++]);
    if (length == 0) return at;
    if (length > label_bytes_max || at + length > bytes.size()) return std::nullopt;
    if (!name.empty()) name.push_back('.');
    for (const std::byte byte : bytes.subspan(at, length)) name.push_back(readable(byte));
    if (name.size() > dns_name_bytes_max) return std::nullopt;
    at += length;
  }
  return std::nullopt;
}

void put16(Bytes& out, std::size_t value) {
  out.resize(out.size() + 2);
  store_be16(&out[out.size() - 2], static_cast<std::uint16_t>(value));
}

void put32(Bytes& out, std::uint32_t value) {
  out.resize(out.size() + 4);
  store_be32(&out[out.size() - 4], value);
}

void put_name(Bytes& out, std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::byte>(dot));
    for (const char c : name.substr(0, dot)) out.push_back(static_cast<std::byte>(c));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(std::byte{0});
}

// Name (that of the question, by pointer), type, class, TTL; the length and the data follow.
void put_record_head(Bytes& out, std::uint16_t type, std::uint32_t ttl_seconds) {
  put16(out, 0xC000 | dns_header_bytes);
  put16(out, type);
  put16(out, internet);
  put32(out, ttl_seconds);
}

// Sets what an OPT record in the additional section says, as far as it can be found without reading other records.
void read_edns(std::span<const std::byte> additional, DnsQuery& query) {
  if (additional.size() < 1 + record_bytes || additional[0] != std::byte{0}) return;
  if (load_be16(&additional[1]) != dns_types::opt) return;
  query.edns = true;
  query.udp_bytes_max = std::max<std::size_t>(dns_udp_bytes_min, load_be16(&additional[3]));
  query.edns_version = std::to_integer<std::uint8_t>(additional[6]);
}

}  // namespace

std::optional<DnsQuery> parse_dns_query(std::span<const std::byte> message) {
  if (message.size() < dns_header_bytes) return std::nullopt;
  const std::uint16_t flags = load_be16(&message[2]);
  if ((flags & (response | opcode)) != 0 || load_be16(&message[4]) != 1) return std::nullopt;
  DnsQuery query;
  query.id = load_be16(&message[0]);
  const std::span<const std::byte> rest = message.subspan(dns_header_bytes);
  const auto name_bytes = read_name(rest, query.name);
  if (!name_bytes || *name_bytes + 4 > rest.size()) return std::nullopt;
  query.type = load_be16(&rest[*name_bytes]);
  query.type_class = load_be16(&rest[*name_bytes + 2]);
  query.question_bytes = *name_bytes + 4;
  const bool only_additional = load_be16(&message[6]) == 0 && load_be16(&message[8]) == 0;
  if (only_additional && load_be16(&message[10]) > 0) read_edns(rest.subspan(query.question_bytes), query);
  return query;
}

std::optional<std::vector<std::byte>> write_dns_refusal(std::span<const std::byte> message) {
  if (message.size() < dns_header_bytes) return std::nullopt;
  const std::uint16_t asked = load_be16(&message[2]);
  if ((asked & response) != 0) return std::nullopt;
  const DnsCode code = (asked & opcode) == 0 ? DnsCode::format_error : DnsCode::not_implemented;
  Bytes out(dns_header_bytes);
  store_be16(&out[0], load_be16(&message[0]));
  store_be16(&out[2], static_cast<std::uint16_t>(response | recursion_there | (asked & (opcode | recursion_wanted)) |
                                                 static_cast<unsigned>(code)));
  return out;
}

std::vector<std::byte> write_dns_answer(std::span<const std::byte> message, const DnsQuery& query,
                                        const DnsAnswer& answer) {
  LANYARD_CHECK(message.size() >= dns_header_bytes + query.question_bytes);
  Bytes out(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(dns_header_bytes + query.question_bytes));
  std::size_t records = 0;
  if (query.type == dns_types::a || query.type == dns_types::any) {
    for (const Ipv4Address address : answer.addresses) {
      put_record_head(out, dns_types::a, answer.ttl_seconds);
      put16(out, 4);
      put32(out, address.value());
      ++records;
    }
  }
  if (query.type == dns_types::aaaa || query.type == dns_types::any) {
    for (const auto& address : answer.addresses6) {
      put_record_head(out, dns_types::aaaa, answer.ttl_seconds);
      put16(out, address.size());
      out.insert(out.end(), address.begin(), address.end());
      ++records;
    }
  }
  if (query.type == dns_types::ptr && !answer.name.empty()) {
    put_record_head(out, dns_types::ptr, answer.ttl_seconds);
    Bytes name;
    put_name(name, answer.name);
    put16(out, name.size());
    out.insert(out.end(), name.begin(), name.end());
    ++records;
  }
  if (query.edns) {
    out.push_back(std::byte{0});
    put16(out, dns_types::opt);
    put16(out, edns_udp_bytes);
    put32(out, static_cast<std::uint32_t>(answer.code) >> 4 << 24);  // version 0, no flags
    put16(out, 0);
  }
  const std::uint16_t asked = load_be16(&message[2]);
  const std::uint16_t own =
      response | recursion_there |
      (answer.code == DnsCode::ok || answer.code == DnsCode::no_such_name ? authoritative : std::uint16_t{0});
  store_be16(&out[2], static_cast<std::uint16_t>(own | (asked & recursion_wanted) |
                                                 (static_cast<unsigned>(answer.code) & 0x0F)));
  store_be16(&out[6], static_cast<std::uint16_t>(records));
  store_be16(&out[8], 0);
  store_be16(&out[10], query.edns ? 1 : 0);
  return out;
}

std::vector<std::byte> cut_dns_answer(std::span<const std::byte> answer) {
  LANYARD_CHECK(answer.size() >= dns_header_bytes);
  std::size_t bytes = dns_header_bytes;
  std::string name;
  const auto name_bytes = read_name(answer.subspan(dns_header_bytes), name);
  const bool has_question =
      load_be16(&answer[4]) == 1 && name_bytes && dns_header_bytes + *name_bytes + 4 <= answer.size();
  if (has_question) bytes += *name_bytes + 4;
  Bytes out(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(bytes));
  store_be16(&out[2], load_be16(&out[2]) | cut);
  store_be16(&out[4], has_question ? 1 : 0);
  for (const std::size_t count_at : {6U, 8U, 10U}) store_be16(&out[count_at], 0);
  return out;
}

std::optional<Ipv4Address> parse_reverse4(std::string_view name) {
  constexpr std::string_view suffix = ".in-addr.arpa";
  if (!name.ends_with(suffix)) return std::nullopt;
  name.remove_suffix(suffix.size());
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    unsigned octet = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), octet);
    const auto digits = static_cast<std::size_t>(end - name.data());
    if (error != std::errc() || octet > 255 || (digits > 1 && name[0] == '0')) return std::nullopt;
    value |= octet << (8 * i);
    name.remove_prefix(digits);
    if (name.empty() != (i == 3) || (i < 3 && name[0] != '.')) return std::nullopt;
    if (i < 3) name.remove_prefix(1);
  }
  return Ipv4Address(value);
}

std::optional<std::array<std::byte, 16>> parse_reverse6(std::string_view name) {
  constexpr std::string_view suffix = "ip6.arpa";
  if (name.size() != 64 + suffix.size() || !name.ends_with(suffix)) return std::nullopt;
  std::array<std::byte, 16> address{};
  for (std::size_t i = 0; i < 32; ++i) {
    const char c = name[2 * i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0 || name[2 * i + 1] != '.') return std::nullopt;
    address[15 - i / 2] |= static_cast<std::byte>(i % 2 == 0 ? digit : digit << 4);
  }
  return address;
}

}  // namespace lanyard
