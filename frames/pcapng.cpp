// The pcapng encoder; see the header. Numbers of blocks and options: draft-ietf-opsawg-pcapng, sections 3.5 and 4.
#include "frames/pcapng.h"

#include <cstring>
#include <type_traits>

#include "frames/utf8.h"

namespace lanyard::pcapng {
namespace {

constexpr std::uint32_t section_block = 0x0A0D0D0A, interface_block = 1, packet_block = 6;
constexpr std::uint32_t byte_order_magic = 0x1A2B3C4D;
constexpr std::uint16_t link_type_ethernet = 1;

enum Option : std::uint16_t { end = 0, comment = 1, if_name = 2, epb_flags = 2, user_application = 4, if_tsresol = 9 };

template <class Number>
void put(std::string& out, Number value) {
  static_assert(std::is_integral_v<Number>);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

void pad(std::string& out, std::size_t bytes) { out.append((4 - bytes % 4) % 4, '\0'); }

void put_option(std::string& out, Option code, std::string_view value) {
  value = cut_text(value, text_bytes_max);
  put(out, static_cast<std::uint16_t>(code));
  put(out, static_cast<std::uint16_t>(value.size()));
  out.append(value);
  pad(out, value.size());
}

// Writes a block's head when it comes and its lengths when it goes.
class Block {
 public:
  Block(std::string& out, std::uint32_t type) : out_(out), begin_(out.size()) {
    put(out, type);
    put(out, std::uint32_t{0});
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    const auto bytes = static_cast<std::uint32_t>(out_.size() - begin_ + sizeof(std::uint32_t));
    put(out_, bytes);
    std::memcpy(out_.data() + begin_ + sizeof(std::uint32_t), &bytes, sizeof bytes);
  }

 private:
  std::string& out_;
  std::size_t begin_;
};

}  // namespace

void write_section(std::string& out, std::string_view application) {
  const Block block(out, section_block);
  put(out, byte_order_magic);
  put(out, std::uint16_t{1});  // version 1.0
  put(out, std::uint16_t{0});
  put(out, std::int64_t{-1});  // the section's length is not known
  put_option(out, Option::user_application, application);
  put_option(out, Option::end, {});
}

void write_interface(std::string& out, std::string_view name, std::uint32_t snap_bytes) {
  const Block block(out, interface_block);
  put(out, link_type_ethernet);
  put(out, std::uint16_t{0});
  put(out, snap_bytes);
  put_option(out, Option::if_name, name);
  put_option(out, Option::if_tsresol, "\x09");  // 10 to the power of -9 s
  put_option(out, Option::end, {});
}

void write_packet(std::string& out, const Packet& packet) {
  const Block block(out, packet_block);
  put(out, packet.interface);
  put(out, static_cast<std::uint32_t>(packet.unix_ns >> 32));
  put(out, static_cast<std::uint32_t>(packet.unix_ns));
  put(out, static_cast<std::uint32_t>(packet.bytes.size()));
  put(out, packet.original_bytes);
  out.append(reinterpret_cast<const char*>(packet.bytes.data()), packet.bytes.size());
  pad(out, packet.bytes.size());
  if (packet.direction == Direction::unknown && packet.comment.empty()) return;
  const auto direction = static_cast<std::uint32_t>(packet.direction);
  char flags[sizeof direction];
  std::memcpy(flags, &direction, sizeof direction);
  put_option(out, Option::epb_flags, {flags, sizeof flags});
  if (!packet.comment.empty()) put_option(out, Option::comment, packet.comment);
  put_option(out, Option::end, {});
}

}  // namespace lanyard::pcapng
