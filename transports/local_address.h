// The address of this host that a datagram came to. A socket that is bound to all of them answers from the one that
// the route chooses, which need not be the one that the peer spoke to and listens for: so the kernel is asked where
// each datagram came to (IP_PKTINFO, ip(7); IPV6_PKTINFO, RFC 3542), and told where to answer from. A socket that is
// bound to one address is asked nothing and told nothing.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstddef>

namespace lanyard {

struct LocalAddress {
  int family = AF_UNSPEC;  // none: as routed
  union {
    in_pktinfo v4;
    in6_pktinfo v6;
  };
  LocalAddress() : v6{} {}
  [[nodiscard]] bool is_set() const { return family != AF_UNSPEC; }
  friend bool operator==(const LocalAddress& a, const LocalAddress& b);
};

// Room for one in the control data of a message.
inline constexpr std::size_t local_address_control_bytes = CMSG_SPACE(sizeof(in6_pktinfo));

// Is it what the kernel says of where a datagram came to?
[[nodiscard]] inline bool is_local_address(const cmsghdr& control) {
  return (control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_PKTINFO) ||
         (control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_PKTINFO);
}
// From which to answer what came with `control`. REQUIRES: is_local_address(control).
[[nodiscard]] LocalAddress answering_address(const cmsghdr& control);

// Has `message` leave from `local`, behind what its control data says already. REQUIRES: it is set, and there is room.
void append_local_address(msghdr& message, const LocalAddress& local);

}  // namespace lanyard
