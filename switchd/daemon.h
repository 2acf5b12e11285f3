// The daemon: opens what the configuration names, starts the data plane on a thread of its own, and runs the control
// plane on the calling thread until told to stop.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <thread>

#include "switchd/backoff.h"
#include "switchd/config.h"
#include "switchd/control/api.h"
#include "switchd/control/server.h"
#include "switchd/data_link.h"
#include "switchd/dataplane.h"
#include "switchd/drop_watch.h"
#include "switchd/events.h"
#include "switchd/http/server.h"
#include "switchd/line_output.h"
#include "switchd/link_watch.h"
#include "switchd/stats.h"
#include "switchd/table_watch.h"
#include "switchd/topology.h"

namespace lanyard {

class Daemon {
 public:
  explicit Daemon(const Config& config);
  ~Daemon();

  // Returns the process's exit code: 0 after a clean stop, 1 when it could not start.
  [[nodiscard]] int run();
  // After run(): would destruction have to wait for a name server?
  [[nodiscard]] bool is_resolving() const { return topology_.is_resolving() || api_.is_resolving(); }

 private:
  void choose_engine();
  void start_dataplane();
  void make_dataplane(DataplaneOptions options);
  void run_dataplane();
  [[nodiscard]] bool open_control();
  void open_http_later();
  void open_ports();
  void announce_ready();
  void take(Notice& notice);
  void start_failed();
  void await_signal();
  void begin_stop();
  void dataplane_stopped(bool memory_returned);
  void finish_stop();
  void begin_stats();
  void finish_stats();

  const Config config_;
  asio::io_context io_;
  asio::signal_set signals_;
  LineOutput output_;
  EventLog events_;
  DataLink link_;
  Topology topology_;
  LinkWatch links_;
  DropWatch drop_watch_;
  TableWatch table_watch_;
  control::Api api_;
  ControlServer control_;
  http::Server http_;
  asio::steady_timer http_timer_;
  Backoff http_pause_;
  std::string engine_name_;
  EngineFactory make_engine_;
  std::unique_ptr<Dataplane> dataplane_;
  std::thread data_thread_;
  bool data_thread_failed_ = false;
  bool engine_runs_ = false;
  bool ports_started_ = false;
  bool ready_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;

  Stats pending_stats_;  // being gathered: MAC tables come in slices
  bool gathering_stats_ = false;
  bool stats_asked_again_ = false;
};

}  // namespace lanyard
