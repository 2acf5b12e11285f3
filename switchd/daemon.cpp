// The daemon: start, notices, commands, statistics, stop; in that order.
#include "switchd/daemon.h"

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <random>
#include <system_error>

#include "switchd/engine_choice.h"
#include "switchd/log.h"
#include "switchd/service_manager.h"

namespace lanyard {

namespace {

// Every connection is a descriptor: take what the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

[[nodiscard]] std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

Daemon::Daemon(const Config& config)
    : config_(config),
      signals_(io_, SIGTERM, SIGINT, SIGUSR1),
      notice_wake_(io_),
      command_retry_(io_),
      output_(io_, STDOUT_FILENO) {
  (void)std::signal(SIGPIPE, SIG_IGN);  // a gone peer is an errno; a closed standard output is not our end
  raise_descriptor_limit();
  handover_.command_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  handover_.notice_wake = Fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!handover_.command_wake || !handover_.notice_wake) throw std::system_error(errno, std::generic_category());
  notice_wake_.assign(::dup(handover_.notice_wake.get()));
}

Daemon::~Daemon() = default;

int Daemon::run() {
  for (const ConfigError& warning : config_.warnings) log_warn("{}", to_string(warning));
  choose_engine();
  start_dataplane();
  await_signal();
  if (!open_ports()) {
    exit_code_ = 1;
    begin_stop();
  }
  io_.run();
  if (data_thread_.joinable()) data_thread_.join();
  return exit_code_;
}

bool Daemon::is_resolving() const {
  return std::any_of(ports_.begin(), ports_.end(), [](const auto& port) { return port->is_resolving(); });
}

void Daemon::choose_engine() {
  const UringCapabilities uring = config_.engine == EngineChoice::epoll ? UringCapabilities{} : probe_uring();
  ChosenEngine chosen = lanyard::choose_engine(config_.engine, has_stream_port(config_), uring);
  if (!chosen.remark.empty())
    log(config_.engine == EngineChoice::io_uring ? LogLevel::warn : LogLevel::info, "{}", chosen.remark);
  engine_name_ = chosen.name;
  make_engine_ = std::move(chosen.make);
}

void Daemon::start_dataplane() {
  DataplaneOptions options;
  for (const auto& [name, kind] : config_.networks) {
    network_indices_[name] = static_cast<NetworkIndex>(network_names_.size());
    network_names_.push_back(name);
    options.networks.push_back(kind);
  }
  options.seed = random_seed();
  dataplane_ = std::make_unique<Dataplane>(options, handover_, make_engine_);
  await_notices();
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the control plane's
  data_thread_ = std::thread([this] {
    if (dataplane_->run()) return;
    const int error = errno;
    asio::post(io_, [this, error] {
      log_error("engine {} does not start: {}", engine_name_, std::strerror(error));
      exit_code_ = 1;
      data_thread_failed_ = true;
      if (stopping_) finish_stop(true);  // the stop command has no reader
      else begin_stop();
    });
  });
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// All are tried, so that every port that cannot be opened is named.
bool Daemon::open_ports() {
  bool all_open = true;
  for (const PortConfig& config : config_.ports) {
    ports_.push_back(make_port_control(config, *this));
    PortControl& port = *ports_.back();
    if (const auto error = port.open()) {
      log_error("port {}: {}", config.name, error->what);
      all_open = false;
    }
  }
  if (!all_open) return false;
  for (const auto& port : ports_)
    print("port " + port->config().name + " " + std::string(name_of(port->config().type)) + ":" + port->address());
  return true;
}

// The engine runs and every port that is open carries frames; what happened meanwhile is told now.
void Daemon::announce_ready() {
  ready_ = true;
  print("ready");
  notify_service_manager("READY=1\nSTATUS=" + std::to_string(config_.ports.size()) + " ports\n");
  log_info("ready: {} ports, engine {}", config_.ports.size(), engine_name_);
  for (const auto& port : ports_) port->begin();
  for (Notice& notice : std::exchange(early_notices_, {})) take_notice(notice);
}

std::uint64_t Daemon::attach(std::unique_ptr<Transport> transport, PortControl& owner) {
  const std::uint64_t serial = next_serial_++;
  transport->serial = serial;
  owners_[serial] = &owner;
  if (!ready_) starting_.insert(serial);
  Command attach;
  attach.kind = Command::Kind::attach;
  attach.transport = std::move(transport);
  command(std::move(attach));
  return serial;
}

void Daemon::print(const std::string& line) { output_.print(line); }

void Daemon::command(Command command) {
  unsent_commands_.push_back(std::move(command));
  send_commands();
}

void Daemon::send_commands() {
  while (!unsent_commands_.empty() && handover_.commands.push(unsent_commands_.front())) unsent_commands_.pop_front();
  const std::uint64_t one = 1;
  (void)!::write(handover_.command_wake.get(), &one, sizeof one);
  if (unsent_commands_.empty()) return;
  command_retry_.expires_after(std::chrono::milliseconds(1));  // the queue was full; the data plane empties it
  command_retry_.async_wait([this](const asio::error_code& cancelled) {
    if (!cancelled) send_commands();
  });
}

void Daemon::await_notices() {
  notice_wake_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const asio::error_code& error) {
    if (error) return;
    std::uint64_t count;
    (void)!::read(handover_.notice_wake.get(), &count, sizeof count);
    take_notices();
    if (notice_wake_.is_open()) await_notices();
  });
}

void Daemon::take_notices() {
  while (auto notice = handover_.notices.pop()) {
    const bool starts = starting_.erase(notice->serial) > 0;
    if (starts && notice->kind == Notice::Kind::closed && !stopping_) {
      log_error("port {}: {}", owners_.at(notice->serial)->config().name, cause_text(*notice));
      exit_code_ = 1;
      begin_stop();
    }
    const bool ends_start = starts && starting_.empty();
    if (ready_ || stopping_) take_notice(*notice);
    else early_notices_.push_back(std::move(*notice));
    if (ends_start && !stopping_) announce_ready();
  }
}

void Daemon::take_notice(Notice& notice) {
  if (notice.kind == Notice::Kind::stopped) return finish_stop(notice.memory_returned);
  if (notice.kind == Notice::Kind::macs) return take_stations(notice);
  if (notice.kind == Notice::Kind::started) return;
  const auto owner = owners_.find(notice.serial);
  LANYARD_CHECK(owner != owners_.end());
  PortControl& port = *owner->second;
  switch (notice.kind) {
    case Notice::Kind::attached: return port.attached(notice);
    case Notice::Kind::crowded: return port.crowded(notice);
    case Notice::Kind::oversize: return port.oversize(notice);
    case Notice::Kind::peer_up: return port.peer_up(notice);
    case Notice::Kind::peer_down: return port.peer_down(notice);
    default: break;
  }
  owners_.erase(owner);
  if (!stopping_) port.closed(notice);
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
  for (const std::string& name : network_names_)
    pending_stats_.networks.push_back({name, std::string(name_of(config_.networks.at(name))), {}});
  Command list;
  list.kind = Command::Kind::list_macs;
  command(std::move(list));
}

void Daemon::take_stations(Notice& notice) {
  NetworkStats& network = pending_stats_.networks.at(notice.network);
  for (const KnownStation& known : notice.stations)
    network.macs.push_back(
        {known.station, std::string(registry_.name_of(known.port.get())), known.age_ns / 1'000'000'000});
  Command next;
  next.kind = Command::Kind::list_macs;
  next.network = notice.network;
  next.cursor = notice.cursor;
  if (notice.cursor == MacTable::list_end) {
    next.network = notice.network + 1;
    next.cursor = 0;
  }
  if (next.network == network_names_.size()) return finish_stats();
  command(std::move(next));
}

void Daemon::finish_stats() {
  print("stats " + stats_json(pending_stats_, registry_));
  gathering_stats_ = false;
  if (std::exchange(stats_asked_again_, false)) begin_stats();
}

void Daemon::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  notify_service_manager("STOPPING=1\n");
  log_info("stopping");
  for (const auto& port : ports_) port->stop();
  if (data_thread_failed_) return finish_stop(true);
  command(Command{});
}

void Daemon::finish_stop(bool memory_returned) {
  for (const auto& port : ports_) port->stopped();
  if (!ports_.empty()) log_info("stats {}", stats_json({engine_name_, {}}, registry_));
  if (!memory_returned) {
    log_error("not every buffer came back to its pool");
    exit_code_ = 1;
  }
  log_info("stopped");
  output_.finish();
  signals_.cancel();
  command_retry_.cancel();
  notice_wake_.close();
  io_.stop();
}

}  // namespace lanyard
