// `capture`: frames into files or standard output, until it ends by itself or Ctrl-C; what is under way then is still
// written. A second Ctrl-C does not wait for it.
#pragma once

#include "switchd/control.pb.h"
#include "tools/lanyard/arguments.h"

namespace lanyard::cli {

// The request, and mistakes in where it goes.
void ask_capture(Arguments& arguments, v1::Request& request);
void run_capture(Arguments& arguments, v1::Request& request);

}  // namespace lanyard::cli
