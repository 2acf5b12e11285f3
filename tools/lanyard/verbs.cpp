// The table of verbs: what they are called and take, how they read in the help, and who carries them out.
#include <array>

#include "tools/lanyard/arguments.h"
#include "tools/lanyard/capture.h"
#include "tools/lanyard/plan_text.h"
#include "tools/lanyard/requests.h"
#include "tools/lanyard/run.h"
#include "tools/lanyard/top.h"
#include "tools/lanyard/verb.h"
#include "tools/lanyard/views.h"

namespace lanyard::cli {

namespace {

std::string show_ports(const v1::Response& response, const Arguments& arguments, Style style) {
  return arguments.has("--qemu") ? qemu_text(response.ports(), style) : text_of(response, style);
}
std::string show_stats(const v1::Response& response, const Arguments&, Style style) {
  return stats_text(response.ports(), style);
}
std::string show_plan(const v1::Response& response, const Arguments& arguments, Style style) {
  return plan_text(response.plan(), !arguments.has("--dry-run"), style);
}
std::string show_flushed(const v1::Response& response, const Arguments&, Style) {
  return flushed_text(response.done());
}

constexpr Option of_network = {"--network", "NAME", "only of this network", Names::networks};
constexpr Option of_port = {"--port", "NAME", "only behind this port", Names::ports};
constexpr Option of_direction = {"--direction", "in|out", "only what comes from VMs (in) or goes to them (out)",
                                 Names::directions};

// What there is.
std::vector<Verb> questions() {
  return {
      {.name = "status", .text = "How the daemon does: version, uptime, loop, memory", .example = "lanyard status",
       .ask = ask_status},
      {.name = "networks", .form = "[NAME]", .words_max = 1, .text = "Networks, or one",
       .example = "lanyard networks lan", .completes = Names::networks, .ask = ask_networks},
      {.name = "ports", .form = "[NAME]", .words_max = 1, .text = "Ports, or one and its connections",
       .details = "IN is what came from VMs, OUT what went to them.",
       .example = "lanyard ports --qemu",
       .options = {of_network, {"--qemu", "", "QEMU's options for a VM on each port, to paste"}},
       .completes = Names::ports, .ask = ask_ports, .show = show_ports},
      {.name = "macs", .text = "MAC addresses that were learned, and behind which port",
       .example = "lanyard macs --network lan", .options = {of_network, of_port}, .ask = ask_macs},
      {.name = "stats", .form = "[NAME]", .words_max = 1, .text = "All counters of ports, and drops by reason",
       .details = "Reasons that dropped nothing are left out; with --json they are there.",
       .example = "lanyard stats web", .completes = Names::ports, .ask = ask_ports, .show = show_stats},
      {.name = "version", .text = "Versions of this program and of the daemon", .example = "lanyard version",
       .ask = ask_version, .run = run_version},
  };
}

std::vector<Verb> port_changes() {
  return {
      {.name = "port add", .form = "PORT", .words_min = 1, .words_max = 1, .text = "Adds a port, while frames flow",
       .details = "PORT = [NAME=]TYPE[:ADDRESS][,KEY=VALUE]..., as switchd --help has it.",
       .example = "lanyard port add web=tcp-listen:7000,network=lan", .ask = ask_port_add},
      {.name = "port remove", .form = "NAME", .words_min = 1, .words_max = 1,
       .text = "Removes a port and its connections", .example = "lanyard port remove web",
       .completes = Names::ports, .ask = ask_port_remove},
      {.name = "port set", .form = "NAME KEY=VALUE...", .words_min = 2, .words_max = any_number,
       .text = "Changes keys of a port; KEY= goes back to the default",
       .details = "address=ADDRESS changes the address. A KEY that takes many values may be given again. The port is\n"
                  "opened again, and its connections drop, but for network, max-frame, queue and, of nat, forward,\n"
                  "outbound, via, nameserver, dhcp, bootfile, next-server, tftp and option.",
       .example = "lanyard port set web max-frame=9014 allow=10.0.0.0/8", .completes = Names::ports,
       .ask = ask_port_set},
      {.name = "port up", .form = "NAME", .words_min = 1, .words_max = 1, .text = "Opens a port again after port down",
       .example = "lanyard port up web", .completes = Names::ports, .ask = ask_port_up},
      {.name = "port down", .form = "NAME", .words_min = 1, .words_max = 1,
       .text = "Closes a port and keeps its configuration", .example = "lanyard port down web",
       .completes = Names::ports, .ask = ask_port_down},
  };
}

std::vector<Verb> network_changes() {
  return {
      {.name = "network add", .form = "NAME[:KIND][,KEY=VALUE]...", .words_min = 1, .words_max = 1,
       .text = "Adds a network: a switch, wire or hub", .example = "lanyard network add edge:switch,ageing=60",
       .ask = ask_network_add},
      {.name = "network remove", .form = "NAME", .words_min = 1, .words_max = 1,
       .text = "Removes a network that has no ports", .example = "lanyard network remove core",
       .completes = Names::networks, .ask = ask_network_remove},
      {.name = "network set", .form = "NAME KEY=VALUE...", .words_min = 2, .words_max = any_number,
       .text = "Changes a network",
       .details = "kind=switch|wire|hub, rewind=MIB of memory for the recent past (see capture --last; 0: none),\n"
                  "ageing=SECONDS after which a silent MAC address is forgotten, stp=pass|consume: what a switch does\n"
                  "with frames of spanning tree. KEY= goes back to the default.",
       .example = "lanyard network set lan rewind=64", .completes = Names::networks, .ask = ask_network_set},
  };
}

std::vector<Verb> other_changes() {
  return {
      {.name = "apply", .form = "FILE", .words_min = 1, .words_max = 1,
       .text = "Makes ports and networks those of a configuration file",
       .details = "Prints what is added (+), removed (-) and changed (~). What is the same is not touched. FILE - is\n"
                  "standard input.",
       .example = "lanyard apply lab.yaml --dry-run",
       .options = {{"--dry-run", "", "only print what would be done"}}, .completes = Names::files, .ask = ask_apply,
       .show = show_plan},
      {.name = "flush", .form = "[MAC]", .words_max = 1, .text = "Forgets MAC addresses that were learned",
       .example = "lanyard flush --network lan", .options = {of_network, of_port}, .ask = ask_flush,
       .show = show_flushed},
      {.name = "mirror add", .form = "TO [PORT...]", .words_min = 1, .words_max = any_number,
       .text = "Copies the traffic of ports, or of a network, to port TO",
       .example = "lanyard mirror add probe web lab --direction in", .options = {of_network, of_direction},
       .completes = Names::ports, .ask = ask_mirror_add},
      {.name = "mirror remove", .form = "TO", .words_min = 1, .words_max = 1, .text = "Ends the mirror to port TO",
       .example = "lanyard mirror remove probe", .completes = Names::ports, .ask = ask_mirror_remove},
      {.name = "mirror list", .text = "Mirrors", .example = "lanyard mirror list", .ask = ask_mirrors},
      {.name = "shutdown", .text = "Stops the daemon, as SIGTERM does", .example = "lanyard shutdown",
       .ask = ask_shutdown},
  };
}

std::vector<Verb> streams() {
  return {
      {.name = "top", .text = "Live rates and drops of ports",
       .details = "Keys: n, r, t and d order by name, received, sent and drops; q quits. With --json every reading is a\n"
                  "line.",
       .example = "lanyard top --network lan",
       .options = {of_network, {"--interval", "DURATION", "between readings (default: 1s)"}}, .ask = ask_top,
       .run = run_top},
      {.name = "events", .text = "What happened: ports up and down, changes, drops that began",
       .example = "lanyard events --follow", .options = {{"--follow", "", "and go on with what happens"}},
       .ask = ask_events, .run = run_events},
      {.name = "capture", .form = "[PORT...]", .words_max = any_number,
       .text = "Frames of ports, or of all, as pcapng",
       .details = "Goes to standard output where that is no terminal. Ctrl-C ends it.",
       .example = "lanyard capture web --filter 'tcp port 80' | wireshark -k -i -",
       .options = {of_network,
                   {"-w,--write", "FILE", "where to; - is standard output", Names::files},
                   {"--filter", "EXPR", "only frames that match, as pcap-filter(7) has it"},
                   {"--snap", "BYTES", "no more than this of each frame"},
                   {"--drops", "", "dropped frames too, with the reason as a comment"},
                   {"--count", "N", "end after so many frames"},
                   {"--duration", "DURATION", "end after so long: 500ms, 30s, 5m"},
                   {"--last", "DURATION", "frames of the recent past (network set NAME rewind=), then end"},
                   of_direction,
                   {"--rotate-size", "MIB", "begin a new numbered file before one becomes larger"},
                   {"--files", "N", "keep so many of them, the newest"}},
       .completes = Names::ports, .ask = ask_capture, .run = run_capture},
  };
}

std::vector<Verb> shell_verbs() {
  return {
      {.name = "completion", .form = "bash|zsh|fish", .words_min = 1, .words_max = 1,
       .text = "Prints a script that completes words in a shell",
       .example = "source <(lanyard completion bash)", .completes = Names::shells, .run = run_completion},
      {.name = "__complete", .form = "ports|networks", .words_min = 1, .words_max = 1, .text = "Names, for completion",
       .example = "lanyard __complete ports", .run = run_names},
  };
}

constexpr std::array<Option, 4> every_verb = {{
    {"--control", "PATH", "the daemon's control socket", Names::files},
    {"--json", "", "print JSON, one document for each result"},
    {"-h,--help", "", "print help for the verb, or for all"},
    {"--version", "", "print this program's version"},
}};

}  // namespace

std::span<const Verb> verbs() {
  static const std::vector<Verb> all = [] {
    std::vector<Verb> made;
    for (const auto& part :
         {questions(), port_changes(), network_changes(), other_changes(), streams(), shell_verbs()})
      made.insert(made.end(), part.begin(), part.end());
    return made;
  }();
  return all;
}

std::span<const Option> common_options() { return every_verb; }

}  // namespace lanyard::cli
