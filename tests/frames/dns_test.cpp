// DNS messages: queries as BIND's dig sends them, every way in which a message is no query, and answers taken apart by
// a reader of the test's own.
#include "frames/dns.h"

#include <catch2/catch.hpp>
#include <string>

#include "frames/bytes.h"
#include "tests/support/hex.h"

namespace dns_test {

using namespace lanyard;
using namespace std::string_literals;

namespace {

using Bytes = std::vector<std::byte>;
using Ipv6 = std::array<std::byte, 16>;

// Sent by dig 9.18.
const char* const dig_a = "04d2 0120 0001 0000 0000 0000 03776562 036c616e 00 0001 0001";
const char* const dig_aaaa_edns =
    "1234 0120 0001 0000 0000 0001 03576562 034c414e 00 001c 0001  00 0029 04d0 00000000 0000";
const char* const dig_any_cookie =
    "000a 0120 0001 0000 0000 0001 076578616d706c65 036f7267 00 00ff 0001"
    "00 0029 04d0 00008000 000c 000a 0008 0011223344556677";
const char* const dig_x4 =
    "0007 0120 0001 0000 0000 0000 023135 0132 0130 023130 07696e2d61646472 0461727061 00 000c 0001";
const char* const dig_x6 =
    "0008 0120 0001 0000 0000 0000 0135013101300130013001300130013001300130013001300130013001300130"
    "0130013001320130013001300161013001650136013101360163013601640166 03697036 0461727061 00 000c 0001";
const char* const dig_root = "0009 0120 0001 0000 0000 0000 00 0002 0001";

// A query with the recursion flag for A records of a name that is given label by label.
Bytes query_for(const std::vector<std::string>& labels) {
  Bytes bytes = from_hex("0001 0100 0001 0000 0000 0000");
  for (const std::string& label : labels) {
    bytes.push_back(static_cast<std::byte>(label.size()));
    for (const char c : label) bytes.push_back(static_cast<std::byte>(c));
  }
  for (const std::byte byte : from_hex("00 0001 0001")) bytes.push_back(byte);
  return bytes;
}

DnsQuery parsed(const Bytes& message) {
  const auto query = parse_dns_query(message);
  REQUIRE(query);
  return *query;
}

struct Record {
  std::string name;
  unsigned type = 0, type_class = 0, ttl = 0;
  Bytes data;
};

struct Message {
  unsigned id = 0, flags = 0;
  std::array<unsigned, 4> counts{};
  std::string question;
  unsigned type = 0, type_class = 0;
  std::vector<Record> records;
};

// Takes a whole message apart, compressed names too (RFC 1035, 4.1.4); fails where anything is left over or missing.
class Reader {
 public:
  explicit Reader(const Bytes& bytes) : bytes_(bytes) {}

  Message read() {
    Message message;
    message.id = number(2);
    message.flags = number(2);
    for (unsigned& count : message.counts) count = number(2);
    if (message.counts[0] == 1) {
      message.question = name();
      message.type = number(2);
      message.type_class = number(2);
    }
    for (unsigned i = 0; i < message.counts[1] + message.counts[2] + message.counts[3]; ++i) {
      Record record;
      record.name = name();
      record.type = number(2);
      record.type_class = number(2);
      record.ttl = number(4);
      for (unsigned left = number(2); left > 0; --left) record.data.push_back(static_cast<std::byte>(number(1)));
      message.records.push_back(record);
    }
    REQUIRE(at_ == bytes_.size());
    return message;
  }

 private:
  unsigned number(int bytes) {
    unsigned value = 0;
    for (; bytes > 0; --bytes) value = value << 8 | std::to_integer<unsigned>(bytes_.at(at_++));
    return value;
  }
  std::string name() {
    std::string text;
    std::optional<std::size_t> after;
    while (const unsigned length = number(1)) {
      if (length >= 0xC0) {
        const std::size_t to = (length & 0x3F) << 8 | number(1);
        if (!after) after = at_;
        REQUIRE(to < at_ - 2);
        at_ = to;
        continue;
      }
      REQUIRE(length <= 63);
      for (unsigned i = 0; i < length; ++i) text.push_back(static_cast<char>(number(1)));
      text.push_back('.');
    }
    if (after) at_ = *after;
    return text;
  }

  const Bytes& bytes_;
  std::size_t at_ = 0;
};

Message read(const Bytes& bytes) { return Reader(bytes).read(); }

Ipv6 address6(std::string_view hex) {
  const Bytes bytes = from_hex(hex);
  REQUIRE(bytes.size() == 16);
  Ipv6 out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

constexpr unsigned qr = 0x8000, aa = 0x0400, tc = 0x0200, rd = 0x0100, ra = 0x0080;

}  // namespace

TEST_CASE("a query says what it asks, and its letters do not matter") {
  const DnsQuery query = parsed(from_hex(dig_a));
  CHECK(query.id == 1234);
  CHECK(query.name == "web.lan");
  CHECK(query.type == dns_types::a);
  CHECK(query.type_class == 1);
  CHECK(query.question_bytes == 13);
  CHECK_FALSE(query.edns);
  CHECK(query.udp_bytes_max == 512);

  CHECK(parsed(from_hex(dig_aaaa_edns)).name == "web.lan");
  CHECK(parsed(from_hex(dig_aaaa_edns)).type == dns_types::aaaa);
  CHECK(parsed(from_hex(dig_x4)).type == dns_types::ptr);
  CHECK(parsed(from_hex(dig_any_cookie)).name == "example.org");
}

TEST_CASE("the root has a name, too") {
  const DnsQuery query = parsed(from_hex(dig_root));
  CHECK(query.name.empty());
  CHECK(query.question_bytes == 5);
  CHECK(query.type == 2);
}

TEST_CASE("EDNS says how long an answer may be, and never less than every client takes") {
  CHECK(parsed(from_hex(dig_aaaa_edns)).edns);
  CHECK(parsed(from_hex(dig_aaaa_edns)).udp_bytes_max == 1232);
  CHECK(parsed(from_hex(dig_any_cookie)).edns);
  Bytes small = from_hex(dig_aaaa_edns);
  store_be16(&small[small.size() - 8], 100);
  CHECK(parsed(small).udp_bytes_max == 512);
  store_be16(&small[small.size() - 8], 65535);
  CHECK(parsed(small).udp_bytes_max == 65535);
}

TEST_CASE("what is behind the question and is no OPT record is not taken for EDNS") {
  const Bytes edns = from_hex(dig_aaaa_edns);
  const std::size_t at = edns.size() - 11;
  const auto changed = [&](std::size_t where, unsigned value) {
    Bytes bytes = edns;
    bytes[where] = static_cast<std::byte>(value);
    return parsed(bytes).edns;
  };
  CHECK_FALSE(changed(at, 1));       // not the root's
  CHECK_FALSE(changed(at + 2, 1));   // an address
  CHECK_FALSE(changed(11, 0));       // no record announced
  CHECK_FALSE(changed(7, 1));        // an answer comes first
  CHECK_FALSE(changed(9, 1));        // an authority comes first
}

TEST_CASE("a query that is cut anywhere is none, and its EDNS counts whole or not at all") {
  const Bytes plain = from_hex(dig_a);
  for (std::size_t size = 0; size < plain.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(parse_dns_query(std::span(plain).first(size)));
  }
  const Bytes edns = from_hex(dig_aaaa_edns);
  for (std::size_t size = edns.size() - 11; size < edns.size(); ++size) {
    CAPTURE(size);
    const auto query = parse_dns_query(std::span(edns).first(size));
    REQUIRE(query);
    CHECK_FALSE(query->edns);
    CHECK(query->udp_bytes_max == 512);
  }
}

TEST_CASE("answers, other operations and other numbers of questions are no queries") {
  const auto with = [](std::size_t at, std::uint16_t value) {
    Bytes bytes = from_hex(dig_a);
    store_be16(&bytes[at], value);
    return parse_dns_query(bytes).has_value();
  };
  CHECK(with(2, 0x0000));
  CHECK(with(2, 0x0130));  // AD and CD
  CHECK_FALSE(with(2, 0x8180));
  CHECK_FALSE(with(2, 0x8000));
  for (unsigned opcode = 1; opcode < 16; ++opcode) CHECK_FALSE(with(2, static_cast<std::uint16_t>(opcode << 11)));
  CHECK_FALSE(with(4, 0));
  CHECK_FALSE(with(4, 2));
  CHECK_FALSE(with(4, 0x0100));
  CHECK_FALSE(with(4, 0xFFFF));

  Bytes two = from_hex(dig_a);
  store_be16(&two[4], 2);
  for (const std::byte byte : from_hex("03777777 00 0001 0001")) two.push_back(byte);
  CHECK_FALSE(parse_dns_query(two));
}

TEST_CASE("a name in a question is not compressed, and its labels have at most 63 bytes") {
  CHECK_FALSE(parse_dns_query(from_hex("0001 0100 0001 0000 0000 0000 c00c 0001 0001")));         // itself
  CHECK_FALSE(parse_dns_query(from_hex("0001 0100 0001 0000 0000 0000 03776562 c004 0001 0001")));
  CHECK_FALSE(parse_dns_query(from_hex("0001 0100 0001 0000 0000 0000 03776562 c0ff 0001 0001")));
  CHECK(parsed(query_for({std::string(63, 'a')})).name == std::string(63, 'a'));
  for (const std::size_t size : {64UL, 127UL, 128UL, 191UL, 192UL, 255UL}) {
    CAPTURE(size);
    CHECK_FALSE(parse_dns_query(query_for({std::string(size, 'a')})));
  }
}

TEST_CASE("a name has at most 255 bytes on the wire") {
  const std::string label(63, 'a');
  const DnsQuery longest = parsed(query_for({label, label, label, std::string(61, 'b')}));
  CHECK(longest.name.size() == dns_name_bytes_max);
  CHECK(longest.question_bytes == 255 + 4);
  CHECK_FALSE(parse_dns_query(query_for({label, label, label, std::string(62, 'b')})));
  CHECK_FALSE(parse_dns_query(query_for({label, label, label, label})));
  CHECK_FALSE(parse_dns_query(query_for(std::vector<std::string>(128, "a"))));
  CHECK(parsed(query_for(std::vector<std::string>(127, "a"))).name.size() == 253);
}

TEST_CASE("a byte that no host's name has makes a name that no host has") {
  CHECK(parsed(query_for({"WEB-1", "Lan"})).name == "web-1.lan");
  for (const std::string& label : {"a.b"s, "a b"s, "a\0b"s, "a\nb"s, "a\x7F"s, "\xC3\xA4"s}) {
    CAPTURE(label);
    const std::string name = parsed(query_for({label, "lan"})).name;
    CHECK(name.find('?') != std::string::npos);
    CHECK(name.size() == label.size() + 4);
    CHECK(name.find('.') == label.size());
  }
}

TEST_CASE("an answer repeats the question as it was written and gives the addresses") {
  const Bytes asked = from_hex(dig_aaaa_edns);
  DnsAnswer answer;
  answer.addresses = {*parse_ipv4("10.0.2.15")};
  answer.addresses6 = {address6("fd6c616e0a0002000000000000000015"), address6("fd6c616e0a0002000000000000000016")};
  answer.ttl_seconds = 77;
  const Message message = read(write_dns_answer(asked, parsed(asked), answer));
  CHECK(message.id == 0x1234);
  CHECK(message.flags == (qr | aa | rd | ra));
  CHECK(message.counts == std::array<unsigned, 4>{1, 2, 0, 1});
  CHECK(message.question == "Web.LAN.");  // the letters are a check of some clients (0x20)
  CHECK(message.type == 28);
  CHECK(message.type_class == 1);
  for (const std::size_t i : {0UL, 1UL}) {
    const Record& record = message.records.at(i);
    CHECK(record.name == "Web.LAN.");
    CHECK(record.type == 28);
    CHECK(record.type_class == 1);
    CHECK(record.ttl == 77);
    CHECK(record.data == Bytes(answer.addresses6[i].begin(), answer.addresses6[i].end()));
  }
  const Record& opt = message.records.at(2);
  CHECK(opt.name.empty());
  CHECK(opt.type == 41);
  CHECK(opt.type_class >= 512);
  CHECK(opt.ttl == 0);
}

TEST_CASE("an answer holds what was asked for and nothing else") {
  const auto types_of = [](unsigned type) {
    Bytes asked = from_hex(dig_a);
    store_be16(&asked[21], static_cast<std::uint16_t>(type));
    DnsAnswer answer;
    answer.addresses = {*parse_ipv4("10.0.2.15")};
    answer.addresses6 = {address6("fd6c616e0a0002000000000000000015")};
    answer.name = "web.lan";
    std::vector<unsigned> types;
    for (const Record& record : read(write_dns_answer(asked, parsed(asked), answer)).records)
      types.push_back(record.type);
    return types;
  };
  CHECK(types_of(1) == std::vector<unsigned>{1});
  CHECK(types_of(28) == std::vector<unsigned>{28});
  CHECK(types_of(12) == std::vector<unsigned>{12});
  CHECK(types_of(255) == std::vector<unsigned>{1, 28});
  CHECK(types_of(15).empty());
  CHECK(types_of(65).empty());
}

TEST_CASE("an address is answered in the order of the network") {
  const Bytes asked = from_hex(dig_a);
  DnsAnswer answer;
  answer.addresses = {*parse_ipv4("10.0.2.15")};
  answer.ttl_seconds = 0x01020304;
  const Message message = read(write_dns_answer(asked, parsed(asked), answer));
  CHECK(message.records.at(0).data == from_hex("0a00020f"));
  CHECK(message.records.at(0).ttl == 0x01020304);
  CHECK(message.counts == std::array<unsigned, 4>{1, 1, 0, 0});  // without EDNS where none was asked with
}

TEST_CASE("a reverse look-up is answered with a name") {
  const Bytes asked = from_hex(dig_x4);
  DnsAnswer answer;
  answer.name = "web.lan";
  const Message message = read(write_dns_answer(asked, parsed(asked), answer));
  CHECK(message.question == "15.2.0.10.in-addr.arpa.");
  CHECK(message.records.at(0).type == 12);
  CHECK(message.records.at(0).data == from_hex("03776562 036c616e 00"));
}

TEST_CASE("an answer says what is wrong, and speaks with authority only of what it knows") {
  const Bytes asked = from_hex(dig_a);
  const auto flags_of = [&](DnsCode code) {
    DnsAnswer answer;
    answer.code = code;
    const Message message = read(write_dns_answer(asked, parsed(asked), answer));
    CHECK(message.records.empty());
    return message.flags;
  };
  CHECK(flags_of(DnsCode::ok) == (qr | aa | rd | ra));
  CHECK(flags_of(DnsCode::no_such_name) == (qr | aa | rd | ra | 3));
  CHECK(flags_of(DnsCode::server_failure) == (qr | rd | ra | 2));
  CHECK(flags_of(DnsCode::refused) == (qr | rd | ra | 5));

  Bytes no_recursion = asked;
  store_be16(&no_recursion[2], 0);
  CHECK(read(write_dns_answer(no_recursion, parsed(no_recursion), {})).flags == (qr | aa | ra));
}

TEST_CASE("records that a query carries itself are not in the answer") {
  const Bytes asked = from_hex(dig_any_cookie);
  const Message message = read(write_dns_answer(asked, parsed(asked), {}));
  CHECK(message.counts == std::array<unsigned, 4>{1, 0, 0, 1});
  CHECK(message.records.at(0).data.empty());  // no cookie of ours
}

TEST_CASE("the answer to a question about the root is well-formed") {
  Bytes asked = from_hex(dig_root);
  store_be16(&asked[13], dns_types::a);
  DnsAnswer answer;
  answer.addresses = {*parse_ipv4("10.0.2.2")};
  CHECK(read(write_dns_answer(asked, parsed(asked), answer)).records.at(0).name.empty());
}

TEST_CASE("a version of EDNS that there is not is told in the OPT record, above the code's four bits") {
  Bytes asked = from_hex(dig_aaaa_edns);
  CHECK(parsed(asked).edns_version == 0);
  asked[asked.size() - 5] = std::byte{1};
  CHECK(parsed(asked).edns_version == 1);
  DnsAnswer answer;
  answer.code = DnsCode::bad_version;
  const Message message = read(write_dns_answer(asked, parsed(asked), answer));
  CHECK(message.flags == (qr | rd | ra));
  CHECK(message.counts == std::array<unsigned, 4>{1, 0, 0, 1});
  CHECK(message.records.at(0).type == 41);
  CHECK(message.records.at(0).ttl == 0x0100'0000);  // 16, in version 0
}

TEST_CASE("what is no query is told what is wrong with it, by a header alone") {
  const auto refused = [](const char* hex) {
    const Bytes asked = from_hex(hex);
    CHECK_FALSE(parse_dns_query(asked));
    const auto refusal = write_dns_refusal(asked);
    REQUIRE(refusal);
    const Message message = read(*refusal);
    CHECK(message.id == 0xABCD);
    CHECK(message.counts == std::array<unsigned, 4>{});
    return message.flags;
  };
  CHECK(refused("abcd 0100 0001 0000 0000 0000") == (qr | rd | ra | 1));          // no question behind it
  CHECK(refused("abcd 0000 0001 0000 0000 0000 c00c 0001 0001") == (qr | ra | 1));
  CHECK(refused("abcd 0120 0000 0000 0000 0000") == (qr | rd | ra | 1));
  CHECK(refused("abcd 0100 0002 0000 0000 0000 00 0001 0001 00 0001 0001") == (qr | rd | ra | 1));
  CHECK(refused("abcd 2800 0001 0000 0000 0000 00 0006 0001") == (qr | ra | 0x2800 | 4));  // UPDATE
  CHECK(refused("abcd 7900 0000 0000 0000 0000") == (qr | rd | ra | 0x7800 | 4));
}

TEST_CASE("an answer, and what has no header, is refused by silence") {
  for (const char* hex : {"abcd 8180 0000 0000 0000 0000", "abcd a800 0001 0000 0000 0000 00 0006 0001",
                          "abcd 8101 0001 0000 0000 0000", "abcd 0100 0001 0000 0000 00", "ab", ""}) {
    CAPTURE(hex);
    CHECK_FALSE(write_dns_refusal(from_hex(hex)));
  }
}

TEST_CASE("a long answer is cut behind the question and says so") {
  const Bytes asked = from_hex(dig_aaaa_edns);
  DnsAnswer answer;
  answer.addresses6.resize(8);
  const Bytes whole = write_dns_answer(asked, parsed(asked), answer);
  const Bytes cut = cut_dns_answer(whole);
  const Message message = read(cut);
  CHECK(message.id == 0x1234);
  CHECK(message.flags == (qr | aa | tc | rd | ra));
  CHECK(message.counts == std::array<unsigned, 4>{1, 0, 0, 0});
  CHECK(message.question == "Web.LAN.");
  CHECK(message.type == 28);
  CHECK(cut.size() == 12 + 13);
}

TEST_CASE("an answer that is cut to any length is cut well-formed") {
  const Bytes asked = from_hex(dig_aaaa_edns);
  DnsAnswer answer;
  answer.addresses6.resize(2);
  const Bytes whole = write_dns_answer(asked, parsed(asked), answer);
  for (std::size_t size = dns_header_bytes; size <= whole.size(); ++size) {
    CAPTURE(size);
    const Message message = read(cut_dns_answer(std::span(whole).first(size)));
    CHECK(message.counts == std::array<unsigned, 4>{size < 25 ? 0U : 1U, 0, 0, 0});
    CHECK((message.flags & tc) != 0);
  }
}

TEST_CASE("an answer without a plain question is cut to its header") {
  CHECK(read(cut_dns_answer(from_hex("0001 8180 0000 0000 0000 0000"))).counts[0] == 0);
  CHECK(cut_dns_answer(from_hex("0001 8180 0001 0000 0000 0000 c00c 0001 0001")).size() == 12);
  CHECK(cut_dns_answer(from_hex("0001 8180 0002 0000 0000 0000 00 0001 0001 00 0001 0001")).size() == 12);
}

TEST_CASE("a name for a reverse look-up is an IPv4 address back to front") {
  CHECK(parse_reverse4(parsed(from_hex(dig_x4)).name) == parse_ipv4("10.0.2.15"));
  CHECK(parse_reverse4("255.255.255.255.in-addr.arpa") == parse_ipv4("255.255.255.255"));
  CHECK(parse_reverse4("0.0.0.0.in-addr.arpa") == Ipv4Address());
  for (const char* name :
       {"", "in-addr.arpa", ".in-addr.arpa", "2.0.10.in-addr.arpa", "1.15.2.0.10.in-addr.arpa", "15.2.0.10",
        "256.2.0.10.in-addr.arpa", "15.2.0.999.in-addr.arpa", "15..0.10.in-addr.arpa", "15.2.0..in-addr.arpa",
        ".15.2.0.10.in-addr.arpa", "15.2.0.10..in-addr.arpa", "-1.2.0.10.in-addr.arpa", "+1.2.0.10.in-addr.arpa",
        "0x5.2.0.10.in-addr.arpa", "15.2.0.10.in-addr.arpa.", "15.2.0.10.ip6.arpa", "15.2.0.10xin-addr.arpa",
        "15.2.0.10.xin-addr.arpa", "99999999999.2.0.10.in-addr.arpa"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_reverse4(name));
  }
}

TEST_CASE("a reverse name with leading zeros is the name of nothing") {
  // RFC 1035, 3.5: leading zeros are left out. Another name than 15.2.0.10.in-addr.arpa, so not for us to answer.
  CHECK_FALSE(parse_reverse4("015.2.0.10.in-addr.arpa"));
  CHECK_FALSE(parse_reverse4("15.2.00.10.in-addr.arpa"));
}

TEST_CASE("a name for a reverse look-up is an IPv6 address back to front, digit by digit") {
  CHECK(parse_reverse6(parsed(from_hex(dig_x6)).name) == address6("fd6c616e0a0002000000000000000015"));
  const std::string good = parsed(from_hex(dig_x6)).name;
  CHECK_FALSE(parse_reverse6(""));
  CHECK_FALSE(parse_reverse6("ip6.arpa"));
  CHECK_FALSE(parse_reverse6(good.substr(2)));
  CHECK_FALSE(parse_reverse6("0." + good));
  CHECK_FALSE(parse_reverse6(good + "."));
  for (std::size_t i = 0; i < 64; ++i) {
    CAPTURE(i);
    for (const char wrong : {'g', '.', '-', 'A', '?', 'x'}) {
      std::string bad = good;
      if (bad[i] == wrong) continue;
      bad[i] = wrong;
      CHECK_FALSE(parse_reverse6(bad));
    }
  }
  std::string other = good;
  other.replace(other.size() - 8, 8, "ip4.arpa");
  CHECK_FALSE(parse_reverse6(other));
}

TEST_CASE("a negative answer says of which zone it is, and for how long it may be remembered, by an SOA record") {
  const auto soa_of = [](const Bytes& asked, const std::string& zone, DnsCode code) {
    DnsAnswer answer;
    answer.code = code;
    answer.ttl_seconds = 10;
    answer.zone = zone;
    answer.domain = "lan";
    const Bytes written = write_dns_answer(asked, parsed(asked), answer);
    CHECK(written.size() <= 512);
    const Message message = read(written);
    CHECK(message.counts[1] == 0);
    CHECK(message.counts[2] == 1);
    const Record soa = message.records.at(0);
    CHECK(soa.type == 6);
    CHECK(soa.type_class == 1);
    CHECK(soa.ttl == 10);
    CHECK(load_be32(&soa.data.back() - 3) == 10);  // MINIMUM, the same
    return soa.name;
  };
  CHECK(soa_of(from_hex(dig_a), "lan", DnsCode::no_such_name) == "lan.");
  CHECK(soa_of(from_hex(dig_a), "web.lan", DnsCode::ok) == "web.lan.");
  CHECK(soa_of(from_hex(dig_aaaa_edns), "lan", DnsCode::ok) == "LAN.");  // as it was asked
  CHECK(soa_of(from_hex(dig_x4), "2.0.10.in-addr.arpa", DnsCode::no_such_name) == "2.0.10.in-addr.arpa.");
}

TEST_CASE("an SOA record is in no answer that has another, or is no answer of ours") {
  const Bytes asked = from_hex(dig_a);
  DnsAnswer answer;
  answer.zone = answer.domain = "lan";
  answer.addresses = {*parse_ipv4("10.0.2.15")};
  CHECK(read(write_dns_answer(asked, parsed(asked), answer)).counts == std::array<unsigned, 4>{1, 1, 0, 0});
  answer.addresses.clear();
  answer.code = DnsCode::server_failure;
  CHECK(read(write_dns_answer(asked, parsed(asked), answer)).counts == std::array<unsigned, 4>{1, 0, 0, 0});
  answer.code = DnsCode::ok;
  answer.zone = "elsewhere";
  CHECK(read(write_dns_answer(asked, parsed(asked), answer)).counts == std::array<unsigned, 4>{1, 0, 0, 0});
}

TEST_CASE("an answer is one to the question asked, in whatever letters, and to no other") {
  const Bytes asked = from_hex(dig_a);
  const auto answers = [&](const char* hex) { return is_dns_answer_to(from_hex(hex), asked, parsed(asked)); };
  CHECK(answers("04d2 8180 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));
  CHECK(answers("ffff 8183 0001 0000 0000 0000 03574542 034c416e 00 0001 0001"));
  CHECK_FALSE(answers("04d2 0180 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // no answer
  CHECK_FALSE(answers("04d2 a980 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // to an update
  CHECK_FALSE(answers("04d2 8180 0001 0000 0000 0000 03776563 036c616e 00 0001 0001"));  // another name
  CHECK_FALSE(answers("04d2 8180 0001 0000 0000 0000 03776562 036c616e 00 001c 0001"));  // another type
  CHECK_FALSE(answers("04d2 8180 0001 0000 0000 0000 03776562 036c616e 00 0001 0003"));  // another class
  CHECK_FALSE(answers("04d2 8180 0001 0000 0000 0000 03776562 036c616e 00 0001"));       // cut
  CHECK_FALSE(answers("04d2 8180 0002 0000 0000 0000 03776562 036c616e 00 0001 0001"));
  CHECK_FALSE(answers("04d2 8180 0000 0000 0000 0000"));  // no question, and nothing wrong
  CHECK(answers("04d2 8181 0000 0000 0000 0000"));        // no question, and it says why
  CHECK_FALSE(answers("04d2 8181 0000 0000 0000"));
}

TEST_CASE("an answer is of no help where glibc would ask the next server") {
  const auto no_help = [](const char* hex) { return is_dns_no_help(from_hex(hex)); };
  CHECK(no_help("04d2 8182 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));        // SERVFAIL
  CHECK(no_help("04d2 8184 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));        // NOTIMP
  CHECK(no_help("04d2 8105 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));        // REFUSED
  CHECK(no_help("04d2 8100 0001 0000 0001 0000 03776562 036c616e 00 0001 0001"));        // a delegation, lame
  CHECK_FALSE(no_help("04d2 8180 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // no such record
  CHECK_FALSE(no_help("04d2 8500 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // the same, from its owner
  CHECK_FALSE(no_help("04d2 8183 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // NXDOMAIN
  CHECK_FALSE(no_help("04d2 8181 0001 0000 0000 0000 03776562 036c616e 00 0001 0001"));  // FORMERR: without EDNS, then
  CHECK(no_help("04d2 8181 0000 0000 0000 0000"));
}

TEST_CASE("a written name is lower case and without its last dot, or none") {
  CHECK(normal_dns_name("Web.Example.ORG.") == "web.example.org");
  CHECK(normal_dns_name("_ldap._tcp.dc-1.ad") == "_ldap._tcp.dc-1.ad");
  CHECK(normal_dns_name(std::string(63, 'a')) == std::string(63, 'a'));
  for (const std::string& none : {""s, "."s, ".."s, "a..b"s, ".a"s, "a b"s, "a/b"s, "\xC3\xA4"s, std::string(64, 'a')})
    CHECK(normal_dns_name(none).empty());
}

}  // namespace dns_test
