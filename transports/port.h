// A port: one attachment of a transport to one network, with its counters, its policy and its egress queue. Most
// transports have one; a UDP socket that serves many peers has one for each.
//
// Made by any thread, then owned by its transport and touched by the data thread only, except for `counters`.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "frames/counters.h"
#include "frames/egress_queue.h"
#include "transports/local_address.h"
#include "transports/socket_address.h"

namespace lanyard {

class Transport;
using NetworkIndex = std::uint32_t;

// Messages of a datagram port that an engine has handed to the kernel and not heard of yet, in queue order.
struct MessagesInFlight {
  std::uint16_t count = 0;
  std::uint16_t done = 0;
  std::array<std::uint16_t, limits::messages_per_send> segments{};
  std::array<int, limits::messages_per_send> results{};  // as a send returns: bytes, or -errno
};

struct Port {
  Port(Wire wire, NetworkIndex network_index, std::size_t max_frame, std::size_t queue_frames, FramePool& copies)
      : network(network_index),
        max_frame_bytes(max_frame),
        queue_frames_max(queue_frames),
        counters(std::make_shared<PortCounters>()),
        egress(wire, queue_frames, copies) {}

  PortIndex index = no_port;      // given by the port table
  std::uint32_t generation = 0;   // likewise; tells a late completion from a current one
  NetworkIndex network;
  std::uint32_t owner = 0;        // the configured port it belongs to, by the control plane's number; none: 0
  bool observed = false;          // by somebody: kept, with the next two, by Observers (switchd/observers.h)
  std::uint16_t taps = 0;         // which, by place
  std::uint16_t mirrors = 0;      // likewise
  std::size_t max_frame_bytes;    // longer: `oversize` at ingress, `mtu` at egress
  std::size_t queue_frames_max;
  std::shared_ptr<PortCounters> counters;
  EgressQueue egress;
  std::uint64_t copied_out_shown = 0;  // of the queue, as far as it is counted
  Transport* transport = nullptr;
  bool dirty = false;             // in the transport's list of ports with something to send

  // Datagram wires
  SocketAddress peer;             // where its datagrams go; none: the socket is connected
  LocalAddress local;             // where they leave from, where the socket has many addresses; none: as routed
  std::uint64_t heard_ns = 0;     // when the peer was last heard
  std::uint32_t gso_bytes_max = 0;  // longest segment that UDP_SEGMENT may cut for this peer's route; 0: never
  std::unique_ptr<MessagesInFlight> in_flight;  // made by the engine that needs it

  // Books what left by `egress`.
  void count_sent(const EgressQueue::Left& left) {
    counters->sent_frames.add(left.frames);
    counters->sent_bytes.add(left.bytes);
  }
  void show_queue() {
    counters->queued_frames.set(egress.queued_frames());
    if (egress.queued_frames() > counters->queued_frames_max.get())
      counters->queued_frames_max.set(egress.queued_frames());
    counters->copied_out.add(egress.copied_out() - copied_out_shown);
    copied_out_shown = egress.copied_out();
  }
};

}  // namespace lanyard
