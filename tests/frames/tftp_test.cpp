// TFTP messages: what clients send, well-formed and not, and what the server's look like.
#include "frames/tftp.h"

#include <array>
#include <catch2/catch.hpp>

namespace tftp_test {

using namespace lanyard;
using namespace std::string_literals;

namespace {

TftpRequest parsed(const std::string& text) { return parse_tftp(std::as_bytes(std::span(text))); }

TftpRead read_of(const std::string& text) {
  const TftpRequest request = parsed(text);
  REQUIRE(std::holds_alternative<TftpRead>(request));
  return std::get<TftpRead>(request);
}

std::string to_text(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("a request to read names a file, its mode and options") {
  const TftpRead plain = read_of("\0\1boot/linux\0octet\0"s);
  CHECK(plain.file == "boot/linux");
  CHECK(plain.mode == TftpMode::octet);
  CHECK_FALSE(plain.block_bytes);
  CHECK_FALSE(plain.timeout_s);
  CHECK_FALSE(plain.wants_size);
  const TftpRead full = read_of("\0\1a\0OcTeT\0BlkSize\0001432\0tsize\0000\0timeout\0005\0multicast\0\0"s);
  CHECK(full.mode == TftpMode::octet);
  CHECK(full.block_bytes == 1432U);
  CHECK(full.timeout_s == 5U);
  CHECK(full.wants_size);
  CHECK(read_of("\0\1a\0netascii\0"s).mode == TftpMode::netascii);
  CHECK(read_of("\0\1a\0NetASCII\0"s).mode == TftpMode::netascii);
  CHECK(read_of("\0\1a\0mail\0"s).mode == TftpMode::other);
}

TEST_CASE("options that are out of range, or cut, are left out") {
  for (const char* size : {"7", "65465", "0", "-1", "1432x", "", "99999999999999999999"}) {
    CAPTURE(size);
    CHECK_FALSE(read_of("\0\1a\0octet\0blksize\0"s + size + "\0"s).block_bytes);
  }
  CHECK(read_of("\0\1a\0octet\0blksize\0008\0"s).block_bytes == 8U);
  CHECK(read_of("\0\1a\0octet\0blksize\00065464\0"s).block_bytes == 65464U);
  for (const char* seconds : {"0", "256", ""}) CHECK_FALSE(read_of("\0\1a\0octet\0timeout\0"s + seconds + "\0"s).timeout_s);
  CHECK_FALSE(read_of("\0\1a\0octet\0blksize\000512"s).block_bytes);
  CHECK_FALSE(read_of("\0\1a\0octet\0tsize"s).wants_size);
}

TEST_CASE("other messages are told apart, and what is none of them is malformed") {
  const TftpRequest ack = parsed("\0\4\x12\x34"s);
  REQUIRE(std::holds_alternative<TftpAck>(ack));
  CHECK(std::get<TftpAck>(ack).block == 0x1234);
  CHECK(std::holds_alternative<TftpStop>(parsed("\0\5\0\0why\0"s)));
  CHECK(std::holds_alternative<TftpWrite>(parsed("\0\2a\0octet\0"s)));
  CHECK(std::holds_alternative<TftpWrite>(parsed("\0\3\0\1abc"s)));
  for (const std::string& text : {""s, "\0\4\0"s, "\0\0\0\0"s, "\0\6\0\0"s, "\0\7\0\0"s, "\1\1a\0octet\0"s, "\0\1\0octet\0"s,
                                  "\0\1a\0octet"s, "\0\1abc"s, "\0\1a\0"s}) {
    CAPTURE(text);
    CHECK(std::holds_alternative<TftpMalformed>(parsed(text)));
  }
}

TEST_CASE("what the server sends is as RFC 1350 and RFC 2347 have it") {
  const std::string content = "abc";
  CHECK(to_text(write_tftp_data(0x0102, std::as_bytes(std::span(content)))) == "\0\3\1\2abc"s);
  CHECK(to_text(write_tftp_data(7, {})) == "\0\3\0\7"s);
  CHECK(to_text(write_tftp_error(TftpError::not_found, "no such file")) == "\0\5\0\1no such file\0"s);
  const std::array agreed{TftpOption{"blksize", 1432}, TftpOption{"tsize", 5'000'000'000}};
  CHECK(to_text(write_tftp_options(agreed)) == "\0\6blksize\0001432\0tsize\0005000000000\0"s);
}

}  // namespace tftp_test
