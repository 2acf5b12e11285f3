// Rates from readings; see the header.
#include "tools/lanyard/rates.h"

#include <algorithm>
#include <unordered_map>

#include "tools/lanyard/views.h"

namespace lanyard::cli {

namespace {

constexpr double bits_per_byte = 8;

// A counter that has become less is that of a new port of the same name.
std::uint64_t growth(std::uint64_t before, std::uint64_t now) { return now >= before ? now - before : now; }

std::uint64_t drops_for(const v1::Counters& counters, const std::string& reason) {
  const auto found = counters.drops().find(reason);
  return found == counters.drops().end() ? 0 : found->second;
}

std::string main_reason(const v1::Counters& before, const v1::Counters& now) {
  std::uint64_t most = 0;
  std::string main;
  for (const auto& [reason, count] : now.drops()) {
    const std::uint64_t grown = growth(drops_for(before, reason), count);
    if (grown < most || grown == 0 || (grown == most && reason > main)) continue;
    most = grown;
    main = reason;
  }
  return main;
}

PortRate rate_of(const v1::Counters& before, const v1::Port& port, double seconds) {
  const v1::Counters& now = port.counters();
  const auto each_second = [&](std::uint64_t (v1::Counters::*counter)() const) {
    return static_cast<double>(growth((before.*counter)(), (now.*counter)())) / seconds;
  };
  PortRate result;
  result.name = port.name();
  result.state = port.state();
  result.network = port.network();
  result.rate = {each_second(&v1::Counters::received_frames),
                 each_second(&v1::Counters::received_bytes) * bits_per_byte, each_second(&v1::Counters::sent_frames),
                 each_second(&v1::Counters::sent_bytes) * bits_per_byte,
                 static_cast<double>(growth(drops_of(before), drops_of(now))) / seconds};
  result.queued_frames = now.queued_frames();
  result.drops = drops_of(now);
  result.reason = main_reason(before, now);
  result.carries_frames = port.state() != "listening";
  return result;
}

double key_of(const PortRate& port, SortBy by) {
  switch (by) {
    case SortBy::received: return port.rate.received_bits;
    case SortBy::sent: return port.rate.sent_bits;
    case SortBy::drops: return port.rate.drops;
    case SortBy::name: break;
  }
  return 0;
}

}  // namespace

void Readings::add(const v1::Ports& part) {
  lost_ += part.lost();
  if (part.time_unix_ns() == last_.time_unix_ns()) {
    last_.MergeFrom(part);
    return;
  }
  before_ = std::move(last_);
  last_ = part;
}

std::optional<std::vector<PortRate>> rates_of(const Readings& readings) {
  const std::uint64_t began = readings.before().time_unix_ns();
  const std::uint64_t ended = readings.last().time_unix_ns();
  if (began == 0 || ended <= began) return std::nullopt;
  const double seconds = static_cast<double>(ended - began) / 1e9;
  std::unordered_map<std::string, const v1::Counters*> before;
  for (const v1::Port& port : readings.before().ports()) before.emplace(port.name(), &port.counters());
  std::vector<PortRate> rates;
  for (const v1::Port& port : readings.last().ports()) {
    const auto found = before.find(port.name());
    rates.push_back(rate_of(found == before.end() ? v1::Counters::default_instance() : *found->second, port, seconds));
  }
  return rates;
}

void sort(std::vector<PortRate>& ports, SortBy by) {
  std::sort(ports.begin(), ports.end(), [by](const PortRate& a, const PortRate& b) {
    const double key_a = key_of(a, by);
    const double key_b = key_of(b, by);
    return key_a != key_b ? key_a > key_b : a.name < b.name;
  });
}

}  // namespace lanyard::cli
