// `top`: the ports' rates on the terminal until q or Ctrl-C; with --json every reading as a line instead.
#pragma once

#include "switchd/control.pb.h"
#include "tools/lanyard/arguments.h"

namespace lanyard::cli {

void run_top(Arguments& arguments, v1::Request& request);

}  // namespace lanyard::cli
