// From arguments to requests (switchd/control.proto), one function for each verb that needs one; mistakes are left with
// the arguments. What only the daemon can know, such as which keys a port takes, is left to it. Pure, but for the file of
// `apply`.
#pragma once

#include "switchd/control.pb.h"
#include "tools/lanyard/arguments.h"

namespace lanyard::cli {

void ask_status(Arguments& arguments, v1::Request& request);
void ask_version(Arguments& arguments, v1::Request& request);
void ask_shutdown(Arguments& arguments, v1::Request& request);
void ask_networks(Arguments& arguments, v1::Request& request);
void ask_ports(Arguments& arguments, v1::Request& request);
void ask_macs(Arguments& arguments, v1::Request& request);
void ask_mirrors(Arguments& arguments, v1::Request& request);
void ask_port_add(Arguments& arguments, v1::Request& request);
void ask_port_remove(Arguments& arguments, v1::Request& request);
// KEY=VALUE: sets it; given again, adds a value. KEY= goes back to the default. address=ADDRESS is no key but the address.
void ask_port_set(Arguments& arguments, v1::Request& request);
void ask_port_up(Arguments& arguments, v1::Request& request);
void ask_port_down(Arguments& arguments, v1::Request& request);
void ask_network_add(Arguments& arguments, v1::Request& request);
void ask_network_set(Arguments& arguments, v1::Request& request);
void ask_network_remove(Arguments& arguments, v1::Request& request);
void ask_apply(Arguments& arguments, v1::Request& request);
void ask_flush(Arguments& arguments, v1::Request& request);
void ask_mirror_add(Arguments& arguments, v1::Request& request);
void ask_mirror_remove(Arguments& arguments, v1::Request& request);
void ask_top(Arguments& arguments, v1::Request& request);
void ask_events(Arguments& arguments, v1::Request& request);

}  // namespace lanyard::cli
