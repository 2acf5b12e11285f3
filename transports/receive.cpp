// From received bytes to frames; see the header.
#include "transports/receive.h"

#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "frames/bytes.h"
#include "frames/unfinished_checksum.h"
#include "transports/udp_offload.h"

namespace lanyard {

namespace {

// Makes a port for a new, allowed peer. nullptr when there is no room for one more; the loop then looks for some.
Port* add_peer(Transport& transport, const SocketAddress& source, const DataContext& context) {
  if (transport.peers.is_full() || transport.peers.host_is_full(source) || context.ports.full()) {
    transport.crowded = true;
    transport.turned_away = source;
    return nullptr;
  }
  auto port = std::make_unique<Port>(Wire::datagram, transport.network, transport.max_frame_bytes,
                                     transport.queue_frames, *transport.copies);
  port->owner = transport.owner;
  port->peer = source;
  port->transport = &transport;
  port->gso_bytes_max = transport.gso ? limits::udp_payload_bytes_max : 0;
  context.ports.add(*port);
  Port* added = port.get();
  transport.peers.add(source, *added);
  transport.ports.push_back(std::move(port));
  context.inbox.events.push_back({TransportEvent::Kind::peer_up, &transport, added, "", 0});
  return added;
}

// The port a datagram belongs to; nullptr: from somebody who is not let in.
[[nodiscard]] inline Port* port_of(Transport& transport, const Datagram& datagram, const DataContext& context) {
  switch (transport.sources) {
    case Sources::connected:
    case Sources::interface:
    case Sources::group: return transport.ports.front().get();
    case Sources::one_peer: {
      Port* port = transport.ports.front().get();
      return datagram.source == port->peer ? port : nullptr;
    }
    case Sources::allowed: {
      if (Port* known = transport.peers.find(datagram.source)) return known;
      // Only a whole frame makes a port: a stray or empty datagram does not.
      if (datagram.bytes < limits::frame_bytes_min || !transport.allows(datagram.source)) return nullptr;
      return add_peer(transport, datagram.source, context);
    }
  }
  return nullptr;
}

[[nodiscard]] DropReason reason_without_port(const Transport& transport, const Datagram& datagram) {
  const bool welcome = transport.sources == Sources::allowed && transport.allows(datagram.source);
  return welcome && datagram.bytes < limits::frame_bytes_min ? DropReason::runt : DropReason::unknown_source;
}

// The frame as it is on a wire: with its VLAN tag between the addresses, which make room for it, and the
// EtherType (IEEE 802.1Q-2018, 9.3), and with a finished checksum.
[[nodiscard]] Datagram restored(const Datagram& datagram) {
  constexpr std::size_t addresses_bytes = 12, tag_bytes = 4;
  Datagram whole = datagram;
  whole.control = {.segment_bytes = datagram.control.segment_bytes};
  if (datagram.control.tag.tpid != 0 && datagram.bytes >= addresses_bytes) {
    whole.bytes += tag_bytes;
    if (datagram.slot != nullptr) {
      whole.data -= tag_bytes;  // into the slot's headroom
      std::memmove(whole.data, datagram.data, addresses_bytes);
      store_be16(whole.data + addresses_bytes, datagram.control.tag.tpid);
      store_be16(whole.data + addresses_bytes + 2, datagram.control.tag.tci);
    }
  }
  if (datagram.control.unfinished_checksum && datagram.slot != nullptr && !datagram.truncated)
    (void)finish_checksum({whole.data, whole.bytes});  // where it has none that we know, it stays as it is
  return whole;
}

[[nodiscard]] PortCounters& fallback_counters(Transport& transport) {
  return transport.stranger_counters ? *transport.stranger_counters : *transport.ports.front()->counters;
}

}  // namespace

StreamReader::Window stream_window(Transport& transport, FramePool& chunks, std::span<std::byte> scratch) {
  return transport.reader.window(chunks, scratch);
}

void stream_received(Transport& transport, std::ptrdiff_t bytes, Inbox& inbox) {
  ++inbox.receives;
  if (bytes <= 0) {
    inbox.report_failed(transport, bytes == 0 ? "closed by peer" : "receive failed", static_cast<int>(-bytes));
    return;
  }
  const Port& port = *transport.ports.front();
  const StreamReader::Result got =
      transport.reader.received(static_cast<std::size_t>(bytes), port.index, inbox.frames);
  PortCounters& counters = *port.counters;
  counters.received_frames.add(got.frames + got.runts + got.oversize + got.discarded + (got.bad_length ? 1 : 0));
  counters.received_bytes.add(got.bytes);
  if (got.runts > 0) counters.drop(DropReason::runt, got.runts);
  if (got.oversize > 0) counters.drop(DropReason::oversize, got.oversize);
  if (got.discarded > 0) counters.drop(DropReason::no_buffer, got.discarded);
  if (got.heads_copied > 0) counters.heads_copied.add(got.heads_copied);
  if (got.bad_length) {
    counters.drop(DropReason::bad_length);
    inbox.report_failed(transport, "bad length in the stream", EPROTO);
  }
}

namespace {

// The peer is answered from the address that it spoke to last. By another route UDP_SEGMENT may do what it did not.
void remember_local_address(Port& port, const cmsghdr& control) {
  const LocalAddress local = answering_address(control);
  if (port.local == local) return;
  port.local = local;
  port.gso_bytes_max = port.transport->gso ? limits::udp_payload_bytes_max : 0;
}

// With what most datagrams do not have, which therefore cost nothing for it.
void rare_datagram_received(Transport& transport, const Datagram& datagram, const DataContext& context,
                            std::uint64_t now_ns) {
  datagram_received(transport, restored(datagram), context, now_ns);
  if (datagram.control.local == nullptr) return;
  Port* port = transport.sources == Sources::allowed ? transport.peers.find(datagram.source)
                                                     : transport.ports.front().get();
  if (port != nullptr && port->peer == datagram.source) remember_local_address(*port, *datagram.control.local);
}

}  // namespace

void datagram_received(Transport& transport, const Datagram& datagram, const DataContext& context,
                       std::uint64_t now_ns) {
  if (datagram.control.is_rare) [[unlikely]] return rare_datagram_received(transport, datagram, context, now_ns);
  Inbox& inbox = context.inbox;
  ++inbox.receives;
  if (datagram.slot != nullptr) inbox.hold(datagram.slot);
  Port* const port = port_of(transport, datagram, context);
  PortCounters& counters = port != nullptr ? *port->counters : fallback_counters(transport);
  const std::size_t segment_bytes = datagram.control.segment_bytes;
  const bool is_run = segment_bytes > 0 && segment_bytes < datagram.bytes;
  const std::size_t step = is_run ? segment_bytes : datagram.bytes;
  const std::size_t frames = is_run ? (datagram.bytes + step - 1) / step : 1;
  counters.received_frames.add(frames);
  counters.received_bytes.add(datagram.bytes);
  if (is_run) {
    transport.runs = true;
    inbox.run_bytes += datagram.bytes;
  }
  if (port == nullptr) return counters.drop(reason_without_port(transport, datagram), frames);
  port->heard_ns = now_ns;
  if (transport.sources == Sources::group && datagram.source == transport.own_address)
    return counters.echoed_frames.add(frames);
  std::size_t at = 0;
  do {
    const std::size_t bytes = std::min(step, datagram.bytes - at);
    if (bytes < limits::frame_bytes_min) [[unlikely]] counters.drop(DropReason::runt);
    else if (datagram.truncated || bytes > port->max_frame_bytes) [[unlikely]] {
      counters.drop(DropReason::oversize);
      transport.oversize = true;
    } else if (datagram.slot == nullptr) [[unlikely]] counters.drop(DropReason::no_buffer);
    else
      inbox.frames.push({datagram.data + at, datagram.slot, static_cast<std::uint32_t>(bytes), port->index, false,
                         at > 0});
    at += bytes;
  } while (at < datagram.bytes);
}

void datagrams_to_scratch(Transport& transport, const DataContext& context, std::span<std::byte> scratch,
                          std::uint64_t now_ns) {
  for (std::size_t i = 0; i < limits::datagrams_per_receive; ++i) {
    sockaddr_un name;
    alignas(cmsghdr) std::array<std::byte, receive_control_bytes> control;
    iovec iov{scratch.data(), scratch.size()};
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(transport.receive_fd(), &message, MSG_DONTWAIT | MSG_TRUNC);
    if (got < 0) return receive_refused(transport, errno, context.inbox);
    datagram_received(transport,
                      {nullptr, nullptr, static_cast<std::size_t>(got), false, read_control(message),
                       SocketAddress(&name, message.msg_namelen)},
                      context, now_ns);
  }
}

void receive_refused(Transport& transport, int error, Inbox& inbox) {
  if (transport.keeps_errors) take_errors(transport);
  if (transport.sources != Sources::interface || error == EAGAIN || error == EINTR) return;
  inbox.report_interface_failed(transport, error);
}

namespace {

// That a frame was too long says nothing of the peer.
[[nodiscard]] bool says_unreachable(const cmsghdr& control) {
  const bool v4 = control.cmsg_level == IPPROTO_IP && control.cmsg_type == IP_RECVERR;
  const bool v6 = control.cmsg_level == IPPROTO_IPV6 && control.cmsg_type == IPV6_RECVERR;
  if (!v4 && !v6) return false;
  sock_extended_err error;
  std::memcpy(&error, CMSG_DATA(&control), sizeof error);
  const bool is_icmp = error.ee_origin == SO_EE_ORIGIN_ICMP || error.ee_origin == SO_EE_ORIGIN_ICMP6;
  return is_icmp && error.ee_errno != EMSGSIZE;
}

}  // namespace

void take_errors(Transport& transport) {
  constexpr int errors_per_look = 64;
  for (int i = 0; i < errors_per_look; ++i) {
    sockaddr_un name;  // where the datagram was sent
    alignas(cmsghdr) std::array<std::byte, 512> control;
    msghdr message{};
    message.msg_name = &name;
    message.msg_namelen = sizeof name;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(transport.receive_fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    if (SocketAddress(&name, message.msg_namelen) != transport.ports.front()->peer) continue;
    for (cmsghdr* one = CMSG_FIRSTHDR(&message); one != nullptr; one = CMSG_NXTHDR(&message, one))
      transport.unreachable |= says_unreachable(*one);
  }
}

void receive_from_device(Transport& transport, const DataContext& context, std::span<std::byte> scratch,
                         std::uint64_t now_ns) {
  for (std::size_t i = 0; i < limits::datagrams_per_receive; ++i) {
    BufferRef slot(context.slots.take());
    std::byte* const data = slot ? slot->memory() + limits::slot_headroom_bytes : scratch.data();
    const ssize_t got = ::read(transport.receive_fd(), data, slot ? limits::slot_receive_bytes : scratch.size());
    if (got < 0) return receive_refused(transport, errno, context.inbox);
    datagram_received(transport, {slot.release(), data, static_cast<std::size_t>(got), false, {}, {}}, context, now_ns);
  }
}

namespace {

// The TPID is told since Linux 3.14.
[[nodiscard]] ReceiveControl read_auxdata(const tpacket_auxdata& aux) {
  ReceiveControl read;
  if ((aux.tp_status & TP_STATUS_VLAN_VALID) != 0) {
    read.tag.tpid = (aux.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? aux.tp_vlan_tpid : ether_types::c_tag;
    read.tag.tci = aux.tp_vlan_tci;
  }
  read.unfinished_checksum = (aux.tp_status & TP_STATUS_CSUMNOTREADY) != 0;
  read.is_rare = read.tag.tpid != 0 || read.unfinished_checksum;
  return read;
}

[[nodiscard]] std::uint16_t read_segment_bytes(const cmsghdr& control) {
  int size;
  std::memcpy(&size, CMSG_DATA(&control), sizeof size);
  return static_cast<std::uint16_t>(std::clamp(size, 0, 0xFFFF));
}

// Of a packet socket, or one that is bound to all addresses.
[[nodiscard]] ReceiveControl read_rare_control(const msghdr& message) {
  auto& mutable_message = const_cast<msghdr&>(message);  // CMSG_NXTHDR wants it so; it only reads
  ReceiveControl read;
  for (cmsghdr* control = CMSG_FIRSTHDR(&mutable_message); control != nullptr;
       control = CMSG_NXTHDR(&mutable_message, control)) {
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      read.segment_bytes = read_segment_bytes(*control);
    } else if (is_local_address(*control)) {
      read.local = control;
      read.is_rare = true;
    } else if (control->cmsg_level == SOL_PACKET && control->cmsg_type == PACKET_AUXDATA) {
      tpacket_auxdata aux;
      std::memcpy(&aux, CMSG_DATA(control), sizeof aux);
      return read_auxdata(aux);
    }
  }
  return read;
}

}  // namespace

ReceiveControl read_control(const msghdr& message) {
  const cmsghdr* first = CMSG_FIRSTHDR(&message);
  if (first == nullptr) return {};
  const bool alone = message.msg_controllen <= CMSG_SPACE(sizeof(int));
  if (alone && first->cmsg_level == SOL_UDP && first->cmsg_type == UDP_GRO)
    return {.segment_bytes = read_segment_bytes(*first)};
  return read_rare_control(message);
}

void book_kernel_drops(Transport& transport) {
  if (transport.io() == Io::device) return;
  std::array<std::uint32_t, SK_MEMINFO_VARS> info;
  socklen_t length = sizeof info;
  if (::getsockopt(transport.receive_fd(), SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0) return;
  if (length <= SK_MEMINFO_DROPS * sizeof info[0]) return;
  const std::uint32_t dropped = info[SK_MEMINFO_DROPS];
  fallback_counters(transport).kernel_drops.add(std::uint32_t{dropped - transport.kernel_drops});  // may wrap around
  transport.kernel_drops = dropped;
}

}  // namespace lanyard
