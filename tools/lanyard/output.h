// Where results go: standard output or a file, all of it or a failure. A reader that has had enough (EPIPE) is a quiet
// end of the command. Standard output is not buffered here: what is written is out.
#pragma once

#include <string>
#include <string_view>

#include "tools/lanyard/table.h"

namespace lanyard::cli {

// Once, at the start: from then on an output that takes no more is a value and no signal, and one that is closed stays
// so, where its number would else be that of the connection to the daemon.
void begin_output();
// Colours: on a terminal that has them, unless NO_COLOR (no-color.org) is set.
[[nodiscard]] Style style_of_output();
[[nodiscard]] bool output_is_terminal();

void write_output(std::string_view text);  // to standard output
void write_all(int fd, std::string_view bytes, const std::string& name);
// Each line of `message` behind "lanyard: ".
void write_error(std::string_view message);

}  // namespace lanyard::cli
