// What a frame costs in user space: whole turns of the data plane's loop on an engine that makes no system
// call. It gives the same received bytes again and again, and takes whatever is to be sent at once; what is
// left is framing, deciding, queueing and counting, as in the daemon. run.py measures the same with the
// kernel in it.
//
//   streams      one chunk full of frames in each turn       datagrams    64 of them in each turn
//
//   dataplane_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>
#include <sys/eventfd.h>

#include <cstring>
#include <vector>

#include "bench/traffic.h"
#include "frames/check.h"
#include "switchd/dataplane.h"
#include "transports/clock.h"
#include "transports/receive.h"

namespace lanyard::bench {
namespace {

constexpr Route there{station_mac(1), station_mac(2)};
constexpr Route back{station_mac(2), station_mac(1)};

// The first transport receives; before the first turn, the second has received one frame, so that it is
// known.
class EndlessEngine final : public Engine {
 public:
  EndlessEngine(const DataContext& context, std::span<const std::byte> stream,
                std::span<const Burst> datagrams)
      : Engine(context), stream_(stream), datagrams_(datagrams) {}

  std::string_view name() const override { return "endless"; }
  std::uint64_t now_ns() const override { return monotonic_ns(); }
  int attach(Transport& transport) override {
    transport.state = Transport::State::up;
    transports_.push_back(&transport);
    return 0;
  }
  void detach(Transport& transport) override {
    transport.state = Transport::State::draining;
    context_.inbox.events.push_back({TransportEvent::Kind::detached, &transport, nullptr, "", 0});
  }

  void wait(std::uint64_t) override {
    woke_ns_ = now_ns();
    if (transports_.size() < 2) return;
    if (!introduced_) {
      introduced_ = true;
      const Burst greeting = make_greeting(back);
      receive(*transports_[1], greeting.wire, {&greeting, 1});
    } else if (receiving) {
      receive(*transports_[0], stream_, datagrams_);
    }
  }

  void flush(Transport& transport) override {
    for (Port* port : transport.dirty) {
      while (!port->egress.empty())
        port->count_sent(transport.wire() == Wire::stream ? port->egress.sent(port->egress.queued_bytes())
                                                          : port->egress.pop_front());
      port->show_queue();
      port->dirty = false;
    }
    transport.dirty.clear();
  }

  bool receiving = true;

 private:
  void receive(Transport& transport, std::span<const std::byte> stream, std::span<const Burst> datagrams) {
    if (transport.wire() == Wire::stream) {
      const StreamReader::Window window = stream_window(transport, context_.chunks, scratch());
      LANYARD_CHECK(stream.size() <= window.bytes);
      if (window.data != filled_) std::memcpy(window.data, stream.data(), stream.size());
      filled_ =
          stream.data() == stream_.data() ? window.data : nullptr;  // else what is there already will do
      return stream_received(transport, static_cast<std::ptrdiff_t>(stream.size()), context_.inbox);
    }
    for (const Burst& burst : datagrams) {
      const std::span<const std::byte> frame = burst.frames.front();
      Buffer* slot = context_.slots.take();
      std::byte* data = slot->memory() + limits::slot_headroom_bytes;
      std::memcpy(data, frame.data(), traffic_frame_bytes_min);  // its headers; nothing reads the rest
      datagram_received(transport, {slot, data, frame.size(), false, {}, transport.ports.front()->peer}, context_,
                        now_);
    }
  }

  std::span<const std::byte> stream_;
  std::span<const Burst> datagrams_;
  std::vector<Transport*> transports_;
  bool introduced_ = false;
  const std::byte* filled_ = nullptr;
  std::uint64_t now_ = monotonic_ns();
};

SocketAddress peer_address(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return SocketAddress(&address, sizeof address);
}

std::unique_ptr<Transport> make_transport(Wire wire, std::uint64_t serial, FramePool& chunks) {
  auto transport = std::make_unique<Transport>(wire, Fd());
  transport->serial = serial;
  transport->sources = Sources::one_peer;
  transport->ports.push_back(
      std::make_unique<Port>(wire, 0, limits::frame_bytes_max, limits::queue_frames_default, chunks));
  transport->ports.front()->transport = transport.get();
  if (wire == Wire::datagram)
    transport->ports.front()->peer = peer_address(static_cast<std::uint16_t>(serial));
  return transport;
}

// Two ports in one network, whose past is kept if so wanted; each iteration is one turn.
void run_turns(benchmark::State& state, Wire wire, std::span<const std::byte> stream,
               std::span<const Burst> datagrams, bool keep_past = false) {
  Handover handover;
  handover.command_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  handover.notice_wake = Fd(::eventfd(0, EFD_NONBLOCK));
  EndlessEngine* engine = nullptr;
  DataplaneOptions options;
  options.networks.emplace_back();
  Dataplane dataplane(options, handover, [&](const DataContext& context, int) {
    auto made = std::make_unique<EndlessEngine>(context, stream, datagrams);
    engine = made.get();
    return made;
  });
  for (std::uint64_t serial : {1, 2}) {
    Command command;
    command.kind = Command::Kind::attach;
    command.transport = make_transport(wire, serial, dataplane.chunks());
    LANYARD_CHECK(handover.commands.push(command));
  }
  if (keep_past) {
    Command keep;
    keep.kind = Command::Kind::swap_rewind;
    keep.rewind = std::make_unique<Rewind>(64 * limits::mebi);
    LANYARD_CHECK(handover.commands.push(keep));
  }
  dataplane.turn(0);  // attaches
  dataplane.turn(0);  // the second station is learned
  std::uint64_t frames = 0;
  for (auto _ : state) frames += dataplane.turn(0);
  state.SetItemsProcessed(static_cast<std::int64_t>(frames));
  state.counters["per_frame"] = benchmark::Counter(static_cast<double>(frames),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);

  engine->receiving = false;
  Command stop;
  LANYARD_CHECK(handover.commands.push(stop));
  LANYARD_CHECK(dataplane.run());
}

void streams(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const std::size_t count = limits::chunk_receive_bytes / (bytes + limits::length_header_bytes);
  const std::vector<Burst> chunk = make_bursts(there, {&bytes, 1}, count);
  run_turns(state, Wire::stream, chunk.front().wire, {});
}
BENCHMARK(streams)->Arg(64)->Arg(1514);

// What an observer costs: each frame is copied twice to a ring, as received and as queued.
void streams_with_past(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  const std::size_t count = limits::chunk_receive_bytes / (bytes + limits::length_header_bytes);
  const std::vector<Burst> chunk = make_bursts(there, {&bytes, 1}, count);
  run_turns(state, Wire::stream, chunk.front().wire, {}, true);
}
BENCHMARK(streams_with_past)->Arg(64)->Arg(1514);

void streams_imix(benchmark::State& state) {
  const std::vector<std::size_t> mix = *parse_mix("imix");
  const std::vector<Burst> chunk = make_bursts(there, mix, 600);  // 217 kB
  run_turns(state, Wire::stream, chunk.front().wire, {});
}
BENCHMARK(streams_imix);

void datagrams(benchmark::State& state) {
  const auto bytes = static_cast<std::size_t>(state.range(0));
  std::vector<Burst> frames;
  for (std::size_t i = 0; i < limits::datagrams_per_receive; ++i)
    frames.push_back(std::move(make_bursts(there, {&bytes, 1}, 1).front()));
  run_turns(state, Wire::datagram, {}, frames);
}
BENCHMARK(datagrams)->Arg(64)->Arg(1514);

}  // namespace
}  // namespace lanyard::bench
