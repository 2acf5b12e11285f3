// Counters for Prometheus; see the header.
#include "switchd/http/metrics.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace lanyard::http {

namespace {

enum class Type { counter, gauge, histogram };

// Writes families: all samples of one follow its head.
class Writer {
 public:
  explicit Writer(MetricsFormat format) : format_(format) {}

  void begin(std::string_view name, Type type, std::string_view help) {
    constexpr std::array names = {"counter", "gauge", "histogram"};
    const bool counts = type == Type::counter;
    sample_ = fmt::format("lanyard_{}{}", name, counts ? "_total" : "");
    // OpenMetrics names a family of counters without the _total of its samples, the text format with it.
    const bool shortened = counts && format_ == MetricsFormat::open_metrics;
    const std::string_view family =
        std::string_view(sample_).substr(0, shortened ? sample_.size() - std::string_view("_total").size() : sample_.npos);
    add("# HELP {} {}\n# TYPE {} {}\n", family, help, family, names[static_cast<std::size_t>(type)]);
  }
  void sample(std::string_view labels, std::uint64_t value) { sample("", labels, value); }
  // `suffix` as in "_bucket". `labels` as label() makes them, with a comma behind each.
  template <typename Value>
  void sample(std::string_view suffix, std::string_view labels, Value value) {
    if (!labels.empty()) labels.remove_suffix(1);
    if (labels.empty()) add("{}{} {}\n", sample_, suffix, value);
    else add("{}{}{{{}}} {}\n", sample_, suffix, labels, value);
  }
  void one(std::string_view name, Type type, std::string_view help, std::uint64_t value) {
    begin(name, type, help);
    sample("", value);
  }
  std::string finish() {
    text_ += "# EOF\n";  // to the text format a comment
    return std::move(text_);
  }

 private:
  template <typename... Values>
  void add(fmt::format_string<Values...> pattern, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), pattern, std::forward<Values>(values)...);
  }

  MetricsFormat format_;
  std::string sample_;
  std::string text_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string text = fmt::format("{}=\"", name);
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') text += "\\n";
    else text += c;
  }
  return text + "\",";
}

void write_turns(const v1::Loop& loop, Writer& writer) {
  writer.begin("turn_duration_seconds", Type::histogram, "How long turns of the data plane's loop took.");
  std::uint64_t turns = 0;
  for (int i = 0; i < loop.turn_time_size(); ++i) {
    turns += loop.turn_time(i);
    const bool is_last = i + 1 == loop.turn_time_size();
    const double below_s = static_cast<double>(std::uint64_t{1} << i) / 1e6;
    writer.sample("_bucket", label("le", is_last ? "+Inf" : fmt::format("{}", below_s)), turns);
  }
  writer.sample("_count", "", turns);
  writer.sample("_sum", "", static_cast<double>(loop.busy_ns()) / 1e9);
}

void write_daemon(const v1::Status& status, Writer& writer) {
  writer.begin("build_info", Type::gauge, "The daemon's version, and how it asks the kernel for frames.");
  writer.sample(label("version", status.version()) + label("engine", status.engine()), 1);
  writer.one("start_time_seconds", Type::gauge, "When the daemon started, since 1970.",
             status.started_unix_ns() / 1'000'000'000);
  writer.one("resident_memory_bytes", Type::gauge, "Memory of the process that is resident.", status.resident_bytes());
  writer.one("networks", Type::gauge, "Networks there are.", status.networks());
  writer.one("ports", Type::gauge, "Ports there are, connections and peers among them.", status.ports());
  writer.one("ports_up", Type::gauge, "Ports that carry frames.", status.ports_up());
  writer.one("turns", Type::counter, "Turns of the data plane's loop.", status.loop().turns());
  writer.one("syscalls", Type::counter, "System calls of receiving, sending and waiting.", status.loop().syscalls());
  writer.one("frames", Type::counter, "Frames the data plane has received.", status.loop().frames());
  write_turns(status.loop(), writer);
  const std::array<std::pair<std::string_view, const v1::Pool*>, 2> pools = {
      {{"chunks", &status.chunks()}, {"slots", &status.slots()}}};
  writer.begin("pool_buffers", Type::gauge, "Buffers of a pool.");
  for (const auto& [name, pool] : pools) writer.sample(label("pool", name), pool->capacity());
  writer.begin("pool_buffers_used", Type::gauge, "Buffers of a pool that are in use.");
  for (const auto& [name, pool] : pools) writer.sample(label("pool", name), pool->used());
}

template <typename Message>
struct Metric {
  std::string_view name;
  Type type;
  std::string_view help;
  std::uint64_t (Message::*value)() const;
};

constexpr std::array<Metric<v1::Network>, 6> network_metrics = {{
    {"ports", Type::gauge, "Ports of the network that carry frames.", &v1::Network::ports},
    {"macs", Type::gauge, "MAC addresses that are known.", &v1::Network::macs},
    {"macs_max", Type::gauge, "MAC addresses that can be known.", &v1::Network::macs_max},
    {"moves", Type::counter, "MAC addresses that came by another port than before.", &v1::Network::moves},
    {"ageing_seconds", Type::gauge, "After so long a silent MAC address is forgotten.", &v1::Network::ageing_s},
    {"rewind_mebibytes", Type::gauge, "Memory for the recent past of the network.", &v1::Network::rewind_mib},
}};

constexpr std::array<Metric<v1::Counters>, 17> port_metrics = {{
    {"received_frames", Type::counter, "Frames that came from the VM or peer.", &v1::Counters::received_frames},
    {"received_bytes", Type::counter, "Bytes of these frames.", &v1::Counters::received_bytes},
    {"unicast", Type::counter, "Received frames that went to one port.", &v1::Counters::unicast},
    {"flooded", Type::counter, "Received frames that went to all other ports.", &v1::Counters::flooded},
    {"echoed_frames", Type::counter, "Own frames that a multicast group gave back, which are no loss.",
     &v1::Counters::echoed_frames},
    {"copies", Type::counter, "Frames that were to go out here.", &v1::Counters::copies},
    {"sent_frames", Type::counter, "Frames that went to the VM or peer.", &v1::Counters::sent_frames},
    {"sent_bytes", Type::counter, "Bytes of these frames.", &v1::Counters::sent_bytes},
    {"queued_frames", Type::gauge, "Frames that wait to be sent.", &v1::Counters::queued_frames},
    {"queued_frames_max", Type::gauge, "The most frames that have ever waited.", &v1::Counters::queued_frames_max},
    {"receives", Type::counter, "Batches: reads that brought frames.", &v1::Counters::receives},
    {"sends", Type::counter, "Batches: writes that took frames.", &v1::Counters::sends},
    {"moves", Type::counter, "MAC addresses that came here from another port.", &v1::Counters::moves},
    {"heads_copied", Type::counter, "Frames whose head was copied to be written to.", &v1::Counters::heads_copied},
    {"copied_out", Type::counter, "Frames that were copied out of a buffer that others waited for.",
     &v1::Counters::copied_out},
    {"kernel_drops", Type::counter, "Frames that the kernel dropped before the daemon saw them.",
     &v1::Counters::kernel_drops},
    {"dns_refused", Type::counter, "DNS queries that a gateway refused, as their VM had too many waiting.",
     &v1::Counters::dns_refused},
}};

void write_networks(const v1::Networks& networks, Writer& writer) {
  for (const auto& metric : network_metrics) {
    writer.begin(fmt::format("network_{}", metric.name), metric.type, metric.help);
    for (const v1::Network& network : networks.networks())
      writer.sample(label("network", network.name()), (network.*metric.value)());
  }
}

void write_ports(const v1::Ports& ports, Writer& writer) {
  std::vector<std::pair<const v1::Port*, std::string>> labelled;
  for (const v1::Port& port : ports.ports())
    labelled.emplace_back(&port, label("port", port.name()) + label("network", port.network()));
  writer.begin("port_info", Type::gauge, "What a port is: its type, and of a connection the port it belongs to.");
  for (const auto& [port, labels] : labelled)
    writer.sample(labels + label("type", port->type()) + label("parent", port->parent()), 1);
  writer.begin("port_up", Type::gauge, "1 while the port carries frames.");
  for (const auto& [port, labels] : labelled) writer.sample(labels, port->state() == "up" ? 1 : 0);
  for (const auto& metric : port_metrics) {
    writer.begin(fmt::format("port_{}", metric.name), metric.type, metric.help);
    for (const auto& [port, labels] : labelled) writer.sample(labels, (port->counters().*metric.value)());
  }
  writer.begin("port_drops", Type::counter, "Frames and copies that were dropped, by reason.");
  for (const auto& [port, labels] : labelled)
    for (const auto& [reason, count] : std::map(port->counters().drops().begin(), port->counters().drops().end()))
      writer.sample(labels + label("reason", reason), count);
}

}  // namespace

std::string metrics(const MetricsSource& source, MetricsFormat format) {
  Writer writer(format);
  write_daemon(source.status, writer);
  write_networks(source.networks, writer);
  write_ports(source.ports, writer);
  return writer.finish();
}

std::string_view content_type(MetricsFormat format) {
  return format == MetricsFormat::text ? "text/plain; version=0.0.4; charset=utf-8"
                                       : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

}  // namespace lanyard::http
