// What the control plane and the data plane say to each other: two bounded queues and an eventfd for each direction.
// Transports travel whole: to the data plane when they are open, back when the last buffer has come home.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "frames/bridge.h"
#include "frames/mac_address.h"
#include "switchd/observers.h"
#include "switchd/spsc_queue.h"
#include "transports/transport.h"

namespace lanyard {

struct Command {
  enum class Kind : std::uint8_t {
    attach,
    detach,
    set_port,        // of all ports of a transport, and of the peers it will have
    set_peer,        // of a transport with one peer, which is elsewhere now. REQUIRES: of the family of the socket
    add_network,     // a new index, or that of one that was removed
    set_network,
    remove_network,  // REQUIRES: no port is in it
    list_macs,
    flush_macs,
    add_tap,         // REQUIRES: with it no more than taps_max that have not been removed
    remove_tap,      // REQUIRES: a token; whoever sent it keeps the tap until that is back
    set_mirrors,     // instead of all there were
    swap_rewind,     // REQUIRES: a token; with it comes what was there
    nothing,         // only its token comes back: what was commanded before has been done
    stop,
  };
  Kind kind = Kind::stop;
  std::uint64_t token = 0;               // not 0: comes back by the notice `done`
  std::unique_ptr<Transport> transport;  // attach
  std::uint64_t serial = 0;              // detach, set_port, set_peer: which transport
  SocketAddress peer;                    // set_peer
  const char* cause = "closed by switchd";  // detach: a few words for people, static
  NetworkIndex network = 0;              // set_port, *_network, *_macs, swap_rewind
  std::size_t cursor = 0;                // list_macs: 0 to begin, then as the notice says
  std::size_t max_frame_bytes = 0;       // set_port
  std::size_t queue_frames = 0;          // set_port
  NetworkOptions network_options;        // add_network, set_network
  std::shared_ptr<NetworkCounters> network_counters;  // add_network: where it counts
  std::shared_ptr<PortCounters> port;    // flush_macs: only those behind this port; null: all
  std::optional<MacAddress> station;     // flush_macs: only this one
  std::shared_ptr<Tap> tap;              // add_tap, remove_tap
  std::vector<Mirror> mirrors;           // set_mirrors
  std::unique_ptr<Rewind> rewind;        // swap_rewind: a fresh one; null: none
};

struct KnownStation {
  MacAddress station;
  std::shared_ptr<PortCounters> port;  // identifies the port: counters live as long as anyone holds them
  std::uint64_t age_ns = 0;
};

struct Notice {
  enum class Kind : std::uint8_t {
    started,    // the engine runs
    attached,   // a transport is in its network, and receives
    peer_up,    // a udp transport has a new peer
    peer_down,  // and lost one, by silence
    crowded,    // and had no room for another; at most once a second
    unreachable,  // the one peer of a transport is, by an ICMP error; at most once a second
    oversize,   // and dropped frames for their length; at most once a second
    closed,     // a transport has gone down; here it is, with nothing in flight
    macs,       // a slice of a network's table
    moved,      // a station came by another port; or, without one, so many of them that were not told one by one
    loop_began,  // a station goes to and fro between ports; moves are not told until it has ended
    loop_ended,  // no station does any more
    done,       // a command that had a token
    stopped,    // everything is closed; the data thread ends
  };
  Kind kind = Kind::stopped;
  std::uint64_t serial = 0;                // of the transport; none: 0
  SocketAddress peer;                      // peer_up, peer_down, crowded
  std::shared_ptr<PortCounters> counters;  // peer_up, peer_down: of its port
  std::uint64_t silent_ns = 0;             // peer_down: for how long
  std::size_t max_frame_bytes = 0;         // oversize: of the port
  std::unique_ptr<Transport> transport;    // closed
  const char* cause = "";                  // closed: a few words for people
  int error = 0;                           // closed: errno or 0
  NetworkIndex network = 0;                // macs, moved, loop_*
  std::size_t cursor = 0;                  // macs: where the next slice begins, or MacTable::list_end
  std::vector<KnownStation> stations;      // macs
  MacAddress station;                      // moved, loop_began
  std::shared_ptr<PortCounters> from;      // moved, loop_began: the port before; `counters`: the present one
  std::uint64_t count = 0;                 // moved: how many this one stands for; loop_began: its moves in a second;
                                           // loop_ended: moves that were not told; done: how many were flushed
  std::unique_ptr<Rewind> past;            // done: what swap_rewind took, which nobody writes any more; null: none
  std::uint64_t token = 0;                 // done
  bool memory_returned = true;             // stopped: every buffer was back in its pool
};

struct Handover {
  static constexpr std::size_t capacity = 1024;
  SpscQueue<Command> commands{capacity};  // control plane -> data plane
  SpscQueue<Notice> notices{capacity};    // data plane -> control plane
  Fd command_wake;                        // eventfds, nonblocking
  Fd notice_wake;
};

}  // namespace lanyard
