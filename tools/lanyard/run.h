// Carrying verbs out: the common way, one question and its answer, and the small ways of their own.
#pragma once

#include "switchd/control.pb.h"
#include "tools/lanyard/arguments.h"

namespace lanyard::cli {

// Makes the request, asks the daemon, prints the answer: or as the verb has it. What goes wrong is an Exit.
void run(Arguments& arguments);

void run_events(Arguments& arguments, v1::Request& request);
void run_version(Arguments& arguments, v1::Request& request);
void run_completion(Arguments& arguments, v1::Request& request);
void run_names(Arguments& arguments, v1::Request& request);  // __complete ports|networks

}  // namespace lanyard::cli
