// The rig; see the header.
#include "tests/support/rig.h"

#include <arpa/inet.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>

#include "switchd/engine_choice.h"
#include "transports/clock.h"
#include "transports/epoll_engine.h"

namespace lanyard::test {

namespace {

// A UDP socket on a free loopback port.
Fd udp_socket(SocketAddress& address) {
  Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  LANYARD_CHECK(::bind(fd.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) == 0);
  const int buffer_bytes = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  sockaddr_in bound{};
  socklen_t length = sizeof bound;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &length);
  address = SocketAddress(&bound, length);
  return fd;
}

}  // namespace

bool balances(const PortCounters& c) {
  return c.received_frames.get() == c.unicast.get() + c.flooded.get() + c.echoed_frames.get() +
                                          c.dropped(DropSide::ingress) &&
         c.copies.get() == c.sent_frames.get() + c.queued_frames.get() + c.dropped(DropSide::egress);
}

Rig::Rig(const RigOptions& options) {
  handover_.command_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  handover_.notice_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  DataplaneOptions plane;
  for (const NetworkKind kind : options.networks) plane.networks.push_back({.kind = kind});
  plane.seed = options.seed;
  plane.chunks = options.chunks;
  plane.slots = options.slots;
  EngineFactory factory;
  if (options.engine == "sim") {
    world_ = std::make_unique<SimWorld>(options.seed, options.faults);
    factory = [this](const DataContext& context, int) { return std::make_unique<SimEngine>(context, *world_); };
  } else if (options.engine == "io_uring") {
    factory = choose_engine(EngineChoice::io_uring, probe_uring()).make;
  } else {
    factory = choose_engine(EngineChoice::epoll, {}).make;
  }
  plane_ = std::make_unique<Dataplane>(plane, handover_, factory);
  LANYARD_CHECK(plane_->engine().name() == options.engine);
  LANYARD_CHECK(plane_->engine().start());
}

Rig::~Rig() {
  if (!stopped_) (void)stop();
}

Vm& Rig::add(const VmOptions& options) {
  vms_.push_back(std::make_unique<Vm>());
  Vm& vm = *vms_.back();
  vm.rig_ = this;
  vm.wire_ = options.wire;
  auto port = std::make_unique<Port>(options.wire, options.network, options.max_frame_bytes, options.queue_frames,
                                     plane_->chunks());
  Fd ours;
  Sources sources = Sources::connected;
  if (world_) {
    ours = world_->make_endpoint(options.wire);
    vm.endpoint_ = ours.get();
  } else if (options.wire == Wire::stream) {
    int pair[2];
    LANYARD_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    ours = Fd(pair[0]);
    vm.fd_ = Fd(pair[1]);
  } else {
    SocketAddress here;
    ours = udp_socket(here);
    vm.fd_ = udp_socket(port->peer);
    LANYARD_CHECK(::connect(vm.fd_.get(), &here.any, here.length) == 0);
    sources = Sources::one_peer;
    port->gso_bytes_max = limits::udp_payload_bytes_max;
  }
  auto transport = std::make_unique<Transport>(options.wire, std::move(ours));
  transport->sources = sources;
  transport->reader = StreamReader(options.max_frame_bytes);
  port->owner = options.owner;
  vm.counters_ = port->counters;
  port->transport = transport.get();
  transport->ports.push_back(std::move(port));
  vm.serial_ = attach(std::move(transport));
  return vm;
}

std::uint64_t Rig::attach(std::unique_ptr<Transport> transport) {
  for (const auto& port : transport->ports) all_counters_.push_back(port->counters);
  Command command;
  command.kind = Command::Kind::attach;
  transport->serial = next_serial_++;
  const std::uint64_t serial = transport->serial;
  command.transport = std::move(transport);
  LANYARD_CHECK(handover_.commands.push(command));
  plane_->turn(0);
  return serial;
}

void Rig::detach(const Vm& vm) {
  Command detach;
  detach.kind = Command::Kind::detach;
  detach.serial = vm.serial_;
  command(std::move(detach));
}

void Rig::command(Command command) { LANYARD_CHECK(handover_.commands.push(command)); }

// The VMs' side of the work, and the control plane's.
void Rig::pump() {
  for (const auto& vm : vms_) {
    if (vm->fd_ && !vm->unsent_.empty()) {
      const ssize_t sent = ::send(vm->fd_.get(), vm->unsent_.data(), vm->unsent_.size(), MSG_NOSIGNAL);
      if (sent > 0) vm->unsent_.erase(0, static_cast<std::size_t>(sent));
    }
    if (vm->reading_) vm->drain();
  }
  while (auto notice = handover_.notices.pop()) {
    if (notice->kind == Notice::Kind::peer_up) all_counters_.push_back(notice->counters);
    notices_.push_back(std::move(*notice));
  }
}

bool Rig::run_until(const std::function<bool()>& done) {
  const std::uint64_t deadline = monotonic_ns() + 10'000'000'000ULL;
  for (int turn = 0; world_ ? turn < 100'000 : monotonic_ns() < deadline; ++turn) {
    pump();
    if (done()) return true;
    plane_->turn(plane_->engine().now_ns() + 1'000'000);
  }
  return false;
}

void Rig::turns(int count) {
  for (int i = 0; i < count; ++i) {
    plane_->turn(0);
    pump();
  }
}

void Rig::clear_notices() { notices_.clear(); }

Notice Rig::take_notice(Notice::Kind kind) {
  const auto is_wanted = [&](const Notice& notice) { return notice.kind == kind; };
  const auto find = [&] { return std::find_if(notices_.begin(), notices_.end(), is_wanted); };
  LANYARD_CHECK(run_until([&] { return find() != notices_.end(); }));
  const auto found = find();
  Notice notice = std::move(*found);
  notices_.erase(found);
  return notice;
}

bool Rig::closed(std::uint64_t serial) const {
  return std::any_of(notices_.begin(), notices_.end(), [&](const Notice& notice) {
    return notice.kind == Notice::Kind::closed && notice.serial == serial;
  });
}

bool Rig::stop() {
  stopped_ = true;
  plane_->stop();
  pump();
  return !notices_.empty() && notices_.back().kind == Notice::Kind::stopped && notices_.back().memory_returned;
}

bool Rig::ledger_balances() const {
  return std::all_of(all_counters_.begin(), all_counters_.end(), [](const auto& c) { return balances(*c); });
}

void Vm::send(const std::string& frame) { send_raw(wire_ == Wire::stream ? on_stream(frame) : frame); }

void Vm::send_raw(const std::string& bytes) {
  if (rig_->world_) return rig_->world_->vm_send(endpoint_, bytes);
  if (wire_ == Wire::datagram) {
    LANYARD_CHECK(::send(fd_.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
    return;
  }
  unsent_ += bytes;
  const ssize_t sent = ::send(fd_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
}

void Vm::drain() {
  if (!fd_) return;
  static thread_local char bytes[128 * 1024];
  for (;;) {
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 || (got == 0 && wire_ == Wire::stream)) return;
    if (wire_ == Wire::stream) stream_.append(bytes, static_cast<std::size_t>(got));
    else datagrams_.emplace_back(bytes, static_cast<std::size_t>(got));
  }
}

std::vector<std::string> Vm::received() {
  if (reading_) drain();
  if (wire_ == Wire::datagram) return rig_->world_ ? rig_->world_->at(endpoint_).datagrams_to_vm : datagrams_;
  const std::string& stream = rig_->world_ ? rig_->world_->at(endpoint_).stream_to_vm : stream_;
  std::vector<std::string> frames;
  for (std::size_t at = 0; at + 4 <= stream.size();) {
    const std::uint32_t length = load_be32(reinterpret_cast<const std::byte*>(stream.data()) + at);
    LANYARD_CHECK(length >= limits::frame_bytes_min && length <= limits::frame_bytes_max);
    if (at + 4 + length > stream.size()) break;
    frames.push_back(stream.substr(at + 4, length));
    at += 4 + length;
  }
  return frames;
}

void Vm::stop_reading() {
  reading_ = false;
  if (rig_->world_) rig_->world_->at(endpoint_).reading = false;
}

void Vm::resume_reading() {
  reading_ = true;
  if (rig_->world_) rig_->world_->at(endpoint_).reading = true;
}

void Vm::close() {
  if (rig_->world_) return rig_->world_->vm_close(endpoint_);
  fd_.reset();
}

bool Vm::down() const { return rig_->closed(serial_); }

}  // namespace lanyard::test
