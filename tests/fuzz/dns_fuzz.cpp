// Feeds the DNS parser arbitrary bytes. What it takes for a query is answered, and the answer, which is a query but for
// one bit, must ask the same and be one to it, with an SOA record where it has no other; everything else is refused with a header, unless it is an answer itself; cut answers must
// be well-formed, whatever they were cut from.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "frames/bytes.h"
#include "frames/check.h"
#include "frames/dns.h"

using namespace lanyard;

namespace {

using Bytes = std::vector<std::byte>;

// As the question of an answer is read: by the same parser, with the answer's flags taken away.
std::optional<DnsQuery> question_of(Bytes answer) {
  store_be16(&answer[2], 0);
  return parse_dns_query(answer);
}

void check_answered(const Bytes& message, const DnsQuery& query) {
  DnsAnswer answer;
  answer.addresses = {Ipv4Address(0x0A00020F)};
  answer.addresses6.resize(2);
  answer.name = "web.lan";
  const Bytes written = write_dns_answer(message, query, answer);
  LANYARD_CHECK(load_be16(&written[0]) == query.id && (load_be16(&written[2]) & 0xFE0F) == 0x8400);
  const auto asked = question_of(written);
  LANYARD_CHECK(asked && asked->name == query.name && asked->type == query.type);
  LANYARD_CHECK(asked->type_class == query.type_class && asked->question_bytes == query.question_bytes);
  LANYARD_CHECK(is_dns_answer_to(written, message, query) && !is_dns_answer_to(message, message, query));
  answer.zone = answer.domain = query.name.substr(query.name.rfind('.') + 1);
  answer.addresses.clear();
  answer.addresses6.clear();
  answer.name.clear();
  const Bytes negative = write_dns_answer(message, query, answer);
  LANYARD_CHECK(load_be16(&negative[6]) == 0 && load_be16(&negative[8]) == (answer.zone.empty() ? 0 : 1));
  const auto cut = question_of(cut_dns_answer(written));
  LANYARD_CHECK(cut && cut->name == query.name && !cut->edns);
}

void check_refused(const Bytes& message) {
  const auto refusal = write_dns_refusal(message);
  const bool is_asked = message.size() >= dns_header_bytes && (message[2] & std::byte{0x80}) == std::byte{0};
  LANYARD_CHECK(refusal.has_value() == is_asked);
  if (!refusal) return;
  LANYARD_CHECK(refusal->size() == dns_header_bytes && load_be16(refusal->data()) == load_be16(message.data()));
  LANYARD_CHECK(!write_dns_refusal(*refusal) && !parse_dns_query(*refusal));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  const Bytes message(bytes, bytes + size);  // of exactly its size, so that the sanitizer sees the first byte beyond
  if (size >= dns_header_bytes) {
    (void)is_dns_no_help(message);
    const Bytes cut = cut_dns_answer(message);
    LANYARD_CHECK(cut.size() <= size && (load_be16(&cut[2]) & 0x0200) != 0 && load_be16(&cut[6]) == 0);
    LANYARD_CHECK(load_be16(&cut[4]) == 0 ? cut.size() == dns_header_bytes : question_of(cut).has_value());
  }
  const auto query = parse_dns_query(message);
  if (!query) {
    check_refused(message);
    return 0;
  }
  LANYARD_CHECK(query->name.size() <= dns_name_bytes_max && query->udp_bytes_max >= dns_udp_bytes_min);
  LANYARD_CHECK(query->question_bytes >= 5 && dns_header_bytes + query->question_bytes <= size);
  for (const char c : query->name) LANYARD_CHECK(c > ' ' && c < 0x7F && (c < 'A' || c > 'Z'));
  if (const auto address = parse_reverse4(query->name)) {
    const std::uint32_t v = address->value();
    const Ipv4Address back(v << 24 | (v & 0xFF00) << 8 | (v >> 8 & 0xFF00) | v >> 24);
    LANYARD_CHECK(to_string(back) + ".in-addr.arpa" == query->name);
  }
  LANYARD_CHECK(!parse_reverse6(query->name) || query->name.size() == 72);
  check_answered(message, *query);
  return 0;
}
