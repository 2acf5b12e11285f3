// What the control plane and the data plane say to each other: two bounded queues and an eventfd for each direction.
// Transports travel whole: to the data plane when they are open, back when the last buffer has come home.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "frames/mac_address.h"
#include "switchd/observers.h"
#include "switchd/spsc_queue.h"
#include "transports/transport.h"

namespace lanyard {

struct Command {
  enum class Kind : std::uint8_t {
    attach,
    detach,
    list_macs,
    add_tap,      // REQUIRES: with it no more than taps_max that have not come back
    remove_tap,   // answered by Notice::tap_removed
    set_mirrors,  // all of them; answered by none
    swap_rewind,  // answered by Notice::rewind
    stop,
  };
  Kind kind = Kind::stop;
  std::unique_ptr<Transport> transport;  // attach
  std::uint64_t serial = 0;              // detach: which transport
  NetworkIndex network = 0;              // list_macs, swap_rewind
  std::size_t cursor = 0;                // list_macs: 0 to begin, then as the notice says
  std::shared_ptr<Tap> tap;              // add_tap, remove_tap
  std::vector<Mirror> mirrors;           // set_mirrors
  std::unique_ptr<Rewind> rewind;        // swap_rewind: the new one; null: none
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
    oversize,   // and dropped frames for their length; at most once a second
    closed,     // a transport has gone down; here it is, with nothing in flight
    macs,       // a slice of a network's table
    tap_removed,  // and nothing is offered to it any more
    rewind,     // a network's past is taken, nothing is appended to it any more
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
  NetworkIndex network = 0;                // macs, rewind
  std::size_t cursor = 0;                  // macs: where the next slice begins, or MacTable::list_end
  std::vector<KnownStation> stations;      // macs
  std::shared_ptr<Tap> tap;                // tap_removed
  std::unique_ptr<Rewind> past;            // rewind; null: none was kept
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
