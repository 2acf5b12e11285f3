// TFTP (RFC 1350) as far as a server needs it that files are read from, with the options blksize, tsize and timeout
// (RFC 2347, 2348, 2349): what clients send, read and checked, and what the server sends, written. Codec only; pure; any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lanyard {

inline constexpr std::uint16_t tftp_port = 69;
inline constexpr std::size_t tftp_header_bytes = 4;  // of a data message
inline constexpr std::size_t tftp_block_bytes = 512;  // where no other size is agreed on
inline constexpr std::size_t tftp_block_bytes_min = 8;

// As a file is sent: as it is, or as text of a terminal (RFC 764), with a line end as CR LF and any other CR
// as CR NUL. The third of the RFC, mail, is no more.
enum class TftpMode : std::uint8_t { other, octet, netascii };

struct TftpRead {
  std::string file;
  TftpMode mode = TftpMode::other;
  std::optional<std::size_t> block_bytes;
  std::optional<unsigned> timeout_s;
  bool wants_size = false;
};
struct TftpAck {
  std::uint16_t block = 0;
};
struct TftpStop {};   // the client has had enough
struct TftpWrite {};  // of a file, or of its data
struct TftpMalformed {};
using TftpRequest = std::variant<TftpMalformed, TftpRead, TftpWrite, TftpAck, TftpStop>;

// `message` is the payload of the UDP datagram. Options that are unknown or out of range are left out (RFC 2347).
[[nodiscard]] TftpRequest parse_tftp(std::span<const std::byte> message);

enum class TftpError : std::uint16_t { other = 0, not_found = 1, access = 2, illegal = 4 };

struct TftpOption {
  std::string_view name;
  std::uint64_t value;
};

[[nodiscard]] std::vector<std::byte> write_tftp_data(std::uint16_t block, std::span<const std::byte> bytes);
[[nodiscard]] std::vector<std::byte> write_tftp_options(std::span<const TftpOption> agreed);
[[nodiscard]] std::vector<std::byte> write_tftp_error(TftpError error, std::string_view text);

}  // namespace lanyard
