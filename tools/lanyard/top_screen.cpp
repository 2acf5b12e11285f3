// The screen of `top`; see the header.
#include "tools/lanyard/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/lanyard/units.h"
#include "tools/lanyard/views.h"

namespace lanyard::cli {

namespace {

constexpr std::string_view go_home = "\x1b[H";
constexpr std::string_view clear_line_end = "\x1b[K";
constexpr std::string_view clear_below = "\x1b[J";

std::string rate_text(double rate) { return count_text(static_cast<std::uint64_t>(std::llround(rate))); }

// "12 bit/s", "1.50 Mbit/s"
std::string bits_text(double rate) {
  const std::string text = rate_text(rate);
  return text + (text.find(' ') == std::string::npos ? " bit/s" : "bit/s");
}

std::string title(const std::vector<PortRate>& ports, const Readings& readings) {
  Rate all;
  for (const PortRate& port : ports) {
    all.received_frames += port.rate.received_frames;
    all.received_bits += port.rate.received_bits;
    all.sent_frames += port.rate.sent_frames;
    all.sent_bits += port.rate.sent_bits;
    all.drops += port.rate.drops;
  }
  std::string text = fmt::format("{}  in {}/s, {}  out {}/s, {}  drops {}/s", clock_text(readings.last().time_unix_ns()),
                                 rate_text(all.received_frames), bits_text(all.received_bits), rate_text(all.sent_frames),
                                 bits_text(all.sent_bits), rate_text(all.drops));
  if (readings.lost() > 0) text += fmt::format("  ({} readings missed)", readings.lost());
  return text;
}

// The column that the order is by is marked.
std::string_view head(std::string_view plain, std::string_view marked, bool is_order) { return is_order ? marked : plain; }

Table port_table(const std::vector<PortRate>& ports, SortBy by) {
  Table table({{head("PORT", "PORT*", by == SortBy::name)},
               {"STATE"},
               {"NETWORK"},
               {"IN/s", Align::right},
               {head("IN bit/s", "IN bit/s*", by == SortBy::received), Align::right},
               {"OUT/s", Align::right},
               {head("OUT bit/s", "OUT bit/s*", by == SortBy::sent), Align::right},
               {"QUEUE", Align::right},
               {head("DROPS/s", "DROPS/s*", by == SortBy::drops), Align::right},
               {"DROPS", Align::right},
               {"MOST"}});
  for (const PortRate& port : ports)
    table.add({port.name,
               {port.state, colour_of_state(port.state)},
               port.network,
               rate_text(port.rate.received_frames),
               rate_text(port.rate.received_bits),
               rate_text(port.rate.sent_frames),
               rate_text(port.rate.sent_bits),
               count_text(port.queued_frames),
               {rate_text(port.rate.drops), port.rate.drops > 0 ? Colour::yellow : Colour::none},
               count_text(port.drops),
               port.reason});
  return table;
}

// At most `columns` wide; escape sequences, which have no width, stay.
std::string cut(std::string_view line, std::size_t columns) {
  std::string text;
  std::size_t width = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\x1b') {
      const std::size_t end = std::min(line.find('m', i), line.size() - 1);
      text += line.substr(i, end - i + 1);
      i = end;
      continue;
    }
    width += width_of(line.substr(i, 1));
    if (width <= columns) text += line[i];
  }
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

// The ports are in the last lines. Those that do not fit are counted instead.
void fit(std::vector<std::string>& lines, std::size_t ports, std::size_t rows) {
  if (lines.size() <= rows) return;
  const std::size_t hidden = std::min(lines.size() - rows + 1, ports);
  lines.resize(rows);
  lines.back() = fmt::format("... and {} more", hidden);
}

}  // namespace

std::optional<SortBy> order_of_key(char key) {
  switch (key) {
    case 'n': return SortBy::name;
    case 'r': return SortBy::received;
    case 't': return SortBy::sent;
    case 'd': return SortBy::drops;
    default: return std::nullopt;
  }
}

std::string screen_text(const Readings& readings, SortBy by, ScreenSize size, Style style) {
  constexpr std::string_view keys = "order: n name, r received, t sent, d drops   q quits";
  std::vector<std::string> lines;
  std::optional<std::vector<PortRate>> ports = rates_of(readings);
  if (ports) {
    ports->erase(std::remove_if(ports->begin(), ports->end(), [](const PortRate& port) { return !port.carries_frames; }),
                 ports->end());
    sort(*ports, by);
    lines = {title(*ports, readings), painted(keys, Colour::dim, style)};
    for (std::string& line : lines_of(port_table(*ports, by).text(style))) lines.push_back(std::move(line));
  } else {
    lines = {"waiting for the second reading ...", painted(keys, Colour::dim, style)};
  }
  fit(lines, ports ? ports->size() : 0, std::max<std::size_t>(size.rows, 1));
  std::string text(go_home);
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += fmt::format("{}{}{}", i == 0 ? "" : "\r\n", cut(lines[i], size.columns), clear_line_end);
  return text.append(clear_below);
}

}  // namespace lanyard::cli
