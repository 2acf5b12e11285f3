// Writes pcapng (draft-ietf-opsawg-pcapng), what Wireshark and its kin read: one section, an interface for each port,
// an enhanced packet block for each frame. Encoder only; pure; any thread.
//
//   section header   byte-order magic, version 1.0, of no stated length | application
//   interface        LINKTYPE_ETHERNET, snap length                     | name, stamps are nanoseconds
//   packet           interface, stamp, captured and original length     | bytes | direction, a comment
//
// Blocks are of the byte order of this machine, which the magic tells. A block is 4-byte aligned and bears its length
// at both ends; behind its fixed fields come options, {code, length, value} each, up to one of code 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lanyard::pcapng {

inline constexpr std::size_t text_bytes_max = 1024;  // of a name or comment; what is longer is cut

enum class Direction : std::uint8_t { unknown, inbound, outbound };  // as epb_flags has them

struct Packet {
  std::uint32_t interface = 0;       // number of its block in the section, from 0
  std::uint64_t unix_ns = 0;
  std::span<const std::byte> bytes;  // what was captured of it
  std::uint32_t original_bytes = 0;
  Direction direction = Direction::unknown;
  std::string_view comment{};        // none where empty
};

// Each appends one block to `out`.
void write_section(std::string& out, std::string_view application);
void write_interface(std::string& out, std::string_view name, std::uint32_t snap_bytes);  // 0: whole frames
void write_packet(std::string& out, const Packet& packet);

}  // namespace lanyard::pcapng
