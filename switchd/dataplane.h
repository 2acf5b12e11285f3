// The data plane: one thread, one engine, one loop. A network lives here whole, so the frame path has no locks.
//
// One turn, in the direction a frame travels:
//     wait      submit, wait, collect what came in as frames        (engine)
//     forward   decide where each frame goes, queue it there        (bridge, egress queues)
//     flush     send what was queued, one batch for each transport  (engine)
//     recycle   give back the buffers that no queue holds
//     manage    ports that came or went, commands, ageing           (nothing that blocks)
// Completions only append to the inbox; nothing calls back upwards.
//
// Transports come in by command and go back by notice. A transport that fails, or is told to go, leaves its network at
// once and is handed back when the engine says that nothing of it is in flight.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "frames/bridge.h"
#include "frames/loop_watch.h"
#include "switchd/handover.h"
#include "transports/engine.h"
#include "transports/memory.h"

namespace lanyard {

struct DataplaneOptions {
  std::vector<NetworkOptions> networks;  // by NetworkIndex; others come by command
  std::uint64_t seed = 0;                // of the MAC tables' hashes
  std::size_t chunks = limits::chunks_max;
  std::size_t slots = limits::slots_max;
};

using EngineFactory = std::function<std::unique_ptr<Engine>(const DataContext&, int wake_fd)>;

class Dataplane {
 public:
  // Any thread. `handover` outlives the data plane.
  Dataplane(const DataplaneOptions& options, Handover& handover, const EngineFactory& make_engine);
  ~Dataplane();

  // The data thread's whole life: until Command::stop has been carried out. False when the engine would not start
  // (errno is set); nothing was done then.
  [[nodiscard]] bool run();

  // For the control plane: what the queues of its ports copy to. Only handed on, never used there.
  [[nodiscard]] FramePool& chunks() { return chunks_; }
  // Of the networks given by options, and of the loop. Any thread.
  [[nodiscard]] std::shared_ptr<NetworkCounters> network_counters(NetworkIndex index) const {
    return networks_.at(index).counters;
  }
  [[nodiscard]] const LoopCounters& loop() const { return loop_; }
  [[nodiscard]] std::size_t chunk_capacity() const { return chunks_.capacity(); }
  [[nodiscard]] std::size_t slot_capacity() const { return slots_.capacity(); }

  // One turn that waits until `deadline_ns` at most; returns how many frames came in. Public for tests that are
  // their own data thread.
  std::size_t turn(std::uint64_t deadline_ns);
  // The clean stop, the last thing that run() does; afterwards there is no engine.
  void stop();
  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] bool memory_returned() const;

  // For tests. Where in the frame memory an address lies.
  struct Place {
    bool in_chunk = false;
    bool in_slot = false;
    std::size_t buffer_offset = 0;
  };
  [[nodiscard]] Place place_of(const std::byte* address) const;
  // Every free buffer, with one reference each: what is left is what is in use.
  [[nodiscard]] std::vector<Buffer*> take_all_buffers();

 private:
  void forward();
  void deliver(Port& in, std::span<const Frame> frames, std::span<const Verdict> verdicts);
  void deliver_run(Port& in, std::span<const Frame> frames, const Verdict& verdict);
  void send_to(Port& port, std::span<const Frame> frames);
  std::size_t queue_copies(Port& port, std::span<const Frame> frames);
  void observe_received(Port& in, std::span<const Frame> frames, const Verdict& verdict);
  void send_observed(Port& port, std::span<const Frame> frames);
  bool queue_observed(Port& port, std::span<const Frame> frame);
  void mirror(Port& to, std::span<const Frame> frames);
  void flush();
  void manage();
  void handle_events();
  void welcome_peer(Port& port);
  void take_commands();
  void attach(std::unique_ptr<Transport> transport);
  void begin_close(Transport& transport, const char* cause, int error);
  void finish_close(Transport& transport);
  void set_port(const Command& command);
  void set_peer(const Command& command);
  void add_network(const Command& command);
  void set_network(const Command& command);
  void list_macs(const Command& command);
  [[nodiscard]] std::size_t flush_macs(const Command& command);
  void note_moves(NetworkIndex index);
  void tell_move(Notice::Kind kind, NetworkIndex index, const Move& move);
  void show_network(NetworkIndex index);
  void show_turn(std::size_t frames);
  void keep_house(std::uint64_t now_ns);
  void tell_oversize(const Transport& transport);
  void tell_unreachable(Transport& transport);
  void expire_peers(Transport& transport, std::uint64_t now_ns);
  void forget_peer(Transport& transport, Port& port, std::uint64_t silent_ns);
  void tell(Notice notice);
  void send_notices();
  void drain_receives(std::uint64_t deadline_ns);
  void drain_sends(std::uint64_t deadline_ns);
  void close_all();

  // A transport in our care, and what ended it.
  struct Entry {
    std::unique_ptr<Transport> transport;
    const char* cause = "";
    int error = 0;
    bool closing = false;
  };

  struct Network {
    Bridge bridge;
    std::shared_ptr<NetworkCounters> counters;
    std::uint64_t moves_untold = 0;  // since the last second, or the beginning of a loop
    std::size_t moves_told = 0;      // in this second
    LoopWatch loop;
  };
  [[nodiscard]] Network make_network(const NetworkOptions& options, std::shared_ptr<NetworkCounters> counters);

  Handover& handover_;
  MemoryRegion chunk_memory_;
  MemoryRegion slot_memory_;
  FramePool chunks_;
  FramePool slots_;
  PortTable ports_;
  Inbox inbox_;
  std::vector<Network> networks_;  // by NetworkIndex
  std::uint64_t next_seed_;
  Observers observers_;
  std::unique_ptr<Engine> engine_;
  std::unordered_map<std::uint64_t, Entry> transports_;  // by serial
  std::array<Verdict, 256> verdicts_;
  std::deque<Notice> unsent_notices_;
  std::uint64_t now_ns_ = 0;
  std::uint64_t next_housekeeping_ns_ = 0;
  bool received_ = false;  // in the last turn, be it frames or not
  bool stop_asked_ = false;
  LoopCounters loop_;
};

}  // namespace lanyard
