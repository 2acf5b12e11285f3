// Reading and writing IP_PKTINFO and IPV6_PKTINFO; see the header.
#include "transports/local_address.h"

#include <cstring>

namespace lanyard {

bool operator==(const LocalAddress& a, const LocalAddress& b) {
  if (a.family != b.family) return false;
  if (a.family == AF_INET) return a.v4.ipi_spec_dst.s_addr == b.v4.ipi_spec_dst.s_addr;
  return std::memcmp(&a.v6, &b.v6, sizeof a.v6) == 0;
}

// Without an interface, so that the answer goes by the route: the peer may come in by one and be reached by another. A
// link-local address means nothing without its interface. `ipi_spec_dst` is an address of ours also where the datagram
// was a broadcast.
LocalAddress answering_address(const cmsghdr& control) {
  LocalAddress local;
  if (control.cmsg_level == IPPROTO_IP) {
    in_pktinfo came_to;
    std::memcpy(&came_to, CMSG_DATA(&control), sizeof came_to);
    local.family = AF_INET;
    local.v4.ipi_spec_dst = came_to.ipi_spec_dst;
    return local;
  }
  in6_pktinfo came_to;
  std::memcpy(&came_to, CMSG_DATA(&control), sizeof came_to);
  if (IN6_IS_ADDR_MULTICAST(&came_to.ipi6_addr)) return local;
  local.family = AF_INET6;
  local.v6.ipi6_addr = came_to.ipi6_addr;
  if (IN6_IS_ADDR_LINKLOCAL(&came_to.ipi6_addr)) local.v6.ipi6_ifindex = came_to.ipi6_ifindex;
  return local;
}

void append_local_address(msghdr& message, const LocalAddress& local) {
  const bool v4 = local.family == AF_INET;
  const std::size_t bytes = v4 ? sizeof local.v4 : sizeof local.v6;
  auto* header = reinterpret_cast<cmsghdr*>(static_cast<std::byte*>(message.msg_control) + message.msg_controllen);
  header->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  header->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
  header->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(header), &local.v6, bytes);
  message.msg_controllen += CMSG_SPACE(bytes);
}

}  // namespace lanyard
