// Text for people: tables with a header line, numbers to the right, colours where the terminal takes them. Nothing is cut
// off: what reads a pipe gets all of it. Control characters in what the daemon says are spelled out. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lanyard::cli {

enum class Colour { none, bold, dim, red, green, yellow, cyan };

// How to write: decided once, by where the text goes.
struct Style {
  bool colour = false;
};

[[nodiscard]] std::string painted(std::string_view text, Colour colour, Style style);

enum class Align { left, right };

struct Cell {
  Cell(std::string cell_text, Colour cell_colour = Colour::none);  // NOLINT: cells are mostly plain text
  std::string text;
  Colour colour;
};

struct Column {
  std::string_view head;
  Align align = Align::left;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // REQUIRES: as many cells as there are columns.
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool is_empty() const { return rows_.empty(); }
  // Lines, the header first.
  [[nodiscard]] std::string text(Style style) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths() const;
  void append_line(std::string& text, const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                   Style style) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// In characters, one for each code point of UTF-8.
[[nodiscard]] std::size_t width_of(std::string_view text);

}  // namespace lanyard::cli
