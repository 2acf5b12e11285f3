// The real command against the real switchd: every verb as a table and as JSON, exit codes, what goes on until it is
// ended, and completion in a real shell.
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <algorithm>
#include <fstream>
#include <sstream>

#include "tests/lanyard/program.h"
#include "tests/support/peer.h"
#include "tests/support/switchd_process.h"
#include "tests/support/tshark.h"

namespace process_cli_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A daemon with a control socket, and the command.
class Controlled {
 public:
  explicit Controlled(std::vector<std::string> arguments)
      : daemon("auto", (arguments.insert(arguments.begin(), {"--control", path()}), arguments)) {}

  [[nodiscard]] std::string path() const { return folder.path("control"); }
  [[nodiscard]] std::vector<std::string> words(const std::string& line) const {
    std::vector<std::string> all = {LANYARD_PATH, "--control", path()};
    std::istringstream stream(line);
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
  }
  // Arguments in a line, none with a space in it.
  [[nodiscard]] Outcome run(const std::string& line, const std::string& input = {}) const {
    return run_program(words(line), {.input = input});
  }
  // What it prints, when it does as told.
  [[nodiscard]] std::string good(const std::string& line, const std::string& input = {}) const {
    const Outcome outcome = run(line, input);
    CAPTURE(line);
    CHECK(outcome.errors.empty());
    CHECK(outcome.exit_code == 0);
    return outcome.output;
  }
  [[nodiscard]] nlohmann::json json(const std::string& line, const std::string& input = {}) const {
    const std::string text = good(line + " --json", input);
    CAPTURE(line);
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    return nlohmann::json::parse(text);
  }
  // What it says, when the daemon refuses.
  [[nodiscard]] std::string refused(const std::string& line, const std::string& input = {}) const {
    const Outcome outcome = run(line, input);
    CAPTURE(line);
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.output.empty());
    return outcome.errors;
  }

  TempFolder folder;
  SwitchdProcess daemon;
};

bool has(const std::string& text, const std::string& what) {
  CAPTURE(text, what);
  const bool found = text.find(what) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace

TEST_CASE("what there is, as tables and as JSON") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  a.send(frame(broadcast, mac(1)));
  REQUIRE(b.receive() == frame(broadcast, mac(1)));

  has(lan.good("status"), "ports     3, 2 up\n");
  CHECK(lan.json("status")["ports_up"] == 2);
  has(lan.good("networks"), "lan      switch      1   2  ");
  CHECK(lan.json("networks lan")["networks"][0]["kind"] == "switch");
  has(lan.good("ports"), "\nweb.1  up         lan      tcp-listen  ");
  CHECK(lan.json("ports web.1")["ports"].size() == 1);
  CHECK(lan.json("ports --network lan")["ports"].size() == 3);
  has(lan.good("ports web --qemu"), "-netdev socket,id=net0,connect=" + lan.daemon.address("web") + "\n");
  has(lan.good("macs"), "lan      52:54:00:00:00:01  web.1  ");
  CHECK(lan.json("macs --network lan --port web.1")["macs"][0]["mac"] == "52:54:00:00:00:01");
  has(lan.good("stats web.1"), "received_frames     1    that came in\n");
  CHECK(lan.json("stats web.1")["ports"][0]["counters"]["received_frames"] == 1);
  has(lan.good("version"), "\nswitchd ");
  CHECK(lan.json("version")["protocol"] == 1);
  has(lan.good("events"), "port_up           ");
  CHECK(lan.json("events")["events"][0]["number"] == 1);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("drops have their side") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  a.send(frame(broadcast, mac(1)));
  (void)lan.daemon.await_drops("web.1", "no_destination");
  has(lan.good("stats"), "drops no_destination   1  at ingress  no other port is in the network\n");
  has(lan.good("ports web.1"), "  1\n");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("ports are added, changed, closed and opened again, and removed") {
  Controlled lan({"web=tcp-listen:0"});
  has(lan.good("port add db=unix-listen:" + lan.folder.path("db")), "db    listening  lan      unix-listen  ");
  CHECK(lan.json("port add udp:127.0.0.1:0,remote=127.0.0.1:9")["ports"][0]["name"] == "udp1");
  has(lan.good("port set db max-frame=1514 mode=0600"), "db    listening");
  const nlohmann::json set = lan.json("port set db max-frame= queue=100 address=" + lan.folder.path("other"));
  CHECK(set["ports"][0]["address"] == lan.folder.path("other"));
  CHECK(set["ports"][0]["keys"].dump().find("max-frame") == std::string::npos);
  CHECK(set["ports"][0]["keys"].dump().find(R"({"key":"queue","values":["100"]})") != std::string::npos);
  has(lan.good("port down db"), "disabled");
  CHECK(lan.json("port up db")["ports"][0]["state"] == "listening");
  CHECK(lan.good("port remove db").empty());
  CHECK(lan.json("port remove udp1")["count"] == 1);
  has(lan.refused("port remove db"), "lanyard: unknown port 'db'");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a change that would make a wire of three ports names the port or the network that is changed") {
  Controlled lan({"--network", "core:wire", "--network", "lan", "a=tcp-listen:0,network=core", "c=tcp-listen:0", "b=tcp-listen:0",
                  "d=tcp-listen:0,network=core"});
  const std::string third = ": network 'core' is a wire, which has two ports, and this is its third";
  has(lan.refused("port set b network=core"), "lanyard: port b" + third);
  has(lan.refused("port set c network=core"), "lanyard: port c" + third);
  has(lan.refused("port add tcp-listen:0,network=core"), "lanyard: tcp-listen:0,network=core" + third);
  (void)lan.good("port set a network=lan");
  (void)lan.good("port set c network=core");
  has(lan.refused("port set a network=core"), "lanyard: port a" + third);
  (void)lan.good("port set d network=lan");
  has(lan.refused("network set lan kind=wire"), "lanyard: network 'lan': a wire has two ports, and a, b and d join it");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("what is no UTF-8 is told with its place before anybody is asked") {
  const TempFolder folder;
  const std::string file = folder.path("lan.yaml");
  std::ofstream(file) << "ports:\n  a: {type: tcp-listen, address: \"\xff\"}\n";
  const std::string none = folder.path("none");
  const auto errors = [&](std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.begin(), {LANYARD_PATH, "--control", none});
    const Outcome outcome = run_program(words, {.input = input});
    CHECK(outcome.exit_code == 2);
    return outcome.errors;
  };
  has(errors({"apply", file}), "lanyard: " + file + ":2:35: invalid UTF-8\n");
  has(errors({"apply", "--dry-run", "-"}, "a\n\xc3"), "lanyard: standard input:2:1: invalid UTF-8\n");
  has(errors({"port", "set", "w\xff", "queue=1\xe2\x82"}), "lanyard: 'w\\xff': byte 2 is no UTF-8\n");
  has(errors({"port", "set", "w\xff", "queue=1\xe2\x82"}), "lanyard: 'queue=1\\xe2\\x82': byte 8 is no UTF-8\n");
  has(errors({"network", "add", "\xc0"}), "lanyard: '\\xc0': byte 1 is no UTF-8\n");
  has(errors({"macs", "--network", "l\xc0"}), "lanyard: --network: byte 2 is no UTF-8\n");
  has(errors({"p\xff"}), "lanyard: verb: unknown verb 'p\\xff', expected ");
}

TEST_CASE("a UDP port whose remote is not known yet is listed as it was written, and gives a VM nothing to paste") {
  Controlled lan({"u=udp:0,remote=vm.invalid:7000", "v=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  const nlohmann::json ports = lan.json("ports")["ports"];
  CHECK(ports[0]["address"] == "0,remote=vm.invalid:7000");
  CHECK(ports[0]["qemu"].empty());
  CHECK(ports[1]["address"].get<std::string>().starts_with("127.0.0.1:"));
  CHECK(ports[1]["qemu"].size() == 2);
  CHECK(lan.daemon.address("u") == "0,remote=vm.invalid:7000");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("networks are added, changed and removed; MAC addresses forgotten") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  a.send(frame(broadcast, mac(1)));
  REQUIRE(b.receive() == frame(broadcast, mac(1)));
  CHECK(lan.good("flush") == "1 MAC address forgotten\n");
  CHECK(lan.json("flush 52:54:00:00:00:01 --network lan --port web.1")["count"] == 0);

  CHECK(lan.good("network add core:wire").empty());
  has(lan.good("network set core kind=hub ageing=20"), "core     hub ");
  CHECK(lan.json("network set core ageing=30")["networks"][0]["ageing_s"] == 30);
  CHECK(lan.good("network add edge:switch,stp=consume,ageing=60").empty());
  has(lan.good("networks edge"), "60 s       -  consume");
  has(lan.good("network set edge stp="), "  pass  ");
  has(lan.refused("network set edge spt=pass"), "network 'edge': unknown key 'spt', did you mean 'stp'?");
  CHECK(lan.json("network remove edge").contains("count"));
  CHECK(lan.json("network remove core").contains("count"));
  has(lan.refused("network remove lan"), "lanyard: network 'lan' has ports, such as web\n");
  has(lan.refused("network set lan ageing=0"), "from 1 to 86400");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a file is planned, applied, and then there is nothing to do") {
  Controlled lan({"web=tcp-listen:0"});
  const std::string yaml = "ports:\n  db: {type: unix-listen, address: " + lan.folder.path("db") + "}\n";
  std::ofstream(lan.folder.path("lab.yaml")) << yaml;
  const std::string planned = lan.good("apply --dry-run " + lan.folder.path("lab.yaml"));
  has(planned, "+ port db\n+   type: unix-listen\n");
  has(planned, "- port web\n");
  has(planned, "1 to add, 1 to remove, 0 to change\n");
  CHECK(lan.json("ports")["ports"][0]["name"] == "web");
  has(lan.good("apply -", yaml), "1 added, 1 removed, 0 changed\n");
  CHECK(lan.json("ports")["ports"][0]["name"] == "db");
  CHECK(lan.good("apply -", yaml) == "nothing to do\n");
  CHECK(lan.good("apply -", yaml + "log-level: warn\n") ==
        "~ setting log-level\n-   log-level: info\n+   log-level: warn\n0 added, 0 removed, 1 changed\n");
  has(lan.good("apply -", yaml), "-   log-level: warn\n+   log-level: info\n");
  for (const char* nothing : {"", "{}\n", "# ports\n"})
    has(lan.refused("apply -", nothing), "standard input: expected ports or networks; where there shall be none: ports: {}");
  CHECK(lan.json("apply -", yaml)["changes"].empty());
  CHECK(
      lan.refused("apply -", "prots: 1\nx: 2\n") ==
      "lanyard: 2 mistakes; nothing was changed\n"
      "lanyard: standard input:1:1: unknown key 'prots', did you mean 'ports'?\n"
      "lanyard: standard input:2:1: unknown key 'x', expected networks, ports, network, control, control-group, http, "
      "http-token, engine, memory, log-level or strict\n");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("frames are captured as they pass, and from the recent past; Wireshark's programs read them") {
  Controlled lan({"web=tcp-listen:0"});
  Peer a = join(lan.daemon, "web.1");
  Peer b = join(lan.daemon, "web.2");
  has(lan.good("network set lan rewind=1"), "  1 MiB  ");
  Program capture(lan.words("capture web.1 --direction in --count 1 --snap 40"));
  capture.await_output("\x0a\x0d\x0d\x0a");  // the section block: it is in place
  a.send(frame(broadcast, mac(1)));
  REQUIRE(b.receive() == frame(broadcast, mac(1)));
  const Outcome outcome = capture.await_end();
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors == "lanyard: 1 frame captured, 0 lost\n");
  CHECK(CaptureFile(outcome.output).frames({"eth.src", "frame.cap_len"}) ==
        std::vector<std::string>{"52:54:00:00:00:01|40"});

  const std::string path = lan.folder.path("past.pcapng");
  const Outcome past = lan.run("capture --network lan --last 1h --json -w " + path);
  CHECK(past.exit_code == 0);
  CHECK(nlohmann::json::parse(past.output)["lost"] == 0);
  std::ostringstream file;
  file << std::ifstream(path).rdbuf();
  for (const std::string& source : CaptureFile(file.str()).frames({"eth.src"})) CHECK(source == "52:54:00:00:00:01");
  CHECK(nlohmann::json::parse(past.output)["frames"] > 0);
  has(lan.refused("capture -w " + path + " --filter tpc"), "lanyard: filter: ");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("mirrors are added, listed and removed") {
  Controlled lan({"web=tcp-listen:0", "probe=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  Peer a = join(lan.daemon, "web.1");
  CHECK(lan.good("mirror list") == "TO  OF  NETWORK  DIRECTION\n");
  CHECK(lan.good("mirror add probe web.1 --direction in").empty());
  has(lan.good("mirror list"), "\nprobe  web.1 ");
  CHECK(lan.json("mirror list")["mirrors"][0]["direction"] == "in");
  CHECK(lan.json("mirror remove probe")["count"] == 1);
  CHECK(lan.json("mirror add probe --network lan")["count"] == 1);
  has(lan.good("mirror list"), "\nprobe  all  lan      both\n");
  CHECK(lan.good("mirror remove probe").empty());
  has(lan.refused("mirror remove probe"), "probe");
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("shutdown stops the daemon") {
  Controlled lan({"web=tcp-listen:0"});
  CHECK(lan.good("shutdown").empty());
  CHECK(lan.daemon.await_exit() == 0);
  Controlled other({"web=tcp-listen:0"});
  CHECK(other.json("shutdown")["count"] == 0);
  CHECK(other.daemon.await_exit() == 0);
}

TEST_CASE("a mistake in the arguments asks nobody; no daemon is told with its path and how to start one") {
  const Outcome mistakes = run_program({LANYARD_PATH, "prots"});
  CHECK(mistakes.exit_code == 2);
  CHECK(mistakes.errors == "lanyard: verb: unknown verb 'prots', did you mean 'ports'?\nlanyard: see lanyard --help\n");
  CHECK(run_program({LANYARD_PATH, "top"}).exit_code == 2);
  CHECK(run_program({LANYARD_PATH, "completion", "tcsh"}).exit_code == 2);

  const auto at = [&](const std::string& expected, std::vector<std::string> words,
                      std::vector<std::string> environment) {
    words.insert(words.begin(), LANYARD_PATH);
    const Outcome none = run_program(words, {.environment = std::move(environment)});
    CHECK(none.exit_code == 3);
    has(none.errors, "no daemon answers at " + expected + ": ");
    has(none.errors, "switchd --control " + expected + " ");
  };
  at("/tmp/a", {"status"}, {"LANYARD_CONTROL=/tmp/a"});
  at("/tmp/b", {"status", "--control", "/tmp/b"}, {"LANYARD_CONTROL=/tmp/a"});
}

TEST_CASE("help and version need no daemon") {
  CHECK(run_program({LANYARD_PATH, "--help"}).output.starts_with("Usage: lanyard [OPTIONS] VERB"));
  CHECK(run_program({LANYARD_PATH, "port", "-h"}).output.starts_with("Usage: lanyard port ..."));
  CHECK(run_program({LANYARD_PATH, "capture", "--help", "--nonsense"}).output.starts_with("Usage: lanyard capture"));
  CHECK(run_program({LANYARD_PATH, "--version"}).output.starts_with("lanyard "));
}

TEST_CASE("events go on, as lines and as JSON; a reader who has had enough ends them quietly") {
  Controlled lan({"web=tcp-listen:0"});
  Program lines(lan.words("events --follow"));
  Program documents(lan.words("events --follow --json"));
  REQUIRE(lan.run("network add core").exit_code == 0);
  lines.await_output("network_added     network core added");
  documents.await_output("\"kind\":\"network_added\"");
  lines.close_output();
  REQUIRE(lan.run("network remove core").exit_code == 0);
  const Outcome quiet = lines.await_end();
  CHECK(quiet.exit_code == 0);
  CHECK(quiet.errors.empty());
  documents.await_output("\"kind\":\"network_removed\"");
  CHECK(lan.daemon.stop() == 0);
  CHECK(documents.await_end().exit_code == 3);
}

TEST_CASE("top shows ports on a terminal, takes keys and sizes, and leaves the terminal as it was") {
  Controlled lan({"r1=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  const std::string command =
      LANYARD_PATH " --control " + lan.path() + " top --interval 100ms; stty -a | tr '\\n' ' '; echo over";
  Program top({"sh", "-c", command}, {.environment = {"TERM=xterm"}, .on_terminal = true});
  top.await_output("\x1b[?1049h");
  top.await_output("IN bit/s*");
  top.await_output("r1");
  CHECK_FALSE(top.terminal_echoes());
  top.type("n");
  top.await_output("PORT*");
  top.resize(3, 20);
  top.await_output("... and 1 more");
  top.type("q");
  top.await_output("\x1b[?1049l");
  top.await_output(" icanon");
  top.await_output(" echo ");
  top.await_output("over");
  CHECK(top.await_end().exit_code == 0);
}

TEST_CASE("top ends with Ctrl-C, with SIGTERM, and with its daemon, and gives the terminal back each time") {
  Controlled lan({"r1=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  const ProgramOptions on_terminal = {.on_terminal = true};
  Program typed(lan.words("top"), on_terminal);
  Program signalled(lan.words("top"), on_terminal);
  Program orphaned(lan.words("top"), on_terminal);
  for (Program* top : {&typed, &signalled, &orphaned}) top->await_output("waiting");
  typed.type("\x03");
  signalled.signal(SIGTERM);
  CHECK(typed.await_end().exit_code == 0);
  CHECK(signalled.await_end().exit_code == 0);
  CHECK(lan.daemon.stop() == 0);
  const Outcome none = orphaned.await_end();
  CHECK(none.exit_code == 3);
  has(none.output, "\x1b[?1049llanyard: no daemon answers");
}

TEST_CASE("top prints readings as JSON without a terminal") {
  Controlled lan({"r1=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  Program top(lan.words("top --json --interval 100ms --network lan"));
  for (int i = 0; i < 3; ++i) top.await_output("\"name\":\"r1\"");
  top.close_output();
  CHECK(top.await_end().exit_code == 0);
}

TEST_CASE("colours are for terminals that want them") {
  Controlled lan({"r1=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  const auto coloured = [&](const std::string& variable) {
    const ProgramOptions options = {.environment = {"TERM=xterm", variable}, .on_terminal = true};
    return run_program(lan.words("ports"), options).output.find("\x1b[32mup") != std::string::npos;
  };
  CHECK(coloured("NO_COLOR="));
  CHECK_FALSE(coloured("NO_COLOR=1"));
  CHECK(lan.good("ports").find('\x1b') == std::string::npos);
}

TEST_CASE("a closed standard output is told, and is not the connection to the daemon, whatever else is closed") {
  const Controlled lan({"web=tcp-listen:127.0.0.1:0"});
  const bool input_is_closed = GENERATE(false, true);
  for (const std::string line :
       {"ports", "ports --json", "status", "stats", "top --json", "networks", "capture", "version"}) {
    CAPTURE(line);
    const Outcome outcome = run_program(lan.words(line), {.in_child = [=] {
                                          ::close(STDOUT_FILENO);
                                          if (input_is_closed) ::close(STDIN_FILENO);
                                        }});
    CHECK(outcome.exit_code == 1);
    CHECK(outcome.errors == "lanyard: standard output cannot be written: Bad file descriptor\n");
  }
  const Outcome mute = run_program(lan.words("ports"), {.in_child = [] { ::close(STDERR_FILENO); }});
  CHECK(mute.exit_code == 0);
  CHECK(mute.output.find("web") != std::string::npos);
  CHECK(run_program(lan.words("port remove none"), {.in_child = [] { ::close(STDERR_FILENO); }}).exit_code == 1);
}

TEST_CASE("bash completes verbs, options, and names that the daemon knows") {
  Controlled lan({"web=tcp-listen:0", "db=tcp-listen:0", "--network", "lan", "--network", "core:wire"});
  const std::string script = R"(
source <("$0" completion bash)
complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lanyard; printf '%s:' "${COMPREPLY[@]}"; echo; }
complete_words "$0" po
complete_words "$0" port ''
complete_words "$0" port r
complete_words "$0" port remove ''
complete_words "$0" --json ports w
complete_words "$0" macs --network ''
complete_words "$0" macs --net
complete_words "$0" macs --network =
complete_words "$0" macs --network = c
complete_words "$0" --control = /nonexistent ports ''
complete_words "$0" network set c
complete_words "$0" mirror add web --direction ''
complete_words "$0" completion ''
complete_words "$0" --control /nonexistent ports ''
complete_words "$0" apply /etc/host
)";
  const ProgramOptions options = {.environment = {"LANYARD_CONTROL=" + lan.path()}};
  const Outcome outcome = run_program({"bash", "--norc", "-c", script, LANYARD_PATH}, options);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors.empty());
  has(outcome.output,
      "ports:port:\n"
      "add:remove:set:up:down:\n"
      "remove:\n"
      "db:web:\n"
      "web:\n"
      "core:lan:\n"
      "--network:\n"
      "core:lan:\n"
      "core:\n"
      ":\n"
      "core:\n"
      "in:out:\n"
      "bash:zsh:fish:\n"
      ":\n");
  has(outcome.output, "/etc/hostname:");
}

TEST_CASE("zsh completes the same") {
  Controlled lan({"web=tcp-listen:0", "db=tcp-listen:0", "--network", "lan", "--network", "core:wire"});
  // In place of what zsh has only while somebody types.
  const std::string script = R"(
compdef() { :; }
compset() { :; }
compadd() {
  shift
  for word in "$@"; do [[ $word == ${words[CURRENT]#*=}* ]] && printf '%s:' "$word"; done
  echo
}
_files() { echo files; }
source <("$0" completion zsh)
complete_words() { words=("$@"); CURRENT=$#; _lanyard; }
complete_words "$0" po
complete_words "$0" port remove ''
complete_words "$0" --json ports w
complete_words "$0" macs --net
complete_words "$0" macs --network ''
complete_words "$0" macs --network=c
complete_words "$0" mirror add web --direction ''
complete_words "$0" --control /nonexistent ports ''
complete_words "$0" --control=/nonexistent ports ''
complete_words "$0" apply /etc/host
)";
  const ProgramOptions options = {.environment = {"LANYARD_CONTROL=" + lan.path()}};
  const Outcome outcome = run_program({"zsh", "-f", "-c", script, LANYARD_PATH}, options);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors.empty());
  CHECK(outcome.output ==
        "ports:port:\n"
        "db:web:\n"
        "web:\n"
        "--network:\n"
        "core:lan:\n"
        "core:\n"
        "in:out:\n"
        "\n"
        "\n"
        "files\n");
}

TEST_CASE("fish completes the same, and says what words mean") {
  Controlled lan({"web=tcp-listen:0", "db=tcp-listen:0", "--network", "lan", "--network", "core:wire"});
  const std::string script = R"(
lanyard completion fish | source
function complete_words
    complete -C "lanyard $argv" | cut -f 1 | sort | tr '\n' ':'
    echo
end
complete_words 'po'
complete_words 'port remove '
complete_words '--json ports w'
complete_words 'macs --net'
complete_words 'macs --network '
complete_words 'macs --network=c'
complete_words 'mirror add web --direction '
complete_words '--control /nonexistent ports '
complete_words '--control=/nonexistent ports '
complete_words 'apply /etc/hostn'
complete -C 'lanyard port rem'
)";
  const std::string folder = std::string(LANYARD_PATH).substr(0, std::string(LANYARD_PATH).rfind('/'));
  const ProgramOptions options = {.environment = {"LANYARD_CONTROL=" + lan.path(), "HOME=" + lan.folder.path("home"),
                                                  "PATH=" + folder + ":/usr/bin:/bin"}};
  const Outcome outcome = run_program({"fish", "--no-config", "-c", script}, options);
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors.empty());
  CHECK(outcome.output ==
        "port:ports:\n"
        "db:web:\n"
        "web:\n"
        "--network:\n"
        "core:lan:\n"
        "--network=core:\n"
        "in:out:\n"
        "\n"
        "\n"
        "/etc/hostname:\n"
        "remove\tRemoves a port and its connections\n");
}

}  // namespace process_cli_test
