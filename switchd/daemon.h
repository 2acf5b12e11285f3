// The daemon: opens what the configuration names, starts the data plane on a thread of its own, and runs the control
// plane on the calling thread until told to stop.
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "switchd/config.h"
#include "switchd/dataplane.h"
#include "switchd/line_output.h"
#include "switchd/port_control.h"
#include "switchd/stats.h"

namespace lanyard {

class Daemon final : public PortServices {
 public:
  explicit Daemon(const Config& config);
  ~Daemon();

  // Returns the process's exit code: 0 after a clean stop, 1 when it could not start.
  [[nodiscard]] int run();
  // After run(): would destruction have to wait for a name server?
  [[nodiscard]] bool is_resolving() const;

  asio::io_context& io() override { return io_; }
  PortRegistry& registry() override { return registry_; }
  NetworkIndex network_index(const std::string& name) override { return network_indices_.at(name); }
  FramePool& copies() override { return dataplane_->chunks(); }
  std::uint64_t attach(std::unique_ptr<Transport> transport, PortControl& owner) override;
  void print(const std::string& line) override;

 private:
  void choose_engine();
  [[nodiscard]] bool open_ports();
  void start_dataplane();
  void announce_ready();
  void command(Command command);
  void send_commands();
  void await_notices();
  void take_notices();
  void take_notice(Notice& notice);
  void await_signal();
  void begin_stop();
  void finish_stop(bool memory_returned);
  void begin_stats();
  void take_stations(Notice& notice);
  void finish_stats();

  static constexpr std::uint64_t engine_serial = 0;  // transports begin with 1

  const Config config_;
  asio::io_context io_;
  asio::signal_set signals_;
  asio::posix::stream_descriptor notice_wake_;
  asio::steady_timer command_retry_;
  LineOutput output_;
  Handover handover_;
  std::string engine_name_;
  EngineFactory make_engine_;
  std::unique_ptr<Dataplane> dataplane_;
  std::thread data_thread_;
  bool data_thread_failed_ = false;
  std::vector<std::string> network_names_;  // by NetworkIndex
  std::unordered_map<std::string, NetworkIndex> network_indices_;
  PortRegistry registry_;
  std::vector<std::unique_ptr<PortControl>> ports_;
  std::unordered_map<std::uint64_t, PortControl*> owners_;  // by serial
  std::uint64_t next_serial_ = 1;
  std::deque<Command> unsent_commands_;
  std::unordered_set<std::uint64_t> starting_{engine_serial};  // what `ready` waits for: the engine, transports
  std::vector<Notice> early_notices_;           // what the data plane said before `ready`
  bool ready_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;

  Stats pending_stats_;  // being gathered: MAC tables come in slices
  bool gathering_stats_ = false;
  bool stats_asked_again_ = false;
};

}  // namespace lanyard
