// What one turn of the loop brought: frames, the buffers that must live until the turn ends, transports that want
// to send, and events. Engines only append; the loop reads and clears.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>
#include <vector>

#include "frames/frame_batch.h"
#include "transports/transport.h"

namespace lanyard {

struct TransportEvent {
  enum class Kind : std::uint8_t {
    peer_up,   // a new port was made for a peer; it is in the port table, not in a network yet
    failed,    // the peer closed, broke the wire, or the descriptor failed; the loop detaches the transport
    detached,  // nothing is in flight any more
  };
  Kind kind;
  Transport* transport;
  Port* port;          // peer_up
  const char* cause;   // failed: a few words for people, static
  int error;           // failed: errno, or 0
};

class Inbox {
 public:
  FrameBatch frames;
  std::vector<TransportEvent> events;
  std::size_t run_bytes = 0;  // received as runs of datagrams
  std::size_t receives = 0;  // reads that brought bytes, whatever became of them

  // Keeps the reference the caller has on `buffer` until the end of the turn.
  void hold(Buffer* buffer) { held_.push_back(buffer); }
  // Asks that `transport` be flushed in this turn.
  void want_flush(Transport& transport) {
    if (transport.listed) return;
    transport.listed = true;
    to_flush_.push_back(&transport);
  }
  void mark_dirty(Port& port) {
    if (!port.dirty) {
      port.dirty = true;
      port.counters->sends.add(1);
      port.transport->dirty.push_back(&port);
    }
    want_flush(*port.transport);
  }
  void report_failed(Transport& transport, const char* cause, int error) {
    if (transport.failed) return;
    transport.failed = true;
    events.push_back({TransportEvent::Kind::failed, &transport, nullptr, cause, error});
  }
  // `error` is what an interface of this host answers when it cannot be used any more.
  void report_interface_failed(Transport& transport, int error) {
    report_failed(transport, error == ENETDOWN ? "the interface went down" : "the interface is gone", error);
  }
  [[nodiscard]] std::vector<Transport*>& to_flush() { return to_flush_; }
  [[nodiscard]] bool full() const {
    return frames.size() >= limits::turn_frames_soft_max || run_bytes >= limits::turn_run_bytes_max;
  }

  // End of the turn: frames lose their memory unless a queue holds it.
  void recycle() {
    for (Buffer* buffer : held_) buffer->release();
    held_.clear();
    frames.clear();
    receives = run_bytes = 0;
  }

 private:
  std::vector<Buffer*> held_;
  std::vector<Transport*> to_flush_;
};

}  // namespace lanyard
