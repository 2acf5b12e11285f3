// Whose process a connection comes from; see the header.
#include "switchd/http/peer_user.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>

#include "transports/fd.h"

namespace lanyard::http {

namespace {

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 socket;
};

void put_address(const SocketAddress& address, __be16& port, __be32 (&words)[4]) {
  if (address.family() == AF_INET) {
    port = address.v4.sin_port;
    words[0] = address.v4.sin_addr.s_addr;
  } else {
    port = address.v6.sin6_port;
    std::memcpy(words, &address.v6.sin6_addr, sizeof words);
  }
}

Question question(const SocketAddress& peer, const SocketAddress& local) {
  Question asked{};
  asked.header.nlmsg_len = sizeof asked;
  asked.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  asked.header.nlmsg_flags = NLM_F_REQUEST;
  asked.socket.sdiag_family = static_cast<std::uint8_t>(peer.family());
  asked.socket.sdiag_protocol = IPPROTO_TCP;
  asked.socket.idiag_states = ~0U;
  put_address(peer, asked.socket.id.idiag_sport, asked.socket.id.idiag_src);
  put_address(local, asked.socket.id.idiag_dport, asked.socket.id.idiag_dst);
  asked.socket.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
  asked.socket.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  return asked;
}

[[noreturn]] void fail() { throw std::system_error(errno, std::generic_category(), "sock_diag"); }

}  // namespace

// The kernel answers while it is asked: the answer is there when send() returns.
std::optional<uid_t> user_of_peer(const SocketAddress& peer, const SocketAddress& local) {
  const Fd netlink(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  const Question asked = question(peer, local);
  if (!netlink || ::send(netlink.get(), &asked, sizeof asked, 0) < 0) fail();
  alignas(nlmsghdr) char bytes[4096];
  const ssize_t got = ::recv(netlink.get(), bytes, sizeof bytes, 0);
  if (got < 0) fail();
  if (static_cast<std::size_t>(got) < sizeof(nlmsghdr)) return std::nullopt;
  nlmsghdr header;
  std::memcpy(&header, bytes, sizeof header);
  inet_diag_msg found{};
  const bool is_socket = header.nlmsg_type == SOCK_DIAG_BY_FAMILY;
  if (!is_socket || static_cast<std::size_t>(got) < NLMSG_HDRLEN + sizeof found) return std::nullopt;
  std::memcpy(&found, bytes + NLMSG_HDRLEN, sizeof found);
  // Where the connection has gone, a socket that listens at that address is an answer, too; and one that was closed is
  // there for a while yet, without an inode, and after a moment as root's.
  const bool is_it = std::memcmp(&found.id, &asked.socket.id, offsetof(inet_diag_sockid, idiag_if)) == 0;
  if (!is_it || found.idiag_inode == 0) return std::nullopt;
  return found.idiag_uid;
}

}  // namespace lanyard::http
