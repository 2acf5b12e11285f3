// A checked, read-only view of an Ethernet header and its VLAN tags: what the policies and decoders may know
// of a frame without touching bytes themselves.
//
//   destination 6 | source 6 | up to two tags of 4: TPID 2, TCI 2 | EtherType or length 2 | payload
//
// Sources: IEEE 802.3-2018, 3.2 (addresses, length/type); IEEE 802.1Q-2018, 9.4-9.6 (tags; the S-TAG came
// with 802.1ad). Numbers are big-endian on the wire. parse() reads each byte of the header once and keeps the
// values, so what it returns stays true even where a guest may change the memory meanwhile. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "frames/mac_address.h"

namespace lanyard {

namespace ether_types {
inline constexpr std::uint16_t ipv4 = 0x0800;
inline constexpr std::uint16_t arp = 0x0806;
inline constexpr std::uint16_t c_tag = 0x8100;  // 802.1Q customer tag
inline constexpr std::uint16_t ipv6 = 0x86DD;
inline constexpr std::uint16_t s_tag = 0x88A8;    // 802.1ad service tag
inline constexpr std::uint16_t minimum = 0x0600;  // below: a length in bytes (802.3, 3.2.6)
}  // namespace ether_types

struct VlanTag {
  std::uint16_t tpid = 0;  // ether_types::c_tag or s_tag
  std::uint16_t tci = 0;
  // The VLAN, 0 to 4095: 0 means a priority and no VLAN, 4095 is reserved.
  [[nodiscard]] constexpr std::uint16_t id() const { return tci & 0x0FFF; }
  // Drop eligible: to be dropped before others.
  [[nodiscard]] constexpr bool dei() const { return (tci & 0x1000) != 0; }
  // Priority code point, 0 to 7.
  [[nodiscard]] constexpr std::uint8_t pcp() const { return static_cast<std::uint8_t>(tci >> 13); }
  friend constexpr bool operator==(VlanTag, VlanTag) = default;
};

class EthernetView {
 public:
  static constexpr std::size_t tags_max = 2;

  // Nothing when the frame ends before its header does, a tag included. A third tag is left to the payload:
  // then ether_type() is its TPID. `frame` must outlive uses of payload().
  [[nodiscard]] static std::optional<EthernetView> parse(std::span<const std::byte> frame);

  [[nodiscard]] MacAddress destination() const { return destination_; }
  [[nodiscard]] MacAddress source() const { return source_; }
  // The tags, outermost first; valid as long as this view.
  [[nodiscard]] std::span<const VlanTag> tags() const { return {tags_.data(), tag_count_}; }
  // After the tags. Below ether_types::minimum it is the payload's length of an IEEE 802.3 frame (LLC).
  [[nodiscard]] std::uint16_t ether_type() const { return ether_type_; }
  // Up to and including the EtherType: 14, 18 or 22.
  [[nodiscard]] std::size_t header_bytes() const { return 14 + 4 * tag_count_; }
  // All that follows the header, padding included.
  [[nodiscard]] std::span<const std::byte> payload() const { return payload_; }

 private:
  EthernetView() = default;

  MacAddress destination_;
  MacAddress source_;
  std::array<VlanTag, tags_max> tags_{};
  std::size_t tag_count_ = 0;
  std::uint16_t ether_type_ = 0;
  std::span<const std::byte> payload_;
};

}  // namespace lanyard
