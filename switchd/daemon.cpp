// The daemon: start, ready, statistics, stop; in that order.
#include "switchd/daemon.h"

#include <fmt/format.h>
#include <google/protobuf/stubs/logging.h>
#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>

#include "switchd/control/words.h"
#include "switchd/engine_choice.h"
#include "switchd/guarded.h"
#include "switchd/log.h"
#include "switchd/memory_plan.h"
#include "switchd/service_manager.h"

namespace lanyard {

namespace {

[[nodiscard]] bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

[[nodiscard]] std::string frame_memory_failed(std::size_t bytes, bool asked_for) {
  const std::string what = in_mebibytes(bytes) + " of address space for frames";
  if (asked_for) return what + " (--memory)";
  return what + ", the least that works (see ulimit -v and ulimit -d)";
}

[[nodiscard]] std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Daemon::Daemon(const Config& config)
    : config_(config),
      signals_(io_, SIGTERM, SIGINT, SIGUSR1),
      output_(io_, STDOUT_FILENO),
      link_(io_),
      topology_(config_, {io_, link_, events_, output_}),
      links_(io_),
      drop_watch_(io_, topology_.registry(), events_),
      table_watch_(io_, topology_, events_),
      api_(io_, {topology_, link_, events_, [this] { begin_stop(); }}),
      control_(io_, config_, api_),
      http_(io_, config_, api_),
      http_timer_(io_) {
#if GOOGLE_PROTOBUF_VERSION < 4022000
  (void)google::protobuf::SetLogHandler(nullptr);  // what clients send wrong is told to them; later versions say nothing
#endif
  (void)std::signal(SIGPIPE, SIG_IGN);  // a gone peer is an errno; a closed standard output is not our end
  (void)std::signal(SIGXFSZ, SIG_IGN);  // nor is a log of the size that files may have (setrlimit(2))
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);  // the terminal is closed; ignored: by nohup(1), and stays so
}

Daemon::~Daemon() = default;

int Daemon::run() {
  for (const ConfigError& warning : config_.warnings) log_warn("{}", to_string(warning));
  for (const ConfigError& note : config_.notes) log_info("{}", to_string(note));
  choose_engine();
  start_dataplane();
  await_signal();
  if (!open_control()) start_failed();
  while (!guarded("on the control plane", [this] { io_.run(); })) {
  }
  if (data_thread_.joinable()) data_thread_.join();
  io_.restart();
  // What was posted, such as the ends of streams, while all that it may use is there.
  guarded("at the end", [this] { io_.poll(); });
  return exit_code_;
}

void Daemon::choose_engine() {
  const UringCapabilities uring = config_.engine == EngineChoice::epoll ? UringCapabilities{} : probe_uring();
  ChosenEngine chosen = lanyard::choose_engine(config_.engine, uring);
  if (!chosen.remark.empty())
    log(config_.engine == EngineChoice::io_uring ? LogLevel::warn : LogLevel::info, "{}", chosen.remark);
  engine_name_ = chosen.name;
  make_engine_ = std::move(chosen.make);
}

void Daemon::start_dataplane() {
  DataplaneOptions options;
  for (const auto& [name, network] : config_.networks) options.networks.push_back(network.options());
  options.seed = random_seed();
  make_dataplane(options);
  topology_.adopt(*dataplane_);
  api_.adopt(*dataplane_, engine_name_);
  link_.begin([this](Notice& notice) { take(notice); });
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the control plane's
  try {
    data_thread_ = std::thread([this] { run_dataplane(); });
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(), "a thread for the data plane (see ulimit -v and ulimit -u)");
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// The data thread's whole life.
void Daemon::run_dataplane() {
  if (dataplane_->run()) return;
  const int error = errno;
  asio::post(io_, [this, error] {
    log_error("engine {} does not start: {}", engine_name_, std::strerror(error));
    exit_code_ = 1;
    data_thread_failed_ = true;
    if (stopping_) dataplane_stopped(true);  // the stop command has no reader
    else begin_stop();
  });
}

// With the memory that was asked for, or else with what there is. Throws std::system_error where that is too little.
void Daemon::make_dataplane(DataplaneOptions options) {
  const auto bound = config_.memory_bytes ? std::nullopt : memory_bound();
  std::size_t bytes = config_.memory_bytes.value_or(memory_by_default(bound));
  while (true) {
    const PoolSizes sizes = pool_sizes(bytes);
    options.chunks = sizes.chunks;
    options.slots = sizes.slots;
    try {
      dataplane_ = std::make_unique<Dataplane>(options, link_.handover(), make_engine_);
      break;
    } catch (const std::system_error& error) {
      if (error.code() != std::errc::not_enough_memory) throw;  // such as no descriptor: less memory would not help
      if (config_.memory_bytes || bytes == limits::memory_bytes_min)
        throw std::system_error(error.code(), frame_memory_failed(bytes, config_.memory_bytes.has_value()));
      bytes = std::max(bytes / 2, limits::memory_bytes_min);  // something else is in the way, such as overcommit_memory=2
    }
  }
  if (config_.memory_bytes || bytes == limits::memory_bytes_default) return;
  log_warn("{} for frames instead of {}, as {} is bounded: {} streams can receive at one time; --memory SIZE says how much",
           in_mebibytes(bytes), in_mebibytes(limits::memory_bytes_default), bound ? bound->name : "memory", options.chunks);
}

// The control socket first: two daemons with one configuration are told apart by it.
bool Daemon::open_control() {
  if (const auto error = control_.open()) {
    log_error("{}", error->what);
    return false;
  }
  if (const auto error = http_.open()) {
    const bool may_wait = may_come(*error) && !config_.strict;
    log(may_wait ? LogLevel::warn : LogLevel::error, "http: {}{}", error->what, may_wait ? "; trying again" : "");
    if (!may_wait) return false;
    open_http_later();
  }
  const std::string blind = links_.begin([this](const std::set<unsigned>& gone) {
    if (ready_) topology_.links_changed(gone);
  });
  if (!blind.empty()) log_warn("{}", blind);
  topology_.find_names([this] {
    if (!stopping_) open_ports();
  });
  return true;
}

// Its address may come, as a port's may.
void Daemon::open_http_later() {
  http_timer_.expires_after(http_pause_.next());
  http_timer_.async_wait([this](const asio::error_code& cancelled) {
    if (cancelled || stopping_) return;
    if (http_.open()) return open_http_later();
    log_info("http: listening on {}", to_string(http_.address()));
    if (ready_) output_.print("http " + to_string(http_.address()));
  });
}

void Daemon::open_ports() {
  topology_.open_all([this](bool all_open) {
    if (!all_open) return start_failed();
    topology_.await_start([this](bool started) {
      if (stopping_) return;
      if (!started) return start_failed();
      ports_started_ = true;
      if (engine_runs_) announce_ready();
    });
  });
}

void Daemon::start_failed() {
  exit_code_ = 1;
  begin_stop();
}

void Daemon::take(Notice& notice) {
  if (notice.kind == Notice::Kind::stopped) return dataplane_stopped(notice.memory_returned);
  if (notice.kind != Notice::Kind::started) return topology_.take(notice);
  engine_runs_ = true;
  if (ports_started_ && !stopping_) announce_ready();
}

// The engine runs and every port that is open carries frames.
void Daemon::announce_ready() {
  ready_ = true;
  if (http_.is_open()) output_.print("http " + to_string(http_.address()));
  output_.print("ready");
  const std::string ports = counted(config_.ports.size(), "port");
  notify_service_manager("READY=1\nSTATUS=" + ports + "\n");
  log_info("ready: {}, engine {}", ports, engine_name_);
  topology_.begin();
  topology_.links_changed({});  // since they were opened
  drop_watch_.begin();
  table_watch_.begin();
  api_.begin();
  control_.begin();
}

void Daemon::await_signal() {
  signals_.async_wait([this](const asio::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGUSR1) begin_stats();
    else begin_stop();
    await_signal();
  });
}

// MAC tables belong to the data thread, which gives them in slices; the line is printed when the last has come.
void Daemon::begin_stats() {
  if (stopping_) return;
  if (gathering_stats_) {
    stats_asked_again_ = true;
    return;
  }
  gathering_stats_ = true;
  pending_stats_ = {engine_name_, {}};
  for (const auto& [name, network] : topology_.networks())
    pending_stats_.networks.push_back({name, std::string(name_of(network.config.kind)), {}});
  MacListing::Hooks hooks;
  hooks.slice = [this](const std::string& name, const std::vector<KnownStation>& stations) {
    const auto network = std::find_if(pending_stats_.networks.begin(), pending_stats_.networks.end(),
                                      [&](const NetworkStats& stats) { return stats.name == name; });
    if (network == pending_stats_.networks.end()) return;
    for (const KnownStation& known : stations)
      network->macs.push_back({known.station, std::string(topology_.registry().name_of(known.port.get())),
                               known.age_ns / 1'000'000'000});
  };
  hooks.pace = [](const std::function<void()>& next) { next(); };
  hooks.exists = [this](const MacListing::NamedNetwork& network) { return topology_.has(network); };
  hooks.end = [this] { finish_stats(); };
  MacListing::begin(link_, topology_.network_list({}), std::move(hooks));
}

void Daemon::finish_stats() {
  output_.print("stats " + stats_json(pending_stats_, topology_.registry()));
  gathering_stats_ = false;
  if (std::exchange(stats_asked_again_, false)) begin_stats();
}

void Daemon::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  notify_service_manager("STOPPING=1\n");
  Event event;
  event.text = "the daemon stops";
  events_.add(LogLevel::info, std::move(event));
  api_.stop();
  control_.stop();
  http_timer_.cancel();
  http_.stop();
  drop_watch_.stop();
  table_watch_.stop();
  links_.close();
  topology_.stop();
  if (data_thread_failed_) return dataplane_stopped(true);
  link_.send(Command{});
}

void Daemon::dataplane_stopped(bool memory_returned) {
  if (!memory_returned) {
    log_error("not every buffer came back to its pool");
    exit_code_ = 1;
  }
  topology_.finish([this] { finish_stop(); });
}

void Daemon::finish_stop() {
  if (!topology_.registry().records().empty()) {
    log_debug("stats {}", stats_json({engine_name_, {}}, topology_.registry()));
    log_info("{}", summary_text(topology_.registry()));
  }
  log_info("stopped");
  output_.finish();
  control_.close();
  http_.close();
  signals_.cancel();
  link_.close();
  io_.stop();
}

}  // namespace lanyard
