// Ports on interfaces of this host; see the header.
#include "switchd/interface_control.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "switchd/log.h"
#include "transports/open_interface.h"

namespace lanyard {

std::optional<OpenError> InterfaceControl::open() {
  return config_.type == PortType::tap ? open_device() : open_beside_the_host();
}

std::optional<OpenError> InterfaceControl::open_device() {
  auto opened = open_tap(config_.interface, comes_back_ ? MissingTap::is_an_error : MissingTap::is_made);
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  device_ = std::move(std::get<Fd>(opened));
  services_.registry().set(config_.name, record(address(), "down", nullptr));
  return std::nullopt;
}

void InterfaceControl::await_open(Opening opened) {
  if (!device_) return opened(std::nullopt);  // a packet socket
  opened_ = std::move(opened);
  if (config_.up_script.empty()) return up_script_ended({});
  show_down("its up script runs");
  run(config_.up_script, [this](const std::string& wrong) { up_script_ended(wrong); });
}

void InterfaceControl::up_script_ended(const std::string& wrong) {
  is_scripted_up_ = wrong.empty();
  Fd device = std::move(device_);
  const Opening opened = std::exchange(opened_, nullptr);
  if (!wrong.empty()) device.reset();
  else if (!config_.down_script.empty()) keeper_ = Fd(::fcntl(device.get(), F_DUPFD_CLOEXEC, 0));
  if (stopping_) return finish_if_idle();
  if (!wrong.empty()) return opened(OpenError{"up script " + config_.up_script + ": " + wrong, 0});
  hand_over(std::move(device), Io::device, limits::frame_bytes_max);
  opened(std::nullopt);
}

std::optional<OpenError> InterfaceControl::open_beside_the_host() {
  auto opened = open_packet_socket(config_.interface);
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  auto& socket = std::get<PacketSocket>(opened);
  ears_ = Fd(::fcntl(socket.fd.get(), F_DUPFD_CLOEXEC, 0));
  hand_over(std::move(socket.fd), Io::socket, socket.frame_bytes_max);
  return std::nullopt;
}

// The kernel drops or refuses what the interface cannot carry.
void InterfaceControl::hand_over(Fd fd, Io io, std::size_t frame_bytes_max) {
  auto transport = std::make_unique<Transport>(Wire::datagram, std::move(fd), io);
  transport->sources = Sources::interface;
  frame_bytes_max_ = frame_bytes_max;
  name_ = config_.interface;
  interface_ = ::if_nametoindex(name_.c_str());
  transport->ports.push_back(make_port(Wire::datagram, PortControl::max_frame_bytes()));
  Port& port = *transport->ports.front();
  port.counters = services_.own_counters(config_.name);
  port.transport = transport.get();
  services_.registry().set(config_.name, record(address(), "up", port.counters));
  if (io == Io::device) watch_drops(port.counters);
  serial_ = services_.attach(std::move(transport), *this);
}

// --- What becomes of its interface, and of others' packets.

// That it has gone the data plane finds.
void InterfaceControl::links_changed(const std::set<unsigned>&) {
  char name[IF_NAMESIZE] = "";
  if (serial_ == 0 || ::if_indextoname(interface_, name) == nullptr || name == name_) return;
  renamed(name);
}

void InterfaceControl::renamed(const std::string& name) {
  const std::string before = std::exchange(name_, name);
  if (config_.type == PortType::nic) return services_.detach(serial_, "its interface has another name by now");
  if (PortRecord* const known = services_.registry().find(config_.name)) known->address = name_;
  services_.event(LogLevel::info, EventKind::port_changed, config_.name,
                  fmt::format("port {}: its TAP {} is called {} by now", config_.name, before, name_));
}

void InterfaceControl::keep_away(const std::vector<PacketEnd>& ends) {
  if (!ears_ || away_ == ends) return;
  away_ = ends;
  const bool are_few = ends.size() <= packet_ends_max;
  const int error = are_few ? lanyard::keep_away(ears_.get(), ends) : ENOMEM;
  if (error != 0)
    log_warn("port {}: it hears the packets of {} ports and connections in its network, which may go round: {}",
             config_.name, ends.size(), are_few ? std::strerror(error) : "too many to be kept away");
}

void InterfaceControl::watch_drops(std::shared_ptr<PortCounters> counters) {
  counters_ = std::move(counters);
  statistics_.emplace(config_.interface);
  dropped_before_ = statistics_->tx_dropped().value_or(0);
  booked_before_ = counters_->kernel_drops.get();
  every_second_.begin();
}

// The port's counter has one writer, as all have: of a TAP it is this thread, because the kernel may let one wait for
// the answer; of a socket it is the data thread (book_kernel_drops).
void InterfaceControl::book_drops() {
  if (!statistics_) return;
  if (const auto dropped = statistics_->tx_dropped(); dropped && *dropped > dropped_before_)
    counters_->kernel_drops.set(booked_before_ + *dropped - dropped_before_);
}

// A card or the host's stack that puts TCP segments together gives frames which no wire carries. Told at most once a
// minute; every frame is counted.
void InterfaceControl::oversize(const Notice& notice) {
  const auto now = std::chrono::steady_clock::now();
  if (config_.type != PortType::nic || (oversize_at_ && now - *oversize_at_ < std::chrono::minutes(1))) return;
  oversize_at_ = now;
  log_warn("port {}: frames longer than {} bytes come in by {} and are dropped as oversize: offloads have merged them; "
           "have root say: ethtool -K {} gro off gso off tso off (of a veth: at its other end)",
           config_.name, notice.max_frame_bytes, config_.interface, config_.interface);
}

void InterfaceControl::closed(const Notice& notice) {
  serial_ = 0;
  ears_.reset();
  every_second_.stop();
  book_drops();
  show_down(cause_text(notice));
  services_.print("port " + config_.name + " down " + cause_text(notice));
  services_.event(stopping_ ? LogLevel::info : LogLevel::error, EventKind::port_down, config_.name,
                  fmt::format("port {} down: {}", config_.name, cause_text(notice)));
  run_down_script();
}

void InterfaceControl::stop() {
  stopping_ = true;
  every_second_.stop();
}

// The last frames have left, or been given up.
void InterfaceControl::finish(std::function<void()> done) {
  book_drops();
  finished_ = std::move(done);
  finish_if_idle();
}

void InterfaceControl::finish_if_idle() {
  if (script_runs_ || !finished_) return;
  run_down_script();
  if (!script_runs_) std::exchange(finished_, nullptr)();
}

void InterfaceControl::run_down_script() {
  if (!std::exchange(is_scripted_up_, false) || config_.down_script.empty()) return;
  show_down("its down script runs");
  run(config_.down_script, [this](const std::string& wrong) {
    if (!wrong.empty()) log_warn("port {}: down script {}: {}", config_.name, config_.down_script, wrong);
    keeper_.reset();
    finish_if_idle();
  });
}

void InterfaceControl::run(const std::string& path, ScriptEnded ended) {
  script_runs_ = true;
  run_script(services_.io(), path, config_.interface, [this, ended = std::move(ended)](const std::string& wrong) {
    script_runs_ = false;
    ended(wrong);
  });
}

}  // namespace lanyard
