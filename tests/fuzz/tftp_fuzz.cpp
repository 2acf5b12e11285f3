// Feeds the TFTP parser arbitrary bytes: what it takes for a request to read is within bounds, and what is written back
// for it is no request of a client.
#include <array>
#include <cstdint>

#include "frames/check.h"
#include "frames/tftp.h"

using namespace lanyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> message(reinterpret_cast<const std::byte*>(data), size);
  const TftpRequest request = parse_tftp(message);
  const auto* read = std::get_if<TftpRead>(&request);
  if (read == nullptr) return 0;
  LANYARD_CHECK(!read->file.empty() && read->file.size() < size && read->file.find('\0') == std::string::npos);
  LANYARD_CHECK(!read->block_bytes || (*read->block_bytes >= tftp_block_bytes_min && *read->block_bytes <= 65464));
  LANYARD_CHECK(!read->timeout_s || (*read->timeout_s >= 1 && *read->timeout_s <= 255));
  const std::array agreed{TftpOption{"blksize", read->block_bytes.value_or(tftp_block_bytes)}};
  LANYARD_CHECK(std::holds_alternative<TftpMalformed>(parse_tftp(write_tftp_options(agreed))));
  LANYARD_CHECK(std::holds_alternative<TftpStop>(parse_tftp(write_tftp_error(TftpError::not_found, read->file))));
  LANYARD_CHECK(std::holds_alternative<TftpWrite>(parse_tftp(write_tftp_data(1, message))));
  return 0;
}
