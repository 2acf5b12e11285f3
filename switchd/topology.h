// The networks and the ports of the daemon, as configured and as they are: opened at start, changed while frames flow.
//
// Every change of ports is one transition, from the present configuration to a wanted one (change_to): what is the same
// is not touched; what can change while frames flow (network, max-frame, queue, a gateway's forward and outbound) does;
// what else differs is closed and opened again. It is carried out whole or not at all:
//
//   networks that are new        made
//   ports that are new           opened; one whose address is in use is put off, where ports are to be closed
//   ports removed or reopened    closed, which takes until the last buffer has come home
//   ports reopened or put off    opened. One that cannot be: all that was opened is closed, all that was closed is
//                                opened again as it was, and the change is refused
//   gateways that differ         told. One that cannot do it, as where a host's port is taken: all is undone likewise
//   the rest                     changed while frames flow; networks that are gone are removed
//
// Changes wait for one another. Each configured port has one entry all the while, and is one of
//
//   opening    until a gateway is ready, or an interface's `up` script has ended; the others are open at once
//   open       something serves it (port_control.h); what is down and comes up by itself, such as a connection, is
//              that one's business
//   closing    until its last buffer has come home, and then until a gateway has ended, or a `down` script has
//   waiting    down: it cannot be open now, and is tried again with back-off (reopening.h), each try in its turn among
//              the changes. So it is with a port that
//                at the start needs an address or an interface that is not there yet (may_come), unless `strict`
//                has failed while it was open, and whose control cannot bring it back
//                was closed by a change, which was refused, and cannot be opened as it was
//                is enabled and cannot be opened
//              A change that meets it may leave it waiting, where what it needs then may come, too
//   disabled   until enable()
//   closed     in the midst of a change only
//
// It is opening and closing within a change too, or at the start or the end. Nobody waits for that: what only reads is
// answered meanwhile, and further changes have to wait for their turn. When the daemon stops, a change that waits for its
// turn is refused; one that is under way goes no further; scripts that run come to their end, as do gateways.
//
// Control thread only.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "switchd/data_link.h"
#include "switchd/dataplane.h"
#include "switchd/events.h"
#include "switchd/line_output.h"
#include "switchd/mac_listing.h"
#include "switchd/name_resolver.h"
#include "switchd/names_to_bind.h"
#include "switchd/port_control.h"
#include "switchd/reopening.h"

namespace lanyard {

// Why a change was not carried out.
struct Refusal {
  enum class Kind : std::uint8_t { invalid, not_found, conflict, unavailable, limit, internal };
  Kind kind = Kind::invalid;
  std::string message;               // one line
  std::vector<std::string> details;  // further ones
};

// Of what an exception has broken off.
[[nodiscard]] Refusal internal_fault();

// What a change would do, or has done.
struct Change {
  enum class Action : std::uint8_t { add, remove, change };
  enum class What : std::uint8_t { port, network, setting };  // setting: of the daemon
  Action action = Action::add;
  What what = What::port;
  std::string name;
  std::string network{};            // of a port that is removed
  bool reopens = false;             // change: its connections drop
  std::vector<std::string> before;  // "max-frame: 1514"; of a change those that differ
  std::vector<std::string> after;
};

class Topology final : public PortServices {
 public:
  using Done = std::function<void(const std::optional<Refusal>&)>;
  using Broken = std::function<void(const Refusal&)>;

  struct Network {
    NetworkIndex index = 0;
    NetworkConfig config;
    std::shared_ptr<NetworkCounters> counters;
  };

  struct Services {
    asio::io_context& io;
    DataLink& link;
    EventLog& events;
    LineOutput& output;
  };
  // `config` is complete.
  Topology(const Config& config, const Services& services) : services_(services), config_(config) {}
  Topology(const Topology&) = delete;
  Topology& operator=(const Topology&) = delete;
  ~Topology() { *lives_ = false; }

  // --- The daemon's.
  // Its networks have the indices of `config.networks`, in order.
  void adopt(Dataplane& dataplane);
  // Calls `then` when it is known what the names stand for that ports bind, or some do not get an answer.
  void find_names(std::function<void()> then);
  // Opens all ports, so that every one that cannot be opened is named; prints their lines when all are open or may wait,
  // and calls `opened`. False: one can be neither.
  void open_all(std::function<void(bool)> opened);
  // `started` is called when every transport of open_all() is attached; false: one could not be.
  void await_start(std::function<void(bool)> started);
  void begin();  // `ready` was printed
  // Interfaces, addresses or routes of this host may be others now (link_watch.h).
  void links_changed(const std::set<unsigned>& gone);
  void take(Notice& notice);
  void stop();
  // The data plane has stopped: what ports have set up on this host is undone, and then `finished` is called.
  void finish(const std::function<void()>& finished);
  // Is a name being looked up? That cannot be interrupted, and may take minutes.
  [[nodiscard]] bool is_resolving() const { return names_.is_busy(); }

  // --- What there is.
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] const std::map<std::string, Network>& networks() const { return networks_; }
  [[nodiscard]] std::vector<MacListing::NamedNetwork> network_list(const std::string& only) const;
  [[nodiscard]] bool has(const MacListing::NamedNetwork& network) const;
  // As it was configured, what was left out not filled in; null: no configured port has the name.
  [[nodiscard]] const PortConfig* written(const std::string& name) const;
  [[nodiscard]] bool is_disabled(const std::string& name) const;
  [[nodiscard]] std::string address_of(const std::string& name) const;
  // By which the data plane knows a configured port, with its connections and peers (Port::owner): the same whenever
  // it is opened, or is configured again after it was removed.
  [[nodiscard]] std::uint32_t owner_of(const std::string& name);

  // Is called with each network that is removed, while its index is not another's yet.
  void on_network_removed(std::function<void(const std::string&, NetworkIndex)> removed) {
    network_removed_ = std::move(removed);
  }

  // --- Changes. Each is answered once, at once or later.
  // `wanted` is complete (config.h); networks that it does not have are removed. In a turn of its own (in_turn).
  void change_to(const Config& wanted, Done done);
  [[nodiscard]] std::vector<Change> plan(const Config& wanted) const;
  void disable(const std::string& name, Done done);
  void enable(const std::string& name, Done done);
  // Calls `done` with how many stations were forgotten.
  void flush(const std::string& network, const std::string& port, const std::optional<MacAddress>& station,
             std::function<void(std::uint64_t)> done);
  // Runs `change` when no other is under way; it is over when it calls what it is given. When it cannot any more,
  // because an exception has broken it off, `broken` is called, and so it is where the daemon stops before its turn.
  void in_turn(std::function<void(std::function<void()>)> change, Broken broken = nullptr);
  // Something may be there that was not, an address or an interface: ports that wait are tried at once.
  void try_all_again();

  // --- The ports'.
  asio::io_context& io() override { return services_.io; }
  PortRegistry& registry() override { return registry_; }
  NameResolver& names() override { return names_; }
  Opened<std::vector<SocketAddress>> addresses_to_bind(const HostPort& address) override {
    return names_to_bind_.addresses(address);
  }
  void look_up_again(const HostPort& address) override;
  NetworkIndex network_index(const std::string& name) override { return networks_.at(name).index; }
  FramePool& copies() override { return dataplane_->chunks(); }
  std::uint64_t attach(std::unique_ptr<Transport> transport, PortControl& owner) override;
  void detach(std::uint64_t serial, const char* cause) override;
  void set_peer(std::uint64_t serial, const SocketAddress& peer) override;
  std::shared_ptr<PortCounters> own_counters(const std::string& name) override;
  void print(const std::string& line) override { services_.output.print(line); }
  void event(LogLevel level, EventKind kind, const std::string& port, std::string text) override;

 private:
  // A port as configured, in one of the states above.
  struct Entry {
    PortConfig config;   // complete
    PortConfig written;  // as configured
    std::unique_ptr<PortControl> control{};  // opening, open, closing
    bool is_opening = false;
    std::function<void()> closed{};          // closing
    std::shared_ptr<Reopening> waiting{};    // waiting
    bool is_disabled = false;
    bool was_lost = false;  // waiting: it has been open
    std::uint16_t number = 0;                  // that it had last where 0 is asked for
    std::shared_ptr<PortCounters> counters{};  // of the port of its control, whenever it is open
    PortType counted = PortType::tcp_listen;   // its type then
  };
  struct Retired {
    std::unique_ptr<PortControl> control;
    bool is_quiet = false;  // no handler of it is left
  };
  struct Turn;
  struct WaitingChange {
    std::function<void()> run;
    Broken broken;  // null: nobody waits for it
  };
  // One change_to() under way.
  struct Transition {
    Config before;
    Config wanted;
    std::vector<std::string> new_networks;
    std::vector<std::string> new_ports;
    std::vector<const PortConfig*> to_close;      // of `before`
    std::set<std::string> were_waiting;           // of those
    std::vector<const PortConfig*> to_open;       // when all is closed
    std::vector<std::string> opened;              // new or again
    std::vector<PortConfig> gateways;             // those told to be otherwise, as they were
    std::set<std::string> gateways_down;          // of those
    bool all_stayed_open = true;                  // when it is undone
    std::size_t pending = 0;                      // of the present step
    std::optional<Refusal> refused;
    Done done;
  };
  using Shared = std::shared_ptr<Transition>;

  void begin_transition(const Shared& change);
  void close_then_open(const Shared& change);
  void roll_back(const Shared& change);
  void change_gateways(const Shared& change);
  void restore_gateways(const Shared& change);
  void change_live(const Shared& change);
  void change_live(Entry& entry, const PortConfig& port, const PortConfig& written);
  void open_or_put_off(const Shared& change, const PortConfig& port, std::function<void()> over);
  void open_new(const Shared& change, const PortConfig& port, std::function<void()> over);
  void reopen_as_before(const Shared& change);
  void reopen_as_before(const Shared& change, const PortConfig& port, std::function<void()> over);
  void finish_roll_back(const Shared& change);
  void next_change();

  void find_names(const std::vector<PortConfig>& ports, std::function<void()> then);
  // REQUIRES: it is not open. Calls `opened` when it is, with nothing, or is closed, with why it cannot be.
  void open(Entry& entry, Opening opened);
  void opening_over(const std::string& name, const std::optional<OpenError>& error, const Opening& opened);
  void close(const std::string& name, std::function<void()> closed);
  void finish_close(const std::string& name);
  void retire(std::unique_ptr<PortControl> control);
  void wait(Entry& entry, const std::string& reason);
  void stop_waiting(Entry& entry);
  void lost(Entry& entry, const std::string& cause);
  void try_again(Entry& entry, const NameAnswer* host);
  void try_again(Entry& entry, std::function<void()> over);
  void wait_on(Entry& entry, const std::string& reason);
  void enable_now(const std::string& name, const Done& done);
  void show_waiting(const Entry& entry);
  void show_disabled(const PortConfig& port);
  void tell_waiting(const Entry& entry);
  void tell_up(const Entry& entry);
  void tell_data_plane(const Entry& entry);
  [[nodiscard]] std::vector<std::uint64_t> transports_of(const PortControl& control) const;
  void keep_own_packets_away();
  void add_network(const std::string& name, const NetworkConfig& config);
  void set_network(const std::string& name, const NetworkConfig& config);
  void remove_network(const std::string& name);
  void take_early(Notice& notice);
  void take_from_port(Notice& notice);
  void take_move(const Notice& notice);
  [[nodiscard]] Event move_event(const Notice& notice, const std::string& network) const;

  const Services services_;
  Dataplane* dataplane_ = nullptr;
  Config config_;
  std::map<std::string, Network> networks_;
  std::vector<NetworkIndex> free_indices_;
  PortRegistry registry_;
  std::map<std::string, Entry> entries_;
  std::unordered_map<std::uint64_t, PortControl*> owners_;  // by serial
  std::map<std::uint64_t, std::vector<PacketEnd>> ends_;    // of transports that have some, by serial
  std::unordered_map<std::string, std::uint32_t> numbers_;  // of configured ports there are or were, from 1
  std::function<void(const std::string&, NetworkIndex)> network_removed_;
  std::uint64_t next_serial_ = 1;
  std::unordered_set<std::uint64_t> starting_;  // what the start waits for
  std::function<void(bool)> started_;
  std::vector<Notice> early_;  // what the data plane said before `ready`
  bool begun_ = false;
  bool stopping_ = false;
  bool changing_ = false;
  std::deque<WaitingChange> waiting_changes_;
  std::vector<Retired> retired_;  // out of use, but somebody may still call
  NameResolver names_{services_.io};
  NamesToBind names_to_bind_{services_.io, names_};
  std::shared_ptr<bool> lives_ = std::make_shared<bool>(true);  // false once the daemon stops
};

// The lines that describe a port or a network, as in Change.
[[nodiscard]] std::vector<std::string> lines_of(const PortConfig& written);
[[nodiscard]] std::vector<std::string> lines_of(const NetworkConfig& network);

}  // namespace lanyard
