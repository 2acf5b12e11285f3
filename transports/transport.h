// A transport: one descriptor (two for multicast) with its receive and send state. Made by the control plane from an
// open socket, handed to the data plane, and handed back when the last buffer has come home.
//
// States:  opening (control plane)  ->  up  ->  draining (operations being cancelled)  ->  closed (handed back)
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "frames/stream_reader.h"
#include "transports/fd.h"
#include "transports/peer_table.h"
#include "transports/port.h"
#include "transports/tcp_watch.h"

namespace lanyard {

// Who may speak on a datagram transport.
enum class Sources : std::uint8_t {
  connected,  // the kernel checks (UNIX datagram, connected)
  one_peer,   // the port's peer only; others are `unknown_source`
  allowed,    // each allowed address becomes a port of its own
  group,      // a multicast group: anybody but ourselves (`echoed_frames`)
  interface,  // an interface of this host: whatever comes by it. It may go down or away
};

// How the kernel is asked.
enum class Io : std::uint8_t {
  socket,  // recvmsg, sendmsg and their kin, for many datagrams at once
  device,  // read and write, of one frame each: a TAP (Linux: Documentation/networking/tuntap.rst)
};

class Transport {
 public:
  enum class State : std::uint8_t { opening, up, draining, closed };

  Transport(Wire wire, Fd fd, Io io = Io::socket) : wire_(wire), io_(io), fd_(std::move(fd)) {}

  // --- Set by the control plane before the hand-over.
  std::uint64_t serial = 0;                 // the control plane's name for it, never used twice
  Sources sources = Sources::connected;
  SocketAddress own_address;                // group: where our own sends come from
  Fd second_fd;                             // group: the socket that sends
  bool gso = false;                         // UDP_SEGMENT may be tried
  bool keeps_errors = false;                // one_peer: the kernel keeps ICMP errors to be asked for (keep_errors)
  bool is_unix_datagram = false;            // its peer may have to be connected again
  std::unique_ptr<TcpWatch> tcp_watch;      // TCP streams
  std::function<bool(const SocketAddress&)> allows;  // allowed: is this source let in? Pure.
  NetworkIndex network = 0;                 // allowed: where new peers join
  std::uint32_t owner = 0;                  // allowed: of new peers; see Port
  std::size_t max_frame_bytes = limits::frame_bytes_max;
  std::size_t queue_frames = limits::queue_frames_default;
  FramePool* copies = nullptr;              // for the queues of new peers
  // What cannot be booked on a port (allowed: strangers); null otherwise.
  std::shared_ptr<PortCounters> stranger_counters;
  // Streams: one. Datagrams: one, or for `allowed` one for each peer.
  std::vector<std::unique_ptr<Port>> ports;

  [[nodiscard]] Wire wire() const { return wire_; }
  [[nodiscard]] Io io() const { return io_; }
  // Datagrams: does the descriptor refuse what it has no room for (EAGAIN) and tell when it has? Then frames
  // wait for it in order; of the others, what is refused is lost. A TAP takes everything.
  [[nodiscard]] bool tells_when_writable() const {
    return sources == Sources::connected || (sources == Sources::interface && io_ == Io::socket);
  }
  [[nodiscard]] int receive_fd() const { return fd_.get(); }
  [[nodiscard]] int send_fd() const { return second_fd ? second_fd.get() : fd_.get(); }

  // --- The data thread's.
  State state = State::opening;
  std::uint32_t slot = 0;          // the engine's name for it
  std::uint32_t generation = 0;
  StreamReader reader;
  std::vector<std::byte> scratch;  // streams, completion engines: for bytes that no chunk is free for
  PeerTable peers;                 // allowed
  bool crowded = false;            // allowed: a source was turned away for lack of room since the last look
  SocketAddress turned_away;       // the last of these
  std::vector<Port*> dirty;        // ports with something to send
  bool listed = false;             // in the inbox's list of transports to flush
  bool blocked = false;            // the descriptor takes no more; waiting until it does
  bool send_in_flight = false;     // streams, completion engines
  bool runs = false;               // datagrams: some came in runs, and any may
  bool unreachable = false;        // one_peer: an ICMP error said so of its peer since the last look
  bool oversize = false;           // datagrams: one was longer than its port takes since the last look
  bool starved = false;            // datagrams, completion engines: no slot was free; arm when something is there
  bool drained = false;            // streams, completion engines: the last receive took all there was
  bool failed = false;             // a failure was reported
  std::uint32_t operations = 0;    // of a completion engine, not completed yet
  std::uint32_t kernel_drops = 0;  // datagrams: what the kernel counts at the socket, as far as it is booked

 private:
  Wire wire_;
  Io io_;
  Fd fd_;
};

}  // namespace lanyard
