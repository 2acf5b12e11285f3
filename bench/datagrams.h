// Datagrams in batches, shared by the pump and the load: up to 64 received by one recvmmsg, and sent by one
// sendmmsg in which every run of equal sizes is a single message with UDP_SEGMENT (segmentation offload,
// Linux 4.18).
//
// Offload is refused with EMSGSIZE where a segment does not fit the route's MTU (a 1514-byte frame and its
// headers on an MTU of 1500), while a plain send is fragmented: a sender that was refused once sends plainly
// from then on.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/endpoint.h"
#include "frames/limits.h"

namespace lanyard::bench {

inline constexpr std::size_t datagrams_per_call = limits::datagrams_per_receive;

class DatagramReceiver {
 public:
  DatagramReceiver();
  // What is there, at most 64; waits for the first unless `flags` has MSG_DONTWAIT. The views hold until the
  // next call. Empty datagrams are left out: one of them, passed on, would end a QEMU's reception for good.
  [[nodiscard]] std::span<const std::span<std::byte>> receive(const Fd& socket, int flags);

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::array<iovec, datagrams_per_call> iovecs_;
  std::array<mmsghdr, datagrams_per_call> messages_;
  std::array<std::span<std::byte>, datagrams_per_call> received_;
};

class DatagramSender {
 public:
  // `to` is nullptr on a connected socket, and else outlives the sender.
  DatagramSender(const SocketAddress* to, bool offload) : to_(to), offload_(offload) {}

  // Sends all of them, none empty, waiting for room where the socket is blocking. Returns how many were
  // refused.
  std::size_t send(const Fd& socket, std::span<const std::span<std::byte>> datagrams);

 private:
  struct Control {
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
  };
  [[nodiscard]] std::size_t run_length(std::span<const std::span<std::byte>> datagrams) const;
  void prepare(std::span<const std::span<std::byte>> datagrams);

  const SocketAddress* to_;
  bool offload_;
  std::vector<iovec> iovecs_;
  std::vector<mmsghdr> messages_;
  std::vector<Control> controls_;
};

}  // namespace lanyard::bench
