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
                        recursion_wanted = 0x0100, recursion_there = 0x0080, code_bits = 0x000F;
constexpr std::size_t type_and_class_bytes = 4;  // behind a question's name
constexpr std::uint16_t internet = 1;
constexpr std::size_t record_bytes = 10;  // type, class, TTL, length
constexpr std::uint16_t edns_udp_bytes = 1232;  // that pass everywhere unfragmented

unsigned char lower(std::byte byte) {
  const auto c = std::to_integer<unsigned char>(byte);
  return c >= 'A' && c <= 'Z' ? static_cast<unsigned char>(c - 'A' + 'a') : c;
}

char readable(std::byte byte) {
  const char c = static_cast<char>(lower(byte));
  return c > ' ' && c < 0x7F && c != '.' ? static_cast<char>(c) : '?';
}

// Returns how many bytes the name takes; nothing where it is cut, compressed or too long.
std::optional<std::size_t> read_name(std::span<const std::byte> bytes, std::string& name) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const auto length = std::to_integer<std::size_t>(bytes[at++]);
    if (length == 0) return at;
    if (length > dns_label_bytes_max || at + length > bytes.size()) return std::nullopt;
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

void put_pointer(Bytes& out, std::size_t at) { put16(out, 0xC000 | at); }

// Name (that of the question, by pointer, or what follows its first `skipped` bytes), type, class, TTL; the length and
// the data follow.
void put_record_head(Bytes& out, std::uint16_t type, std::uint32_t ttl_seconds, std::size_t skipped = 0) {
  put_pointer(out, dns_header_bytes + skipped);
  put16(out, type);
  put16(out, internet);
  put32(out, ttl_seconds);
}

// The SOA record of `answer`'s zone (RFC 1035, 3.3.13). Names that end as the question does point there: the whole stays
// below what every client takes.
void put_soa(Bytes& out, const DnsQuery& query, const DnsAnswer& answer) {
  constexpr std::uint32_t serial = 1, refresh_s = 1200, retry_s = 180, expire_s = 1'209'600;  // nobody transfers it
  const std::size_t zone_at = query.name.size() - answer.zone.size();  // in the question: a byte for each letter or dot
  put_record_head(out, dns_types::soa, answer.ttl_seconds, zone_at);
  Bytes data;
  for (const std::string_view label : {"gateway", "hostmaster"}) {
    put_dns_name(data, label);
    data.pop_back();
    if (answer.domain == answer.zone) put_pointer(data, dns_header_bytes + zone_at);
    else put_dns_name(data, answer.domain);
  }
  for (const std::uint32_t value : {serial, refresh_s, retry_s, expire_s, answer.ttl_seconds}) put32(data, value);
  put16(out, data.size());
  out.insert(out.end(), data.begin(), data.end());
}

// Is there no such name, or nothing of that type, and is it known of which zone?
bool is_negative(const DnsQuery& query, const DnsAnswer& answer) {
  const bool may_be = answer.code == DnsCode::ok || answer.code == DnsCode::no_such_name;
  return may_be && !answer.zone.empty() && query.name.ends_with(answer.zone);
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

void put_dns_name(Bytes& out, std::string_view name) {
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    out.push_back(static_cast<std::byte>(dot));
    for (const char c : name.substr(0, dot)) out.push_back(static_cast<std::byte>(c));
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  out.push_back(std::byte{0});
}

Bytes write_dns_names(const std::vector<std::string>& names, std::size_t bytes_max) {
  Bytes out;
  for (const std::string& name : names) {
    const std::size_t before = out.size();
    put_dns_name(out, name);
    if (out.size() > bytes_max) out.resize(before);
  }
  return out;
}

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
    put_dns_name(name, answer.name);
    put16(out, name.size());
    out.insert(out.end(), name.begin(), name.end());
    ++records;
  }
  const bool with_soa = records == 0 && is_negative(query, answer);
  if (with_soa) put_soa(out, query, answer);
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
  store_be16(&out[8], with_soa ? 1 : 0);
  store_be16(&out[10], query.edns ? 1 : 0);
  return out;
}

bool is_dns_answer_to(std::span<const std::byte> answer, std::span<const std::byte> message, const DnsQuery& query) {
  if (answer.size() < dns_header_bytes) return false;
  const std::uint16_t flags = load_be16(&answer[2]);
  if ((flags & response) == 0 || (flags & opcode) != 0) return false;
  if (load_be16(&answer[4]) == 0) return (flags & code_bits) != 0 && is_dns_no_help(answer);
  const auto asked = message.subspan(dns_header_bytes, query.question_bytes);
  if (load_be16(&answer[4]) != 1 || answer.size() < dns_header_bytes + asked.size()) return false;
  // Letters count as equal in either case: a label's length is below those, and type and class are compared as they are.
  const auto name = asked.first(asked.size() - type_and_class_bytes);
  const auto same_letter = [](std::byte one, std::byte other) { return lower(one) == lower(other); };
  const auto* there = &answer[dns_header_bytes];
  return std::equal(name.begin(), name.end(), there, same_letter) &&
         std::equal(asked.begin() + static_cast<std::ptrdiff_t>(name.size()), asked.end(), there + name.size());
}

bool is_dns_no_help(std::span<const std::byte> answer) {
  LANYARD_CHECK(answer.size() >= dns_header_bytes);
  const std::uint16_t flags = load_be16(&answer[2]);
  const auto code = static_cast<DnsCode>(flags & code_bits);
  if (load_be16(&answer[4]) == 0 || code == DnsCode::server_failure || code == DnsCode::not_implemented ||
      code == DnsCode::refused)
    return true;
  const bool says_nothing = load_be16(&answer[6]) == 0 && load_be16(&answer[10]) == 0;
  return code == DnsCode::ok && says_nothing && (flags & (authoritative | recursion_there)) == 0;
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

std::string normal_dns_name(std::string_view written) {
  if (written.ends_with('.')) written.remove_suffix(1);
  std::string name;
  std::size_t label = 0;
  for (char c : written) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!good && (c != '.' || label == 0)) return {};
    label = good ? label + 1 : 0;
    if (label > dns_label_bytes_max) return {};
    name.push_back(c);
  }
  return label == 0 || name.size() > dns_name_bytes_max ? std::string() : name;
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
