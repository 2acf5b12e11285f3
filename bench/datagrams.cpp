// Batches of datagrams; see datagrams.h.
#include "bench/datagrams.h"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <cstring>

namespace lanyard::bench {

DatagramReceiver::DatagramReceiver()
    : memory_(new std::byte[limits::slot_bytes * datagrams_per_call]), iovecs_{}, messages_{} {
  for (std::size_t i = 0; i < datagrams_per_call; ++i) {
    iovecs_[i] = {memory_.get() + i * limits::slot_bytes, limits::slot_bytes};
    messages_[i].msg_hdr.msg_iov = &iovecs_[i];
    messages_[i].msg_hdr.msg_iovlen = 1;
  }
}

std::span<const std::span<std::byte>> DatagramReceiver::receive(const Fd& socket, int flags) {
  const int count =
      recvmmsg(socket.get(), messages_.data(), datagrams_per_call, flags | MSG_WAITFORONE, nullptr);
  if (count < 0) {
    // ECONNREFUSED: an earlier send of a connected socket met nobody; the next receive may well succeed.
    if (errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED) return {};
    system_error("recvmmsg");
  }
  std::size_t received = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    if (messages_[i].msg_len > 0)
      received_[received++] = {static_cast<std::byte*>(iovecs_[i].iov_base), messages_[i].msg_len};
  return {received_.data(), received};
}

std::size_t DatagramSender::send(const Fd& socket, std::span<const std::span<std::byte>> datagrams) {
  std::size_t refused = 0;
  prepare(datagrams);
  std::size_t done = 0;
  std::size_t datagrams_done = 0;
  while (done < messages_.size()) {
    const auto left = static_cast<unsigned>(messages_.size() - done);
    const int sent = sendmmsg(socket.get(), &messages_[done], left, 0);
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) datagrams_done += messages_[done++].msg_hdr.msg_iovlen;
      continue;
    }
    const std::size_t run = messages_[done].msg_hdr.msg_iovlen;
    if (run > 1 && (errno == EMSGSIZE || errno == EINVAL || errno == EIO)) {
      offload_ = false;
      datagrams = datagrams.subspan(datagrams_done);
      prepare(datagrams);
      done = datagrams_done = 0;
    } else if (errno != EINTR) {  // such as ECONNREFUSED, ENOBUFS: this one is lost, as datagrams may be
      refused += run;
      datagrams_done += run;
      ++done;
    }
  }
  return refused;
}

// How many datagrams at the front can leave as one message: equal sizes, together within one UDP payload.
std::size_t DatagramSender::run_length(std::span<const std::span<std::byte>> datagrams) const {
  if (!offload_) return 1;
  const std::size_t bytes = datagrams.front().size();
  const std::size_t most = std::min(limits::gso_segments_max, limits::udp_payload_bytes_max / bytes);
  std::size_t run = 1;
  while (run < std::min(most, datagrams.size()) && datagrams[run].size() == bytes) ++run;
  return run;
}

void DatagramSender::prepare(std::span<const std::span<std::byte>> datagrams) {
  iovecs_.clear();
  messages_.clear();
  controls_.resize(datagrams.size());  // neither may move once pointed to
  iovecs_.reserve(datagrams.size());
  while (!datagrams.empty()) {
    const std::size_t run = run_length(datagrams);
    msghdr header{};
    if (to_ != nullptr) {
      header.msg_name = const_cast<sockaddr*>(to_->get());
      header.msg_namelen = to_->bytes;
    }
    header.msg_iov = iovecs_.data() + iovecs_.size();
    header.msg_iovlen = run;
    for (const std::span<std::byte>& datagram : datagrams.first(run))
      iovecs_.push_back({datagram.data(), datagram.size()});
    if (run > 1) {
      header.msg_control = controls_[messages_.size()].bytes.data();
      header.msg_controllen = sizeof(Control::bytes);
      cmsghdr* control = CMSG_FIRSTHDR(&header);
      control->cmsg_level = SOL_UDP;
      control->cmsg_type = UDP_SEGMENT;
      control->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(datagrams.front().size());
      std::memcpy(CMSG_DATA(control), &segment, sizeof segment);
    }
    messages_.push_back({header, 0});
    datagrams = datagrams.subspan(run);
  }
}

}  // namespace lanyard::bench
