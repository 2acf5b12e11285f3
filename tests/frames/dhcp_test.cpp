// DHCP messages: what clients send, well-formed and not, and what a server's answers look like on the wire.
#include "frames/dhcp.h"

#include <catch2/catch.hpp>
#include <string>

#include "frames/bytes.h"

namespace dhcp_test {

using namespace lanyard;
using namespace std::string_literals;

namespace {

using Bytes = std::vector<std::byte>;

// The fixed part of a message from 52:54:00:12:34:56 with transaction 0xCAFE0001, and its options.
Bytes message(const std::string& options) {
  Bytes bytes(240);
  bytes[0] = bytes[1] = std::byte{1};
  bytes[2] = std::byte{6};
  store_be32(&bytes[4], 0xCAFE0001);
  store_be16(&bytes[28], 0x5254);
  store_be32(&bytes[30], 0x00123456);
  store_be32(&bytes[236], 0x63825363);
  for (const char c : options) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

DhcpRequest parsed(const Bytes& bytes) {
  auto result = parse_dhcp_request(bytes);
  REQUIRE(std::holds_alternative<DhcpRequest>(result));
  return std::get<DhcpRequest>(result);
}

DhcpFault fault_of(const Bytes& bytes) {
  auto result = parse_dhcp_request(bytes);
  REQUIRE(std::holds_alternative<DhcpFault>(result));
  return std::get<DhcpFault>(result);
}

// The value of an option of an answer; nothing when it is not there.
std::optional<std::string> option(const Bytes& reply, std::uint8_t code) {
  for (std::size_t at = 240; at < reply.size();) {
    const auto found = std::to_integer<std::uint8_t>(reply[at]);
    if (found == 255) return std::nullopt;
    const auto length = std::to_integer<std::size_t>(reply.at(at + 1));
    REQUIRE(at + 2 + length <= reply.size());
    if (found == code) return std::string(reinterpret_cast<const char*>(&reply[at + 2]), length);
    at += 2 + length;
  }
  FAIL("the options do not end");
  return std::nullopt;
}

}  // namespace

TEST_CASE("a client's request is read with its options") {
  Bytes bytes = message(
      "\x35\x01\x03\x32\x04\x0A\x00\x02\x10\x36\x04\x0A\x00\x02\x02\x0C\x03web\x37\x03\x01\x03\x06\xFF"s);
  store_be16(&bytes[10], 0x8000);
  store_be32(&bytes[12], 0x0A000211);
  store_be32(&bytes[24], 0xC0A80001);
  bytes[3] = std::byte{2};
  const DhcpRequest request = parsed(bytes);
  CHECK(request.type == DhcpType::request);
  CHECK(request.xid == 0xCAFE0001);
  CHECK(request.hops == 2);
  CHECK(request.broadcast);
  CHECK(to_string(request.mac) == "52:54:00:12:34:56");
  CHECK(to_string(request.client) == "10.0.2.17");
  CHECK(to_string(request.relay) == "192.168.0.1");
  CHECK(request.requested == parse_ipv4("10.0.2.16"));
  CHECK(request.server == parse_ipv4("10.0.2.2"));
  CHECK(request.host_name == "web");
  CHECK(request.wanted == std::vector<std::uint8_t>{1, 3, 6});
}

TEST_CASE("options may be padded, in parts, go on in other fields, and lack their end") {
  SECTION("padded and without an end") {
    CHECK(parsed(message("\0\0\x35\x01\x01\0"s)).type == DhcpType::discover);
  }
  SECTION("in parts (RFC 3396)") {
    CHECK(parsed(message("\x35\x01\x01\x0C\x02we\x0C\x01" "b\xFF"s)).host_name == "web");
  }
  SECTION("in file and sname (overload)") {
    Bytes bytes = message("\x34\x01\x03\xFF"s);
    const std::string in_file = "\x35\x01\x01\xFF"s, in_sname = "\x0C\x03web\xFF"s;
    for (std::size_t i = 0; i < in_file.size(); ++i) bytes[108 + i] = static_cast<std::byte>(in_file[i]);
    for (std::size_t i = 0; i < in_sname.size(); ++i) bytes[44 + i] = static_cast<std::byte>(in_sname[i]);
    const DhcpRequest request = parsed(bytes);
    CHECK(request.type == DhcpType::discover);
    CHECK(request.host_name == "web");
  }
  SECTION("unknown ones are passed over") {
    CHECK(parsed(message("\x3D\x07\x01" "abcdef\x35\x01\x01\xFF"s)).type == DhcpType::discover);
  }
}

TEST_CASE("a host name with its domain is read in both encodings") {
  const auto fqdn = [](const std::string& value) {
    const auto length = std::string(1, static_cast<char>(value.size()));
    return parsed(message("\x35\x01\x03\x0C\x03old\x51"s + length + value + "\xFF"s));
  };
  SECTION("DNS labels, as systemd-networkd sends them") {
    const DhcpRequest request = fqdn("\x05\x00\x00\x03web\x07" "example\x03" "com\x00"s);
    REQUIRE(request.fqdn);
    CHECK(request.fqdn->flags == (DhcpFqdn::server_updates | DhcpFqdn::wire_format));
    CHECK(request.fqdn->name == "web.example.com");
    CHECK(name_of_client(request) == "web.example.com");
  }
  SECTION("a partial name, without the empty label at the end") {
    CHECK(name_of_client(fqdn("\x04\x00\x00\x03web"s)) == "web");
  }
  SECTION("deprecated ASCII, as Windows and dhclient without fqdn.encoded send it") {
    CHECK(name_of_client(fqdn("\x00\x00\x00web.example.com"s)) == "web.example.com");
    CHECK(name_of_client(fqdn("\x01\xFF\xFFweb.example.com."s)) == "web.example.com");
    CHECK(name_of_client(fqdn("\x01\x00\x00web\x00"s)) == "web");
  }
  SECTION("no name, or one that is malformed, leaves option 12") {
    CHECK(name_of_client(fqdn("\x05\x00\x00"s)) == "old");
    CHECK(name_of_client(fqdn("\x05\x00\x00\x00"s)) == "old");
    CHECK(name_of_client(fqdn("\x01\x00\x00"s)) == "old");
    for (const auto& value : {"\x05"s, "\x05\x00"s, "\x04\x00\x00\x04web"s, "\x04\x00\x00\x03web\x01"s,
                              "\x04\x00\x00\xC0\x0C"s, "\x04\x00\x00web.example"s}) {
      CAPTURE(value);
      CHECK_FALSE(fqdn(value).fqdn);
      CHECK(name_of_client(fqdn(value)) == "old");
    }
  }
}

TEST_CASE("a host name with its domain is written in both encodings, and the client's identifier is returned") {
  const DhcpRequest request = parsed(message("\x35\x01\x03\x3D\x07\x01" "abcdef\xFF"s));
  DhcpReply reply;
  reply.type = GENERATE(DhcpType::offer, DhcpType::ack, DhcpType::nak);
  CHECK(option(write_dhcp_reply(request, reply), 61) == "\x01" "abcdef"s);
  CHECK_FALSE(option(write_dhcp_reply(request, reply), 81));
  reply.fqdn = DhcpFqdn{5, "web.lan"};
  CHECK(option(write_dhcp_reply(request, reply), 81) == "\x05\xFF\xFF\x03web\x03lan\x00"s);
  reply.fqdn = DhcpFqdn{3, "web.lan"};
  CHECK(option(write_dhcp_reply(request, reply), 81) == "\x03\xFF\xFFweb.lan"s);
  reply.fqdn = DhcpFqdn{4, ""};
  CHECK(option(write_dhcp_reply(request, reply), 81) == "\x04\xFF\xFF\x00"s);
  CHECK_FALSE(option(write_dhcp_reply(parsed(message("\x35\x01\x03\xFF"s)), reply), 61));
}

TEST_CASE("what is no DHCP request is refused with its reason") {
  const std::string discover = "\x35\x01\x01\xFF"s;
  CHECK(fault_of({}) == DhcpFault::too_short);
  CHECK(fault_of(Bytes(239)) == DhcpFault::too_short);
  Bytes bytes = message(discover);
  SECTION("an answer") {
    bytes[0] = std::byte{2};
    CHECK(fault_of(bytes) == DhcpFault::not_a_request);
  }
  SECTION("another link layer") {
    bytes[1] = std::byte{6};
    CHECK(fault_of(bytes) == DhcpFault::not_ethernet);
  }
  SECTION("another length of address") {
    bytes[2] = std::byte{16};
    CHECK(fault_of(bytes) == DhcpFault::not_ethernet);
  }
  SECTION("BOOTP") {
    bytes[236] = std::byte{0};
    CHECK(fault_of(bytes) == DhcpFault::no_magic);
  }
  SECTION("options") {
    CHECK(fault_of(message(""s)) == DhcpFault::no_type);
    CHECK(fault_of(message("\xFF\x35\x01\x01"s)) == DhcpFault::no_type);
    CHECK(fault_of(message("\x35\x01\x00\xFF"s)) == DhcpFault::no_type);
    CHECK(fault_of(message("\x35\x01\x09\xFF"s)) == DhcpFault::no_type);
    CHECK(fault_of(message("\x35\x02\x01\x01\xFF"s)) == DhcpFault::no_type);
    CHECK(fault_of(message("\x35"s)) == DhcpFault::bad_option);
    CHECK(fault_of(message("\x35\x02\x01"s)) == DhcpFault::bad_option);
    CHECK(fault_of(message("\x35\x01\x01\x32\x03\x0A\x00\x02\xFF"s)) == DhcpFault::bad_option);
    CHECK(fault_of(message("\x34\x02\x01\x01\x35\x01\x01\xFF"s)) == DhcpFault::bad_option);
  }
}

TEST_CASE("an answer carries the client's identity and the server's options") {
  Bytes bytes = message("\x35\x01\x03\x52\x04\x01\x02zz\xFF"s);
  store_be16(&bytes[10], 0x8000);
  store_be32(&bytes[24], 0xC0A80001);
  const DhcpRequest request = parsed(bytes);
  DhcpReply reply;
  reply.type = DhcpType::ack;
  reply.yours = *parse_ipv4("10.0.2.15");
  reply.server = *parse_ipv4("10.0.2.2");
  reply.lease_seconds = 3600;
  reply.renew_seconds = 1800;
  reply.rebind_seconds = 3150;
  reply.mask = Ipv4Address(0xFFFFFF00);
  reply.routers = {*parse_ipv4("10.0.2.2")};
  reply.dns = {*parse_ipv4("10.0.2.3")};
  reply.host_name = "web";
  reply.domain = "lan";
  reply.mtu = 1500;
  const Bytes out = write_dhcp_reply(request, reply);
  CHECK(out.size() >= 300);
  CHECK(std::to_integer<int>(out[0]) == 2);
  CHECK(load_be32(&out[4]) == 0xCAFE0001);
  CHECK(load_be16(&out[10]) == 0x8000);
  CHECK(load_be32(&out[16]) == 0x0A00020F);
  CHECK(load_be32(&out[24]) == 0xC0A80001);
  CHECK(MacAddress::read(&out[28]) == request.mac);
  CHECK(option(out, 53) == "\x05"s);
  CHECK(option(out, 54) == "\x0A\x00\x02\x02"s);
  CHECK(option(out, 51) == "\x00\x00\x0E\x10"s);
  CHECK(option(out, 58) == "\x00\x00\x07\x08"s);
  CHECK(option(out, 59) == "\x00\x00\x0C\x4E"s);
  CHECK(option(out, 1) == "\xFF\xFF\xFF\x00"s);
  CHECK(option(out, 3) == "\x0A\x00\x02\x02"s);
  CHECK(option(out, 6) == "\x0A\x00\x02\x03"s);
  CHECK(option(out, 12) == "web");
  CHECK(option(out, 15) == "lan");
  CHECK(option(out, 26) == "\x05\xDC"s);
  CHECK(option(out, 82) == "\x01\x02zz"s);
}

TEST_CASE("search domains are written as DNS has them, as many as fit into one option") {
  const DhcpRequest request = parsed(message("\x35\x01\x03\xFF"s));
  DhcpReply reply;
  reply.search = {"lan", "eng.example"};
  CHECK(option(write_dhcp_reply(request, reply), 119) == "\x03lan\0\x03"s + "eng\x07" + "example\0"s);
  reply.search = {std::string(63, 'a') + "." + std::string(63, 'b') + "." + std::string(63, 'c'),
                  std::string(63, 'd') + ".e", "lan"};
  const auto some = option(write_dhcp_reply(request, reply), 119);
  REQUIRE(some);
  CHECK(some->size() == 193 + 5);
  CHECK(some->ends_with("\x03lan\0"s));
  reply.search.clear();
  CHECK_FALSE(option(write_dhcp_reply(request, reply), 119));
}

TEST_CASE("an answer leaves out what is not set, and what does not fit") {
  const DhcpRequest request = parsed(message("\x35\x01\x03\xFF"s));
  DhcpReply reply;
  reply.type = DhcpType::nak;
  reply.server = *parse_ipv4("10.0.2.2");
  reply.message = "not on this network";
  const Bytes nak = write_dhcp_reply(request, reply);
  CHECK(load_be32(&nak[16]) == 0);
  CHECK(option(nak, 56) == "not on this network");
  for (const int code : {1, 3, 6, 12, 15, 26, 51, 58, 59, 82})
    CHECK_FALSE(option(nak, static_cast<std::uint8_t>(code)));

  reply.host_name = std::string(255, 'h');
  reply.domain = std::string(255, 'd');
  const Bytes full = write_dhcp_reply(request, reply);
  CHECK(full.size() <= dhcp_reply_bytes);
  CHECK(option(full, 12));
  CHECK_FALSE(option(full, 15));
}

TEST_CASE("where to boot from is in the fixed fields, and in options for those that ask for them") {
  DhcpReply reply;
  reply.server = *parse_ipv4("10.0.2.2");
  const Bytes plain = write_dhcp_reply(parsed(message("\x35\x01\x01\xFF"s)), reply);
  CHECK(load_be32(&plain[20]) == 0);  // not the server itself: it may serve no files
  CHECK(std::all_of(plain.begin() + 108, plain.begin() + 236, [](std::byte byte) { return byte == std::byte{0}; }));

  reply.next_server = *parse_ipv4("10.0.2.9");
  reply.bootfile = "boot.ipxe";
  const Bytes boot = write_dhcp_reply(parsed(message("\x35\x01\x01\xFF"s)), reply);
  CHECK(load_be32(&boot[20]) == 0x0A000209);
  CHECK(std::string(reinterpret_cast<const char*>(&boot[108])) == "boot.ipxe");
  CHECK_FALSE(option(boot, 66));
  CHECK_FALSE(option(boot, 67));
  const Bytes asked = write_dhcp_reply(parsed(message("\x35\x01\x01\x37\x02\x42\x43\xFF"s)), reply);
  CHECK(load_be32(&asked[20]) == 0x0A000209);
  CHECK(std::string(reinterpret_cast<const char*>(&asked[108])) == "boot.ipxe");
  CHECK(option(asked, 66) == "10.0.2.9");
  CHECK(option(asked, 67) == "boot.ipxe");

  reply.bootfile = std::string(200, 'b');
  const Bytes cut = write_dhcp_reply(parsed(message("\x35\x01\x01\xFF"s)), reply);
  CHECK(std::string(reinterpret_cast<const char*>(&cut[108])).size() == 127);
  CHECK(load_be32(&cut[236]) == 0x63825363);
}

TEST_CASE("an answer is as long as the client says that it takes, and the MTU that it is told") {
  struct Row {
    unsigned client;  // option 57; 0: not said
    std::uint16_t mtu;
    std::size_t most;
  };
  const Row rows[] = {{0, 0, 548},       {0, 1500, 548},    {1, 1500, 548},      {576, 1500, 548},   {1000, 1500, 972},
                      {1500, 1500, 1472}, {1500, 0, 1472}, {65535, 1500, 1472}, {65535, 9000, 1472}, {1500, 1000, 972},
                      {1500, 576, 548}};
  for (const Row& row : rows) {
    CAPTURE(row.client, row.mtu);
    std::string options = "\x35\x01\x01"s;
    if (row.client > 0)
      options += "\x39\x02"s + static_cast<char>(row.client >> 8) + static_cast<char>(row.client & 255);
    const DhcpRequest request = parsed(message(options + "\xFF"s));
    CHECK(request.packet_bytes_max == row.client);
    DhcpReply reply;
    reply.mtu = row.mtu;
    for (unsigned code = 150; code < 200; ++code) reply.more.push_back({static_cast<std::uint8_t>(code), Bytes(30)});
    const Bytes out = write_dhcp_reply(request, reply);
    CHECK(out.size() <= row.most);
    CHECK(out.size() > row.most - 32);
  }
}

TEST_CASE("further options are told as they are, those that the client asked for first") {
  const DhcpRequest request = parsed(message("\x35\x01\x01\x37\x02\xFC\x2B\xFF"s));
  DhcpReply reply;
  reply.domain = "lan";
  reply.more = {{42, Bytes(100)}, {44, Bytes(100)}, {43, {std::byte{1}}}, {45, Bytes(100)}, {252, Bytes(100)}};
  const Bytes out = write_dhcp_reply(request, reply);
  CHECK(option(out, 43) == "\x01"s);
  CHECK(option(out, 252));
  CHECK(option(out, 42));
  CHECK_FALSE(option(out, 44));  // no room
  CHECK(option(out, 15) == "lan");
}

TEST_CASE("what another server answers is read, and nothing else is taken for it") {
  DhcpReply reply;
  reply.type = GENERATE(DhcpType::offer, DhcpType::ack, DhcpType::nak);
  reply.yours = *parse_ipv4("10.0.2.15");
  reply.server = *parse_ipv4("10.0.2.2");
  const Bytes sound = write_dhcp_reply(parsed(message("\x35\x01\x03\xFF"s)), reply);
  const auto seen = parse_dhcp_answer(sound);
  REQUIRE(seen);
  CHECK(seen->type == reply.type);
  CHECK(seen->yours == reply.yours);
  CHECK(seen->server == reply.server);
  CHECK_FALSE(parse_dhcp_answer({}));
  CHECK_FALSE(parse_dhcp_answer(Bytes(300)));
  CHECK_FALSE(parse_dhcp_answer(std::span(sound).first(239)));
  CHECK_FALSE(parse_dhcp_answer(message("\x35\x01\x03\xFF"s)));  // a client's
  Bytes other = sound;
  for (const int type : {0, 1, 3, 4, 7, 8, 9, 255}) {
    other[242] = static_cast<std::byte>(type);
    CHECK_FALSE(parse_dhcp_answer(other));
  }
}

}  // namespace dhcp_test
