// A frame on its way through one turn of the loop: a borrowed view of bytes that stay where the kernel put them.
//
// Ownership: a Frame owns nothing. The turn that received it keeps its buffer alive (see transports/inbox.h); whoever
// keeps the bytes longer, such as an egress queue, takes a reference on `owner`. Copying a Frame copies no bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lanyard {

class Buffer;

using PortIndex = std::uint32_t;  // index into the data plane's table of ports, below limits::ports_max
inline constexpr PortIndex no_port = 0xFFFFFFFFu;

struct Frame {
  std::byte* data = nullptr;   // first byte of the destination address
  Buffer* owner = nullptr;     // the buffer `data` lies in
  std::uint32_t bytes = 0;     // Ethernet header included, no FCS; 14 to 69632
  PortIndex ingress = no_port;
  bool length_header = false;  // the 4 bytes in front of `data` already hold `bytes`, big-endian (stream wire)
  bool no_headroom = false;    // they belong to another frame: one of several datagrams received in one piece
};

}  // namespace lanyard
