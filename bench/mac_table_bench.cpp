// What the MAC table and the bridge cost per frame: learning (a refresh) and looking up with N stations in
// random order, and deciding batches. The table is warm: every figure is taken after each station was learned
// once. Addresses look like those of virtual machines, a fixed vendor prefix and a counter.
//
//   mac_table_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <vector>

#include "frames/bridge.h"
#include "frames/mac_table.h"

namespace {

using namespace lanyard;

constexpr std::size_t ports = 64;
constexpr std::uint64_t now_ns = 1'000'000'000;

MacAddress station(std::size_t number) { return MacAddress(0x5254'0000'0000ULL + number); }
PortIndex port_of(std::size_t number) { return static_cast<PortIndex>(number % ports); }

std::vector<std::size_t> shuffled(std::size_t stations) {
  std::vector<std::size_t> order(stations);
  for (std::size_t i = 0; i < stations; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), std::mt19937_64(7));
  return order;
}

MacTable filled(std::size_t stations) {
  MacTable table({.seed = 42});
  for (std::size_t i = 0; i < stations; ++i) table.learn(station(i), port_of(i), now_ns);
  return table;
}

void learn_known(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const std::vector<std::size_t> order = shuffled(stations);
  MacTable table = filled(stations);
  std::uint64_t now = now_ns;
  for (auto _ : state) {
    ++now;  // so that every refresh has a time to write
    for (const std::size_t number : order) table.learn(station(number), port_of(number), now);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void look_up_known(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const std::vector<std::size_t> order = shuffled(stations);
  const MacTable table = filled(stations);
  for (auto _ : state)
    for (const std::size_t number : order) benchmark::DoNotOptimize(table.look_up(station(number), now_ns));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// Each look-up must end before the next can begin: the latency, where the one above shows the throughput.
void look_up_chained(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const std::vector<std::size_t> order = shuffled(stations);
  const MacTable table = filled(stations);
  std::size_t zero = 0;
  for (auto _ : state)
    for (const std::size_t number : order) {
      zero = table.look_up(station(number + zero), now_ns) >> 16;  // ports are below 2^16
      benchmark::DoNotOptimize(zero);
    }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void look_up_unknown(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const std::vector<std::size_t> order = shuffled(stations);
  const MacTable table = filled(stations);
  for (auto _ : state)
    for (const std::size_t number : order)
      benchmark::DoNotOptimize(table.look_up(station(number + stations), now_ns));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// New stations into an empty table, growth included.
void learn_new(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const std::vector<std::size_t> order = shuffled(stations);
  for (auto _ : state) {
    MacTable table({.seed = 42});
    for (const std::size_t number : order) table.learn(station(number), port_of(number), now_ns);
    benchmark::DoNotOptimize(table.size());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

// A full table under a flood of addresses never seen before: every one evicts.
void learn_flood(benchmark::State& state) {
  const auto capacity = static_cast<std::size_t>(state.range(0));
  MacTable table({.capacity = capacity, .seed = 42});
  std::size_t number = 0;
  for (; number < capacity; ++number) table.learn(station(number), port_of(number), now_ns);
  for (auto _ : state) {
    table.learn(station(number), 5, now_ns);
    ++number;
  }
  state.SetItemsProcessed(state.iterations());
}

// A stream of frames cut into batches: `run` frames in a row have the same two stations.
void classify(benchmark::State& state) {
  const auto stations = static_cast<std::size_t>(state.range(0));
  const auto run = static_cast<std::size_t>(state.range(1));
  constexpr std::size_t batch_frames = 256;
  constexpr std::size_t stride = 64;
  Bridge bridge(NetworkKind::learning_switch, {.seed = 42});
  for (PortIndex port = 0; port < ports; ++port) bridge.add_port(port);

  const std::size_t total = std::max<std::size_t>(batch_frames, stations / batch_frames * batch_frames);
  std::vector<std::byte> memory(total * stride);
  std::vector<Frame> frames(total);
  std::mt19937_64 random(7);
  std::size_t destination = 0;
  std::size_t source = 0;
  for (std::size_t i = 0; i < total; ++i) {
    if (i % run == 0) {
      destination = random() % stations;
      source = random() % stations;
    }
    std::byte* data = memory.data() + i * stride;
    for (std::size_t byte = 0; byte < 6; ++byte) {
      data[byte] = static_cast<std::byte>(station(destination).value() >> (40 - 8 * byte));
      data[6 + byte] = static_cast<std::byte>(station(source).value() >> (40 - 8 * byte));
    }
    frames[i] = {.data = data, .bytes = 60, .ingress = port_of(source)};
  }
  std::array<Verdict, batch_frames> verdicts;
  for (std::size_t i = 0; i < stations; ++i) {  // every station speaks once
    std::byte data[14] = {};
    for (std::size_t byte = 0; byte < 6; ++byte)
      data[6 + byte] = static_cast<std::byte>(station(i).value() >> (40 - 8 * byte));
    const Frame frame{.data = data, .bytes = 14, .ingress = port_of(i)};
    bridge.classify({&frame, 1}, {verdicts.data(), 1}, now_ns);
  }

  std::uint64_t now = now_ns;
  std::size_t at = 0;
  for (auto _ : state) {
    bridge.classify({frames.data() + at, batch_frames}, verdicts, ++now);
    benchmark::DoNotOptimize(verdicts);
    at = (at + batch_frames) % total;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch_frames));
}

constexpr std::int64_t station_counts[] = {1000, 10'000, 100'000};

void each_count(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t count : station_counts) bench->Arg(count);
}
void each_count_and_run(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t count : station_counts)
    for (const std::int64_t run : {1, 8, 64}) bench->Args({count, run});
}

}  // namespace

BENCHMARK(learn_known)->Apply(each_count);
BENCHMARK(look_up_known)->Apply(each_count);
BENCHMARK(look_up_chained)->Apply(each_count);
BENCHMARK(look_up_unknown)->Apply(each_count);
BENCHMARK(learn_new)->Apply(each_count);
BENCHMARK(learn_flood)->Arg(1024)->Arg(131072);
BENCHMARK(classify)->Apply(each_count_and_run);
