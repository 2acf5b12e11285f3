// Statistics of an interface; see the header.
#include "transports/interface_statistics.h"

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace lanyard {

namespace {

struct Request {
  nlmsghdr header;
  if_stats_msg body;
};

// One message, or the first of several: a request for one interface has one answer.
[[nodiscard]] std::optional<rtnl_link_stats64> read_answer(std::span<const std::byte> answer) {
  nlmsghdr header;
  if (answer.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, answer.data(), sizeof header);
  if (header.nlmsg_type != RTM_NEWSTATS || header.nlmsg_len > answer.size()) return std::nullopt;
  constexpr std::size_t head_bytes = NLMSG_LENGTH(sizeof(if_stats_msg));
  if (header.nlmsg_len < head_bytes) return std::nullopt;
  answer = answer.subspan(head_bytes, header.nlmsg_len - head_bytes);
  while (answer.size() >= sizeof(rtattr)) {
    rtattr attribute;
    std::memcpy(&attribute, answer.data(), sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > answer.size()) return std::nullopt;
    const std::span<const std::byte> value = answer.subspan(RTA_LENGTH(0), attribute.rta_len - RTA_LENGTH(0));
    rtnl_link_stats64 stats{};
    // Later kernels have more fields behind these.
    if (attribute.rta_type == IFLA_STATS_LINK_64 && value.size() >= offsetof(rtnl_link_stats64, multicast)) {
      std::memcpy(&stats, value.data(), std::min(value.size(), sizeof stats));
      return stats;
    }
    answer = answer.subspan(std::min<std::size_t>(RTA_ALIGN(attribute.rta_len), answer.size()));
  }
  return std::nullopt;
}

}  // namespace

InterfaceStatistics::InterfaceStatistics(const std::string& interface)
    : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE)),
      index_(static_cast<int>(::if_nametoindex(interface.c_str()))) {}

std::optional<std::uint64_t> InterfaceStatistics::tx_dropped() const {
  if (!fd_ || index_ == 0) return std::nullopt;
  Request request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETSTATS;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.body.ifindex = static_cast<std::uint32_t>(index_);
  request.body.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
  if (::send(fd_.get(), &request, sizeof request, 0) != static_cast<ssize_t>(sizeof request)) return std::nullopt;
  std::array<std::byte, 1024> answer;  // it is there when send has returned
  const ssize_t got = ::recv(fd_.get(), answer.data(), answer.size(), 0);
  if (got < 0) return std::nullopt;
  const auto stats = read_answer(std::span(answer).first(static_cast<std::size_t>(got)));
  return stats ? std::optional<std::uint64_t>(stats->tx_dropped) : std::nullopt;
}

}  // namespace lanyard
