// Text for people; see the header.
#include "tools/lanyard/table.h"

#include <fmt/format.h>

#include <algorithm>

#include "frames/check.h"
#include "switchd/control/words.h"

namespace lanyard::cli {

namespace {

constexpr std::string_view gap = "  ";

// The parameter of ECMA-48's SGR.
int code_of(Colour colour) {
  switch (colour) {
    case Colour::bold: return 1;
    case Colour::dim: return 2;
    case Colour::red: return 31;
    case Colour::green: return 32;
    case Colour::yellow: return 33;
    case Colour::cyan: return 36;
    case Colour::none: break;
  }
  return 0;
}

}  // namespace

std::string painted(std::string_view text, Colour colour, Style style) {
  if (!style.colour || colour == Colour::none || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Cell::Cell(std::string cell_text, Colour cell_colour) : text(printable(cell_text)), colour(cell_colour) {}

std::string Table::text(Style style) const {
  const std::vector<std::size_t> all_widths = widths();
  std::vector<Cell> head;
  for (const Column& column : columns_) head.emplace_back(std::string(column.head), Colour::bold);
  std::string text;
  append_line(text, head, all_widths, style);
  for (const std::vector<Cell>& row : rows_) append_line(text, row, all_widths, style);
  return text;
}

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> widths;
  for (const Column& column : columns_) widths.push_back(width_of(column.head));
  for (const std::vector<Cell>& row : rows_) {
    LANYARD_CHECK(row.size() == columns_.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i].text));
  }
  return widths;
}

void Table::append_line(std::string& text, const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                        Style style) const {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string fill(widths[i] - width_of(row[i].text), ' ');
    const std::string cell = painted(row[i].text, row[i].colour, style);
    line += i > 0 ? gap : "";
    line += columns_[i].align == Align::right ? fill + cell : cell + fill;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  text += line + "\n";
}

}  // namespace lanyard::cli
