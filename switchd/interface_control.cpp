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
  return config_.type == PortType::tap ? open_with_script() : open_beside_the_host();
}

std::optional<OpenError> InterfaceControl::open_with_script() {
  auto opened = open_tap(config_.interface, comes_back_ ? MissingTap::is_an_error : MissingTap::is_made);
  if (auto* error = std::get_if<OpenError>(&opened)) return std::move(*error);
  Fd& fd = std::get<Fd>(opened);
  if (!config_.up_script.empty()) {
    const std::string wrong = run_script(config_.up_script, config_.interface);
    if (!wrong.empty()) return OpenError{"up script " + config_.up_script + ": " + wrong, 0};
  }
  is_scripted_up_ = true;
  if (!config_.down_script.empty()) keeper_ = Fd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  hand_over(std::move(fd), Io::device, limits::frame_bytes_max);
  return std::nullopt;
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
  services_.event(LogLevel::error, EventKind::port_down, config_.name,
                  fmt::format("port {} down: {}", config_.name, cause_text(notice)));
  run_down_script();
}

// The last frames have left, or been given up.
void InterfaceControl::stopped() {
  book_drops();
  run_down_script();
  if (down_) down_->finish();
}

void InterfaceControl::run_down_script() {
  if (!std::exchange(is_scripted_up_, false) || config_.down_script.empty()) return;
  down_.emplace(services_.io(), config_.down_script, config_.interface, [this](const std::string& wrong) {
    if (!wrong.empty()) log_warn("port {}: down script {}: {}", config_.name, config_.down_script, wrong);
    keeper_.reset();
  });
}

}  // namespace lanyard
