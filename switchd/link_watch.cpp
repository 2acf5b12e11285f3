// Reading rtnetlink; see the header.
#include "switchd/link_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "transports/fd.h"

namespace lanyard {

namespace {

constexpr std::chrono::milliseconds rest_time{50};
constexpr std::size_t netlink_message_bytes_max = 32768;  // what one datagram of the kernel's may have (NLMSG_GOODSIZE)

}  // namespace

std::set<unsigned> links_gone(std::span<const std::byte> messages) {
  std::set<unsigned> gone;
  while (messages.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, messages.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > messages.size()) break;
    if (header.nlmsg_type == RTM_DELLINK && header.nlmsg_len >= NLMSG_LENGTH(sizeof(ifinfomsg))) {
      ifinfomsg link;
      std::memcpy(&link, messages.data() + NLMSG_HDRLEN, sizeof link);
      // A bridge tells so of those that leave it, too.
      if (link.ifi_family == AF_UNSPEC) gone.insert(static_cast<unsigned>(link.ifi_index));
    }
    messages = messages.subspan(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), messages.size()));
  }
  return gone;
}

std::string LinkWatch::begin(Changed changed) {
  changed_ = std::move(changed);
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::string("changes of interfaces will not be seen: ") + std::strerror(errno);
  socket_.assign(fd.release());
  await_messages();
  return {};
}

void LinkWatch::close() {
  asio::error_code ignored;
  rest_.cancel();
  socket_.close(ignored);
}

void LinkWatch::await_messages() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
    if (error) return;
    read_messages();
    await_messages();
  });
}

// ENOBUFS: more came than the socket holds, and some are lost. That something changed is known all the same.
void LinkWatch::read_messages() {
  alignas(nlmsghdr) std::array<std::byte, netlink_message_bytes_max> buffer;
  while (true) {
    sockaddr_nl from{};
    socklen_t length = sizeof from;
    const ssize_t got = ::recvfrom(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                   reinterpret_cast<sockaddr*>(&from), &length);
    if (got < 0 && errno != ENOBUFS) return;
    if (got >= 0 && from.nl_pid != 0) continue;  // not the kernel
    if (got > 0) gone_.merge(links_gone(std::span(buffer).first(static_cast<std::size_t>(got))));
    tell_soon();
  }
}

void LinkWatch::tell_soon() {
  if (std::exchange(is_resting_, true)) return;
  rest_.expires_after(rest_time);
  rest_.async_wait([this](const asio::error_code& cancelled) {
    is_resting_ = false;
    if (!cancelled) changed_(std::exchange(gone_, {}));
  });
}

}  // namespace lanyard
