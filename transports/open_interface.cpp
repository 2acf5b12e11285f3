// Opening TAPs and packet sockets.
#include "transports/open_interface.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "frames/check.h"
#include "transports/socket_options.h"

namespace lanyard {

namespace {

[[nodiscard]] OpenError failed(const std::string& doing, const std::string& advice = "") {
  const int error = errno;
  return {doing + ": " + std::strerror(error) + (advice.empty() ? "" : "; " + advice), error};
}

[[nodiscard]] ifreq request_for(const std::string& interface) {
  ifreq request{};
  LANYARD_CHECK(interface.size() < sizeof request.ifr_name);
  std::memcpy(request.ifr_name, interface.data(), interface.size());
  return request;
}

// What TUNSETIFF says of a TAP that it does not give (tun_set_iff, drivers/net/tun.c).
[[nodiscard]] std::string tap_advice(int error, const std::string& interface) {
  const std::string make = "ip tuntap add " + interface + " mode tap user $USER";
  switch (error) {
    case EPERM:
    case EACCES: return "this user may not; have root make the TAP for it: " + make;
    case EBUSY: return "another process uses this TAP";
    case EINVAL: return "the interface exists and is no TAP with a single queue; make one of another name: " + make;
    default: return "";
  }
}

[[nodiscard]] std::string own_path() {
  std::array<char, 4096> path;
  const ssize_t bytes = ::readlink("/proc/self/exe", path.data(), path.size());
  return bytes > 0 ? std::string(path.data(), static_cast<std::size_t>(bytes)) : "switchd";
}

}  // namespace

Opened<Fd> open_tap(const std::string& interface, MissingTap missing) {
  const std::string doing = "cannot open TAP " + interface;
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    const bool no_driver = errno == ENOENT || errno == ENODEV || errno == ENXIO;
    return failed(doing + ": /dev/net/tun", no_driver ? "this kernel has no TAPs until root says: modprobe tun"
                                                      : tap_advice(errno, interface));
  }
  const bool is_there = ::if_nametoindex(interface.c_str()) != 0;
  if (!is_there && missing == MissingTap::is_an_error) return OpenError{doing + ": there is no such interface", ENODEV};
  ifreq request = request_for(interface);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(fd.get(), TUNSETIFF, &request) == 0) return fd;
  if (!is_there && (errno == EPERM || errno == EACCES))
    return OpenError{failed(doing, "there is none, and " + tap_advice(errno, interface)).what, ENODEV};
  return failed(doing, tap_advice(errno, interface));
}

Opened<PacketSocket> open_packet_socket(const std::string& interface) {
  const std::string doing = "cannot open a packet socket on " + interface;
  PacketSocket opened;
  // Of no protocol: until it is bound it would hear every interface.
  opened.fd = Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!opened.fd && (errno == EPERM || errno == EACCES))
    return failed(doing, "the capability CAP_NET_RAW is missing: have root say: setcap cap_net_raw+ep " + own_path() +
                             "; or start it in a network namespace of its own");
  if (!opened.fd) return failed(doing);

  ifreq request = request_for(interface);
  if (::ioctl(opened.fd.get(), SIOCGIFINDEX, &request) != 0) return failed(doing);
  const int index = request.ifr_ifindex;
  if (::ioctl(opened.fd.get(), SIOCGIFHWADDR, &request) != 0) return failed(doing);
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER) return OpenError{doing + ": it is no Ethernet interface", EINVAL};
  if (::ioctl(opened.fd.get(), SIOCGIFFLAGS, &request) != 0) return failed(doing);
  if ((request.ifr_flags & IFF_UP) == 0)
    return OpenError{doing + ": the interface is down; have root say: ip link set " + interface + " up", ENETDOWN};
  if (::ioctl(opened.fd.get(), SIOCGIFMTU, &request) != 0) return failed(doing);
  constexpr std::size_t header_bytes = 14, tag_bytes = 4;
  opened.frame_bytes_max = static_cast<std::size_t>(request.ifr_mtu) + header_bytes + tag_bytes;

  enlarge_buffers(opened.fd);
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = index;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  if (!set_option(opened.fd, SOL_PACKET, PACKET_AUXDATA, 1) ||
      !set_option(opened.fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, promiscuous) ||
      ::bind(opened.fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return failed(doing);
  return opened;
}

}  // namespace lanyard
