// Stations on streams and on datagram sockets; see station.h.
#include "bench/station.h"

#include <endian.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <vector>

#include "bench/datagrams.h"
#include "frames/limits.h"

namespace lanyard::bench {

namespace {

// Stream wire (QEMU, net/stream.c): a big-endian u32 length, then the frame.
class StreamStation final : public Station {
 public:
  StreamStation(Fd socket, MacAddress mac) : Station(mac), socket_(std::move(socket)), chunk_(chunk_bytes) {}

  bool send(const Burst& burst) override {
    const ssize_t sent = ::send(socket_.get(), burst.wire.data() + sent_, burst.wire.size() - sent_,
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return false;
      system_error("send");
    }
    sent_ += static_cast<std::size_t>(sent);
    if (sent_ < burst.wire.size()) return false;
    sent_ = 0;
    return true;
  }

  bool receive(Tally& tally) override {
    const ssize_t received =
        recv(socket_.get(), chunk_.data() + held_, limits::chunk_receive_bytes, MSG_DONTWAIT);
    if (received < 0) {
      if (errno == EAGAIN || errno == EINTR) return false;
      system_error("recv");
    }
    if (received == 0) failure("the program under test closed a connection");
    count_frames(held_ + static_cast<std::size_t>(received), tally);
    return true;
  }

  int fd() const override { return socket_.get(); }

 private:
  // A frame cut by the end of the chunk is kept in front of what comes next.
  static constexpr std::size_t chunk_bytes = limits::chunk_headroom_bytes + limits::chunk_receive_bytes;

  void count_frames(std::size_t bytes, Tally& tally) {
    std::span<const std::byte> rest(chunk_.data(), bytes);
    while (rest.size() >= limits::length_header_bytes) {
      std::uint32_t length;
      std::memcpy(&length, rest.data(), sizeof length);
      length = be32toh(length);
      if (length == 0 || length > limits::frame_bytes_max) failure("the framing of a stream was lost");
      if (rest.size() < limits::length_header_bytes + length) break;
      count_frame(rest.subspan(limits::length_header_bytes, length), mac(), tally);
      rest = rest.subspan(limits::length_header_bytes + length);
    }
    std::memmove(chunk_.data(), rest.data(), rest.size());
    held_ = rest.size();
  }

  Fd socket_;
  std::vector<std::byte> chunk_;
  std::size_t held_ = 0;  // bytes of an incomplete frame at the beginning of the chunk
  std::size_t sent_ = 0;  // bytes of the present burst
};

// Datagram wire: the bare frame. `group` is nullptr on a connected socket, which receives only what the
// program under test sends; no member of a multicast group can have that.
class DatagramStation final : public Station {
 public:
  DatagramStation(Fd socket, const SocketAddress* group, MacAddress mac, bool offload)
      : Station(mac), socket_(std::move(socket)), sender_(group, offload) {}

  bool send(const Burst& burst) override {
    sender_.send(socket_, burst.frames);  // what is refused shows as loss
    return true;
  }

  bool receive(Tally& tally) override {
    const auto datagrams = receiver_.receive(socket_, MSG_DONTWAIT);
    for (const std::span<std::byte>& datagram : datagrams) count_frame(datagram, mac(), tally);
    return !datagrams.empty();
  }

  int fd() const override { return socket_.get(); }

 private:
  Fd socket_;
  DatagramReceiver receiver_;
  DatagramSender sender_;
};

// One epoll instance for all: its descriptor is readable when any of them is.
class Crowd final : public Station {
 public:
  explicit Crowd(std::vector<std::unique_ptr<Station>> members)
      : Station(everybody), ready_(epoll_create1(EPOLL_CLOEXEC)) {
    for (auto& member : members) members_.push_back({std::move(member), 0});
    for (Member& member : members_) {
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &member}};
      if (epoll_ctl(ready_.get(), EPOLL_CTL_ADD, member.station->fd(), &event) != 0) system_error("epoll_ctl");
    }
  }

  bool send(const Burst&) override { failure("a crowd only receives"); }

  bool receive(Tally& tally) override {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(ready_.get(), events.data(), events.size(), 0);
    bool any = false;
    for (int i = 0; i < count; ++i) {
      Member& member = *static_cast<Member*>(events[i].data.ptr);
      const std::uint64_t before = tally.frames;
      any |= member.station->receive(tally);
      member.frames += tally.frames - before;
    }
    return any;
  }

  std::uint64_t passed(std::uint64_t) const override {
    std::uint64_t slowest = UINT64_MAX;
    for (const Member& member : members_) slowest = std::min(slowest, member.frames);
    return slowest * members_.size();
  }

  int fd() const override { return ready_.get(); }

 private:
  struct Member {
    std::unique_ptr<Station> station;
    std::uint64_t frames;  // measured ones, ever
  };

  std::deque<Member> members_;  // epoll has their addresses
  Fd ready_;
};

}  // namespace

std::unique_ptr<Station> make_station(const Endpoint& endpoint, MacAddress mac, bool offload) {
  switch (endpoint.type) {
    case EndpointType::unix_connect:
    case EndpointType::tcp_connect:
      return std::make_unique<StreamStation>(open_endpoint(endpoint), mac);
    case EndpointType::udp: {
      Fd socket = open_endpoint(endpoint);
      if (connect(socket.get(), endpoint.remote.get(), endpoint.remote.bytes) != 0)
        system_error(endpoint.place);
      return std::make_unique<DatagramStation>(std::move(socket), nullptr, mac, offload);
    }
    case EndpointType::mcast:
      return std::make_unique<DatagramStation>(open_endpoint(endpoint), &endpoint.remote, mac, offload);
    case EndpointType::vde:
      return make_vde_station(endpoint, mac);
    case EndpointType::unix_listen:
    case EndpointType::tcp_listen:
      break;
  }
  usage_error(endpoint.place + ": the load connects; it does not listen");
}

std::unique_ptr<Station> make_crowd(std::vector<std::unique_ptr<Station>> members) {
  return std::make_unique<Crowd>(std::move(members));
}

}  // namespace lanyard::bench
