// load: generator and sink in one thread, for switchd, the pump and vde_switch alike.
//
//   load [OPTIONS] FROM TO [FROM TO]...
//   load --flood [OPTIONS] FROM TO...
//   load --round-trips [OPTIONS] FROM TO [FROM TO]...
//   load --round-trips --beside N [OPTIONS] FROM TO FROM TO...
//
// Each pair is a flow of frames from a station at FROM to one at TO, both behind the program under test.
// First the stations of each flow greet each other through it, so that it has learned them, and `greeted` is
// printed; then a tenth of the measured traffic warms it up; then, with nothing under way at the beginning or
// the end, the CPU time of process --pid is read around the measured traffic. The last line of output is one
// JSON document; with --on-demand there is one for each line of standard input, measured when that comes:
//
//   frames, bytes   received by the sinks        sent, lost      lost = sent - frames
//   strays          flooded to the wrong sink    seconds         from the first send to the last arrival
//   cpu_ns, sleeps  of --pid in that time        rss_bytes       of --pid at its end
//   others          share of the time in which the core of --pid was busy with something else
//   with --round-trips instead of bytes and strays: beside (frames received by the other flows), min_ns,
//   median_ns, p90_ns, p99_ns, p999_ns, max_ns
//   with --flood frames, bytes, sent and lost count every copy
//
// One thread for both ends, because they share a core: two would only add the cost of switching between them.
#include <getopt.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>

#include "bench/endpoint.h"
#include "bench/flow.h"
#include "bench/process_usage.h"
#include "bench/round_trip.h"
#include "frames/limits.h"

namespace lanyard::bench {
namespace {

constexpr const char* usage =
    "usage: load [OPTIONS] FROM TO [FROM TO]...\n"
    "      --mix SIZE|imix       bytes of the frames (default 1514)\n"
    "      --burst FRAMES        in one write, or one sendmmsg (default 1)\n"
    "      --offload             datagrams of equal size leave as one UDP_SEGMENT send\n"
    "      --frames N            measured frames (default 1000000)\n"
    "      --seconds S           measured time at most (default 1)\n"
    "      --window FRAMES       under way at most, each flow (default 4096 or 1 MiB on streams, 128 else)\n"
    "      --rate N              frames per second over all flows (default: as fast as the windows allow)\n"
    "      --pid PID             the process under test\n"
    "      --core N              run there\n"
    "      --flood               broadcasts from the first endpoint, one copy to each of the others\n"
    "      --round-trips         one frame there and back at a time, between each two; --frames and --rate are of\n"
    "                            each\n"
    "      --beside N            only between the first two, and beside N frames per second of the other flows, 1514\n"
    "                            bytes each in bursts of 32\n"
    "      --deaf                the sinks (of --beside, where that is given) never read, and there is no window\n"
    "      --on-demand           measures once for each line of standard input\n"
    "ENDPOINT = unix-connect:PATH | tcp-connect:HOST:PORT | udp:HOST:PORT,remote=HOST:PORT | "
    "mcast:GROUP:PORT,interface=HOST | vde:PATH";

// Half of what switchd queues for a port by default: a window below that is never the cause of a drop.
constexpr std::uint64_t stream_window_frames = limits::queue_frames_default / 2;
constexpr std::uint64_t stream_window_bytes = limits::queue_bytes_max / 2;
// Two receives of a batch. A socket's default receive buffer holds about 90 full-size datagrams, those of the
// bench are larger; both halves of the way have one.
constexpr std::uint64_t datagram_window_frames = 2 * limits::datagrams_per_receive;

constexpr std::uint32_t first_station = 1;

constexpr std::size_t beside_bytes = 1514;
constexpr std::size_t beside_burst_frames = 32;

struct Options {
  std::vector<std::size_t> mix{1514};
  std::size_t burst_frames = 1;
  bool offload = false;
  std::uint64_t frames = 1'000'000;
  double seconds = 1;
  std::uint64_t window_frames = 0;
  double rate = 0;
  double beside_rate = 0;
  pid_t pid = 0;
  int core = -1;
  bool flood = false;
  bool round_trips = false;
  bool deaf = false;
  bool on_demand = false;
  std::vector<Endpoint> endpoints;  // FROM, TO, FROM, TO, ...
};

template <typename Number>
Number parse_number(const char* option, const char* text) {
  Number number{};
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stopped != end || number < 0)
    usage_error(std::string("--") + option + ": expected a number, not " + text);
  return number;
}

void set_option(Options& options, const std::string& name, const char* value) {
  if (name == "mix") {
    const auto mix = parse_mix(value);
    if (!mix) usage_error("--mix: expected imix or 60 to 69632 bytes");
    options.mix = *mix;
  } else if (name == "burst") {
    options.burst_frames = std::max<std::size_t>(1, parse_number<std::size_t>("burst", value));
  } else if (name == "frames") {
    options.frames = parse_number<std::uint64_t>("frames", value);
  } else if (name == "seconds") {
    options.seconds = parse_number<double>("seconds", value);
  } else if (name == "window") {
    options.window_frames = parse_number<std::uint64_t>("window", value);
  } else if (name == "rate") {
    options.rate = parse_number<double>("rate", value);
  } else if (name == "beside") {
    options.beside_rate = parse_number<double>("beside", value);
  } else if (name == "pid") {
    options.pid = parse_number<pid_t>("pid", value);
  } else if (name == "core") {
    options.core = parse_number<int>("core", value);
  } else if (name == "offload") {
    options.offload = true;
  } else if (name == "flood") {
    options.flood = true;
  } else if (name == "round-trips") {
    options.round_trips = true;
  } else if (name == "on-demand") {
    options.on_demand = true;
  } else if (name == "deaf") {
    options.deaf = true;
  }
}

Options parse_options(int argc, char** argv) {
  static constexpr option known[] = {
      {"mix", required_argument, nullptr, 0},     {"burst", required_argument, nullptr, 0},
      {"frames", required_argument, nullptr, 0},  {"seconds", required_argument, nullptr, 0},
      {"window", required_argument, nullptr, 0},  {"rate", required_argument, nullptr, 0},
      {"pid", required_argument, nullptr, 0},     {"core", required_argument, nullptr, 0},
      {"beside", required_argument, nullptr, 0},  {"offload", no_argument, nullptr, 0},
      {"flood", no_argument, nullptr, 0},         {"round-trips", no_argument, nullptr, 0},
      {"deaf", no_argument, nullptr, 0},          {"on-demand", no_argument, nullptr, 0},
      {nullptr, 0, nullptr, 0}};
  Options options;
  int index = 0;
  for (int found; (found = getopt_long(argc, argv, "", known, &index)) != -1;) {
    if (found != 0) usage_error(usage);
    set_option(options, known[index].name, optarg);
  }
  const int endpoints = argc - optind;
  if (endpoints < 2 || (!options.flood && endpoints % 2 != 0)) usage_error(usage);
  if (options.beside_rate > 0 && (!options.round_trips || endpoints < 4)) usage_error(usage);
  for (int i = optind; i < argc; ++i)
    options.endpoints.push_back(parse_endpoint(argv[i], static_cast<std::size_t>(i - optind + 1)));
  return options;
}

bool is_stream(const Endpoint& endpoint) {
  return endpoint.type == EndpointType::unix_connect || endpoint.type == EndpointType::tcp_connect;
}

std::uint64_t window_frames(const Options& options, const Endpoint& source, const Endpoint& sink) {
  if (options.deaf) return UINT64_MAX;
  std::uint64_t window = options.window_frames;
  if (window == 0) {
    const bool stream = is_stream(source) && is_stream(sink);
    std::uint64_t bytes = 0;
    for (const std::size_t size : options.mix) bytes += size + limits::length_header_bytes;
    window = stream ? std::min(stream_window_frames, stream_window_bytes * options.mix.size() / bytes)
                    : datagram_window_frames;
  }
  return std::max<std::uint64_t>(window, options.burst_frames);
}

// From the first station to all others at once.
Flow make_flood(const Options& options) {
  const MacAddress from = station_mac(first_station);
  std::unique_ptr<Station> source = make_station(options.endpoints.front(), from, options.offload);
  std::vector<std::unique_ptr<Station>> members;
  for (std::size_t i = 1; i < options.endpoints.size(); ++i)
    members.push_back(make_station(
        options.endpoints[i], station_mac(first_station + static_cast<std::uint32_t>(i)), options.offload));
  for (const auto& member : members) introduce(*source, *member);
  const std::size_t copies = members.size();
  return Flow(std::move(source), make_crowd(std::move(members)),
              make_bursts({from, everybody}, options.mix, options.burst_frames),
              window_frames(options, options.endpoints[0], options.endpoints[1]), copies);
}

std::vector<Flow> make_pairs(const Options& options) {
  std::vector<Flow> flows;
  for (std::size_t i = 0; i < options.endpoints.size(); i += 2) {
    const MacAddress from = station_mac(first_station + static_cast<std::uint32_t>(i));
    const MacAddress to = station_mac(first_station + static_cast<std::uint32_t>(i + 1));
    const bool beside = options.beside_rate > 0 && i > 0;
    flows.emplace_back(make_station(options.endpoints[i], from, options.offload || beside),
                       make_station(options.endpoints[i + 1], to, options.offload || beside),
                       beside ? make_bursts({from, to}, std::array{beside_bytes}, beside_burst_frames)
                              : make_bursts({from, to}, options.mix, options.burst_frames),
                       window_frames(options, options.endpoints[i], options.endpoints[i + 1]));
  }
  for (Flow& flow : flows) introduce(flow.source(), flow.sink());
  return flows;
}

std::vector<Flow> make_flows(const Options& options) {
  std::vector<Flow> flows;
  if (options.flood)
    flows.push_back(make_flood(options));
  else
    flows = make_pairs(options);
  std::puts("greeted");
  std::fflush(stdout);
  return flows;
}

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

void print_usage_of_process(const ProcessUsage& before, const ProcessUsage& after) {
  std::printf(", \"cpu_ns\": %ju, \"sleeps\": %ju, \"rss_bytes\": %ju, \"others\": %.3f}\n",
              std::uintmax_t{after.cpu_ns - before.cpu_ns}, std::uintmax_t{after.sleeps - before.sleeps},
              std::uintmax_t{after.rss_bytes}, share_of_others(before, after));
  std::fflush(stdout);
}

void measure_traffic(const Options& options, std::vector<Flow>& flows) {
  Stretch stretch{options.frames, to_duration(options.seconds), options.rate, !options.deaf, {}};
  Stretch warm_up = stretch;
  warm_up.frames_max /= 10;
  warm_up.longest /= 10;
  (void)run_stretch(flows, warm_up);
  const ProcessUsage before = read_usage(options.pid);
  const Outcome outcome = run_stretch(flows, stretch);
  const ProcessUsage after = read_usage(options.pid);
  const Tally& received = outcome.received;
  const std::uint64_t lost = outcome.sent > received.frames ? outcome.sent - received.frames : 0;
  std::printf(
      "{\"frames\": %ju, \"bytes\": %ju, \"sent\": %ju, \"lost\": %ju, \"strays\": %ju, \"seconds\": %.6f",
      std::uintmax_t{received.frames}, std::uintmax_t{received.bytes}, std::uintmax_t{outcome.sent},
      std::uintmax_t{lost}, std::uintmax_t{received.strays}, outcome.seconds);
  print_usage_of_process(before, after);
}

void measure_round_trips(const Options& options, std::vector<Flow>& pairs, std::vector<Flow>& beside) {
  const ProcessUsage before = read_usage(options.pid);
  std::vector<RoundTrips> trips;
  for (Flow& pair : pairs)
    trips.emplace_back(pair.source(), pair.sink(), options.mix.front(),
                       RoundTrips::Limits{options.frames, options.rate});
  const Outcome outcome =
      run_stretch(beside, {UINT64_MAX, to_duration(options.seconds), options.beside_rate, !options.deaf, trips});
  const ProcessUsage after = read_usage(options.pid);
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::vector<std::uint64_t> times_ns;
  for (const RoundTrips& each : trips) {
    sent += each.sent();
    lost += each.lost();
    times_ns.insert(times_ns.end(), each.times_ns().begin(), each.times_ns().end());
  }
  std::sort(times_ns.begin(), times_ns.end());
  std::printf(
      "{\"frames\": %zu, \"sent\": %ju, \"lost\": %ju, \"seconds\": %.6f, \"beside\": %ju, \"min_ns\": %ju, "
      "\"median_ns\": %ju, \"p90_ns\": %ju, \"p99_ns\": %ju, \"p999_ns\": %ju, \"max_ns\": %ju",
      times_ns.size(), std::uintmax_t{sent}, std::uintmax_t{lost}, outcome.seconds,
      std::uintmax_t{outcome.received.frames}, std::uintmax_t{quantile(times_ns, 0)},
      std::uintmax_t{quantile(times_ns, 0.5)}, std::uintmax_t{quantile(times_ns, 0.9)},
      std::uintmax_t{quantile(times_ns, 0.99)}, std::uintmax_t{quantile(times_ns, 0.999)},
      std::uintmax_t{quantile(times_ns, 1)});
  print_usage_of_process(before, after);
}

// Waits for a line on standard input; false at its end.
bool next_line() {
  int character;
  do character = std::getchar();
  while (character != '\n' && character != EOF);
  return character != EOF;
}

int run(int argc, char** argv) {
  const Options options = parse_options(argc, argv);
  pin_to_core(options.core);
  shorten_slice();
  prctl(PR_SET_TIMERSLACK, 1);  // paced traffic: the default lets every timer be 50 µs late
  std::vector<Flow> flows = make_flows(options);
  std::vector<Flow> pairs;  // of round trips; the other flows are what goes on beside them
  if (options.round_trips) {
    const auto end = options.beside_rate > 0 ? flows.begin() + 1 : flows.end();
    pairs.assign(std::make_move_iterator(flows.begin()), std::make_move_iterator(end));
    flows.erase(flows.begin(), end);
  }
  const auto measure = [&] {
    if (options.round_trips)
      measure_round_trips(options, pairs, flows);
    else
      measure_traffic(options, flows);
  };
  if (!options.on_demand) measure();
  while (options.on_demand && next_line()) measure();
  return 0;
}

}  // namespace
}  // namespace lanyard::bench

int main(int argc, char** argv) { return lanyard::bench::run(argc, argv); }
