// The control plane's side of one configured port: opens it, keeps it going, and answers for its transports.
// Control thread only.
//
// Inheritance, because the life cycles differ and the daemon treats them alike:
//   ListenerControl   accepts; every connection is a transport with a port NAME.N that comes and goes
//   ConnectorControl  connects, and again with back-off; one port that is up or down
//   DatagramControl   bound once; one port, or with allow= one NAME.N for each peer
//   NatControl        a gateway in a process of its own, started again when it ends
//   InterfaceControl  opened once; one port on an interface of this host
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "switchd/config.h"
#include "switchd/events.h"
#include "switchd/handover.h"
#include "switchd/name_resolver.h"
#include "switchd/port_registry.h"
#include "transports/open_sockets.h"
#include "transports/own_packets.h"

namespace lanyard {

class PortControl;

// Is told how opening went: nothing, or why it cannot be open.
using Opening = std::function<void(const std::optional<OpenError>&)>;

// What the daemon does for its ports.
class PortServices {
 public:
  virtual asio::io_context& io() = 0;
  virtual PortRegistry& registry() = 0;
  virtual NameResolver& names() = 0;
  // What to bind for this host: of a name, what it stood for when it was looked up last, which was for this opening.
  [[nodiscard]] virtual Opened<std::vector<SocketAddress>> addresses_to_bind(const HostPort& address) = 0;
  // `address` cannot be bound as it is: its name, if it is one, is looked up for the next try.
  virtual void look_up_again(const HostPort& address) = 0;
  virtual NetworkIndex network_index(const std::string& name) = 0;
  virtual FramePool& copies() = 0;  // for egress queues
  // Hands a transport over; its notices come to `owner`. Returns its serial.
  virtual std::uint64_t attach(std::unique_ptr<Transport> transport, PortControl& owner) = 0;
  // The transport is to go; `closed` follows. `cause`: a few words for people, static.
  virtual void detach(std::uint64_t serial, const char* cause) = 0;
  // The one peer of a UDP transport is elsewhere now. REQUIRES: of the family of its socket.
  virtual void set_peer(std::uint64_t serial, const SocketAddress& peer) = 0;
  // What is counted on the one port that this control has itself: the same whenever it is opened again, as long as it is
  // configured, so that no counter goes back. REQUIRES: no other transport that counts there is attached.
  [[nodiscard]] virtual std::shared_ptr<PortCounters> own_counters(const std::string& name) = 0;
  // Prints a line to standard output, at once.
  virtual void print(const std::string& line) = 0;
  // Tells what happened to a port, to the log and to everybody who watches.
  virtual void event(LogLevel level, EventKind kind, const std::string& port, std::string text) = 0;

 protected:
  ~PortServices() = default;
};

class PortControl {
 public:
  PortControl(const PortConfig& config, PortServices& services) : config_(config), services_(services) {}
  PortControl(const PortControl&) = delete;
  PortControl& operator=(const PortControl&) = delete;
  virtual ~PortControl() = default;

  // Opens what must be open before `ready`, or begins to, where that takes time; registers the port. Where that fails the
  // port may be tried again, by another control (topology.h). Nothing is accepted or connected yet.
  [[nodiscard]] virtual std::optional<OpenError> open() = 0;
  // After an open() without an error: calls `opened` when it is open, or cannot be, with why; from here where open() has
  // done it all. Not after stop().
  virtual void await_open(Opening opened) { opened(std::nullopt); }
  // TYPE:ADDRESS as printed; valid after open().
  [[nodiscard]] virtual std::string address() const = 0;
  // `ready` was printed: accept, connect, look up.
  virtual void begin() {}
  // The data plane has taken one of its transports.
  virtual void attached(const Notice&) {}
  virtual void peer_up(const Notice&) {}
  virtual void peer_down(const Notice&) {}
  virtual void crowded(const Notice&) {}
  virtual void unreachable(const Notice&) {}
  virtual void oversize(const Notice&) {}
  virtual void closed(const Notice& notice) = 0;
  // Interfaces of this host, their addresses or its routes may be others now; those with the numbers in `gone` went.
  virtual void links_changed(const std::set<unsigned>&) {}
  // These are the ends of its network's ports at which packets of theirs leave this host and come to it.
  virtual void keep_away(const std::vector<PacketEnd>&) {}
  // It is configured otherwise, by what can change while frames flow (topology_change.cpp); what its transports must
  // know of it is told to the data plane by others. Calls `done` when it is so, with an empty string, or cannot be, with
  // what is wrong.
  virtual void reconfigure(const PortConfig& config, std::function<void(const std::string&)> done) {
    config_ = config;
    done({});
  }
  // No further connections. Transports stay until the data plane stops, or they are detached.
  virtual void stop() = 0;
  // After stop(), when none of its transports is left: undoes what it set up on this host, and calls `done` when that is
  // done; from here where there is nothing to be awaited. Once more, at the end of the process: what was given before is
  // not called any more.
  virtual void finish(std::function<void()> done) { done(); }
  // Does it bring back by itself what it lost? Else it is of no use any more once its transport has closed.
  [[nodiscard]] virtual bool reopens_itself() const { return true; }
  // It had this number when it was open before, where 0 is asked for: it is to have that again, if it is free. Before
  // open(); 0: none.
  void had_number(std::uint16_t number) { number_ = number; }
  // The number that was got where 0 is asked for; 0: none.
  [[nodiscard]] std::uint16_t number() const { return number_; }
  // It is opened because it was lost: what has gone is to be there again, and not made. Before open().
  void comes_back() { comes_back_ = true; }
  // Out of use, does it still have something to do?
  [[nodiscard]] virtual bool is_finishing() const { return false; }

  [[nodiscard]] const PortConfig& config() const { return config_; }
  // The longest frame that its transports carry as it is configured now.
  [[nodiscard]] std::size_t max_frame_bytes() const { return max_frame_bytes(frame_bytes_max_); }

 protected:
  [[nodiscard]] std::unique_ptr<Transport> make_stream(Fd fd, bool tcp) const;
  // Of the one port that this control has itself (own_counters).
  [[nodiscard]] std::unique_ptr<Transport> make_own_stream(Fd fd, bool tcp) const;
  [[nodiscard]] std::unique_ptr<Port> make_port(Wire wire, std::size_t max_frame_bytes) const;
  [[nodiscard]] virtual std::size_t max_frame_bytes(std::size_t transport_max) const;
  [[nodiscard]] PortRecord record(std::string address, std::string state, std::shared_ptr<PortCounters> counters) const;
  void show_down(const std::string& why);
  // The number to bind where `asked` is 0.
  [[nodiscard]] std::uint16_t number_to_bind(std::uint16_t asked) const { return asked == 0 ? number_ : asked; }
  // It was bound to this number, where `asked` was configured.
  void keep_number(std::uint16_t asked, std::uint16_t bound);

  PortConfig config_;
  PortServices& services_;
  std::size_t frame_bytes_max_ = limits::frame_bytes_max;  // what its wire can carry
  bool comes_back_ = false;
  std::uint16_t number_ = 0;
};

[[nodiscard]] std::unique_ptr<PortControl> make_port_control(const PortConfig& config, PortServices& services);

// "closed by peer", "receive failed: Connection reset by peer".
[[nodiscard]] std::string cause_text(const Notice& notice);

}  // namespace lanyard
