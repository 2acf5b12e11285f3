// Reading and writing TFTP messages; see the header.
#include "frames/tftp.h"

#include <algorithm>
#include <charconv>

#include "frames/bytes.h"

namespace lanyard {

namespace {

constexpr std::uint16_t read_request = 1, write_request = 2, data = 3, acknowledgement = 4, error_message = 5,
                        options_acknowledgement = 6;
constexpr std::size_t block_bytes_most = 65464;  // RFC 2348
constexpr unsigned timeout_s_most = 255;         // RFC 2349

using Bytes = std::vector<std::byte>;

// The text up to the next zero byte, which is taken, too; nothing where there is none.
std::optional<std::string_view> take_text(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

bool is_word(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(), [](char given, char wanted) {
    return (given >= 'A' && given <= 'Z' ? static_cast<char>(given - 'A' + 'a') : given) == wanted;
  });
}

template <typename Number>
std::optional<Number> number_in(std::string_view text, Number least, Number most) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && number >= least && number <= most ? std::optional(number) : std::nullopt;
}

TftpRequest parse_read(std::string_view rest) {
  const auto file = take_text(rest);
  const auto mode = file ? take_text(rest) : std::nullopt;
  if (!mode || file->empty()) return TftpMalformed{};
  TftpRead read;
  read.file = *file;
  read.mode = is_word(*mode, "octet")      ? TftpMode::octet
              : is_word(*mode, "netascii") ? TftpMode::netascii
                                           : TftpMode::other;
  while (!rest.empty()) {
    const auto name = take_text(rest);
    const auto value = name ? take_text(rest) : std::nullopt;
    if (!value) break;  // some clients send rubbish behind
    if (is_word(*name, "blksize")) read.block_bytes = number_in(*value, tftp_block_bytes_min, block_bytes_most);
    else if (is_word(*name, "timeout")) read.timeout_s = number_in(*value, 1U, timeout_s_most);
    else if (is_word(*name, "tsize")) read.wants_size = true;
  }
  return read;
}

Bytes begin_message(std::uint16_t kind) {
  Bytes message(2);
  store_be16(message.data(), kind);
  return message;
}

void add_text(Bytes& message, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  message.insert(message.end(), bytes.begin(), bytes.end());
  message.push_back(std::byte{0});
}

void add_number(Bytes& message, std::uint16_t number) {
  message.resize(message.size() + 2);
  store_be16(&message[message.size() - 2], number);
}

}  // namespace

TftpRequest parse_tftp(std::span<const std::byte> message) {
  if (message.size() < 4) return TftpMalformed{};
  switch (load_be16(message.data())) {
    case read_request:
      return parse_read({reinterpret_cast<const char*>(message.data()) + 2, message.size() - 2});
    case write_request:
    case data: return TftpWrite{};
    case acknowledgement: return TftpAck{load_be16(&message[2])};
    case error_message: return TftpStop{};
    default: return TftpMalformed{};
  }
}

std::vector<std::byte> write_tftp_data(std::uint16_t block, std::span<const std::byte> bytes) {
  Bytes message = begin_message(data);
  message.reserve(tftp_header_bytes + bytes.size());
  add_number(message, block);
  message.insert(message.end(), bytes.begin(), bytes.end());
  return message;
}

std::vector<std::byte> write_tftp_options(std::span<const TftpOption> agreed) {
  Bytes message = begin_message(options_acknowledgement);
  for (const TftpOption& option : agreed) {
    add_text(message, option.name);
    add_text(message, std::to_string(option.value));
  }
  return message;
}

std::vector<std::byte> write_tftp_error(TftpError error, std::string_view text) {
  Bytes message = begin_message(error_message);
  add_number(message, static_cast<std::uint16_t>(error));
  add_text(message, text);
  return message;
}

}  // namespace lanyard
