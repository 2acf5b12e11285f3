// The command line as a user meets it: flags, files, messages and exit codes.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/switchd/config_helpers.h"

namespace command_line_test {

using namespace lanyard;

namespace {

CommandLine run(const std::vector<std::string>& arguments) {
  std::vector<const char*> argv = {"switchd"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(argv.size()), argv.data());
}

// $XDG_RUNTIME_DIR, while it is there; null: not set.
class RuntimeFolder {
 public:
  explicit RuntimeFolder(const char* value) {
    if (const char* was = ::getenv(name)) before_ = was;
    set(value);
  }
  ~RuntimeFolder() { set(before_ ? before_->c_str() : nullptr); }
  RuntimeFolder(const RuntimeFolder&) = delete;
  RuntimeFolder& operator=(const RuntimeFolder&) = delete;

 private:
  static constexpr const char* name = "XDG_RUNTIME_DIR";
  static void set(const char* value) {
    if (value == nullptr) ::unsetenv(name);
    else ::setenv(name, value, 1);
  }
  std::optional<std::string> before_;
};

Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The mistakes of a command line that has some, less the frame around them.
Lines mistakes(const std::vector<std::string>& arguments) {
  const CommandLine result = run(arguments);
  CHECK(result.exit_code == 2);
  Lines lines = split_lines(result.output);
  REQUIRE(lines.size() >= 2);
  CHECK(lines.back() == "switchd: for options and types of ports see switchd --help");
  lines.pop_back();
  for (std::string& line : lines) {
    CHECK_THAT(line, Catch::StartsWith("switchd: "));
    line.erase(0, std::string_view("switchd: ").size());
  }
  return lines;
}

// A file that is gone when the test ends.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view text) {
    std::string path = std::filesystem::temp_directory_path() / "switchd-XXXXXX";
    const int file = mkstemp(path.data());
    REQUIRE(file >= 0);
    close(file);
    path_ = path;
    std::ofstream(path_) << text;
  }
  ~TemporaryFile() { std::filesystem::remove(path_); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("a good command line is a configuration and prints nothing") {
  const CommandLine result = run({"--engine", "epoll", "web=tcp-listen:7000", "--log-level=warn",
                                  "udp:0,remote=h:1", "--control", "none", "--network", "edge"});
  CHECK_FALSE(result.exit_code);
  CHECK(result.output.empty());
  CHECK(result.config.engine == EngineChoice::epoll);
  CHECK(result.config.log_level == LogLevel::warn);
  REQUIRE(result.config.ports.size() == 2);
  CHECK(result.config.ports[0].name == "web");
  CHECK(result.config.ports[1].name == "udp1");
  CHECK(result.config.ports[1].network == "edge");
  CHECK(result.config.networks == std::map<std::string, NetworkConfig>{{"edge", {}}});
}

TEST_CASE("settings that are not given have their defaults") {
  const Config config = run({"tcp-listen:7000"}).config;
  CHECK(config.engine == EngineChoice::automatic);
  CHECK(config.log_level == LogLevel::info);
  CHECK(config.default_network == "lan");
  CHECK_FALSE(config.check_only);
}

TEST_CASE("no ports at all are a mistake where none can come by a control socket") {
  const std::vector<std::string> none{"--control", "none"};
  CHECK(mistakes(none) ==
        Lines{"no ports: give at least one, such as vms=tcp-listen:7000, or a --config FILE that has some, or a "
              "control socket by which they can come"});
  CHECK_FALSE(run({}).exit_code);
  CHECK(run({"--check"}).exit_code == 0);
}

TEST_CASE("a mistake on the command line names the argument and what was expected") {
  struct Row {
    std::vector<std::string> arguments;
    std::string_view expected;
  };
  const Row rows[] = {
      {{"--engine", "iouring"}, "--engine iouring: expected auto, io_uring or epoll, not 'iouring'"},
      {{"--engine=iouring"}, "--engine iouring: expected auto, io_uring or epoll, not 'iouring'"},
      {{"--engine"}, "--engine: expected auto, io_uring or epoll after it"},
      {{"--engine", "auto", "--engine", "epoll"}, "--engine: given more than once"},
      {{"--log-level", "loud"}, "--log-level loud: expected error, warn, info or debug, not 'loud'"},
      {{"--control-group", "a b"},
       "--control-group a b: expected the name or number of a group, at most 32 characters, not 'a b'"},
      {{"--network", "a.b"},
       "--network a.b: a network name has letters, digits, '-' and '_' only, not 'a.b'"},
      {{"--network", "core:wier"}, "--network core:wier: expected switch, wire or hub, not 'wier'"},
      {{"--network", "core:"}, "--network core:: expected switch, wire or hub, not ''"},
      {{"--network"}, "--network: expected NAME[:KIND][,KEY=VALUE]... after it"},
      {{"--network", "core:wire", "--network", "core:hub"},
       "--network core:hub: network 'core' has kind=wire already"},
      {{"--network", "core,stp=pass", "--network", "core,ageing=9,stp=consume"},
       "--network core,ageing=9,stp=consume: network 'core' has stp=pass already"},
      {{"--network", "core,stp"}, "--network core,stp: expected KEY=VALUE after ',', not 'stp'"},
      {{"--network", "core,stp=on"}, "--network core,stp=on: stp: expected pass or consume, not 'on'"},
      {{"--network", "core,stp=pass,stp=pass"}, "--network core,stp=pass,stp=pass: key 'stp' is given twice"},
      {{"--network", "core:hub,kind=hub"}, "--network core:hub,kind=hub: key 'kind' is given twice"},
      {{"--network", "core,agein=9"}, "--network core,agein=9: unknown key 'agein', did you mean 'ageing'?"},
      {{"--network", "core,ageing=0"},
       "--network core,ageing=0: ageing: expected a number of seconds from 1 to 86400, not '0'"},
      {{"--network", "core,rewind=5000"},
       "--network core,rewind=5000: rewind: expected a number of MiB from 0 to 4096, not '5000'"},
      {{"--network", ",stp=pass"}, "--network ,stp=pass: a network name cannot be empty"},
      {{"--conifg"}, "--conifg: unknown option, did you mean --config?"},
      {{"--chekc=1"}, "--chekc=1: unknown option, did you mean --check?"},
      {{"--frobnicate"}, "--frobnicate: unknown option"},
      {{"-x"}, "-x: unknown option"},
      {{"--htt=127.0.0.1:8080"}, "--htt=127.0.0.1:8080: unknown option, did you mean --http?"},  // not --help
      {{"--http", "switch:80"}, "--http switch:80: expected an IP address or localhost, not 'switch'"},
      {{"--http", "0.0.0.0:80"},
       "http: other machines may reach 0.0.0.0:80: expected http-token, a file with the token that they have to know, or "
       "an address such as 127.0.0.1"},
      {{"--http-token", "/x"}, "http-token: expected http, the address where it counts"},
      {{"--http", "localhost:x", "--http-token", "/x"},
       "--http localhost:x: expected a port number from 0 to 65535, not 'x'"},
      {{"--http", "switch:80", "--http-token", "/x"},
       "--http switch:80: expected an IP address or localhost, not 'switch'"},
      {{"--http", "0.0.0.0:80", "--http-token", "/x\x01"}, "--http-token /x\\x01: a path cannot have control characters"},
      {{"--http", "0.0.0.0:80", "--http-token"}, "--http-token: expected FILE after it"},
      {{"--http-token", "/x", "--http"}, "--http: expected ADDR:PORT or none after it"},
      {{"--http-token", "/x", "--http", "1:1", "--http", "1:2"}, "--http: given more than once"},
      {{"--engine", "\xFF"}, "--engine \\xff: expected auto, io_uring or epoll, not '\\xff'"},
      {{"--port"}, "--port: unknown option"},
      {{"--hlep"}, "--hlep: unknown option, did you mean --help?"},
      {{"-engine"}, "-engine: unknown option, did you mean --engine?"},
      {{"--log_level=debug"}, "--log_level=debug: unknown option, did you mean --log-level?"},
      {{"--check=no"}, "--check: takes no value, not 'no'"},
      {{"--config"}, "--config: expected FILE after it"},
      {{"--config", "--check"}, "--config: expected FILE after it"},
      {{"-c", "/no/such/file.yaml"}, "/no/such/file.yaml: cannot be opened: No such file or directory"},
      {{"-c", "/"}, "/: cannot be read: Is a directory"},
      {{"--verbose"}, "--verbose: goes with --version; for a talkative log use --log-level debug"},
      {{"tcp-listen:99999"}, "tcp-listen:99999: expected a port number from 0 to 65535, not '99999'"},
      {{"--", "--engine"},
       "--engine: unknown type '--engine', expected tcp-listen, tcp-connect, unix-listen, "
       "unix-connect, udp, unix-dgram, mcast, nat, tap or nic"},
      {{"[tcp-listen:1]"}, "[tcp-listen:1]: unknown type '[tcp-listen', did you mean 'tcp-listen'?"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.arguments);
    std::vector<std::string> arguments = {"good=tcp-listen:7000"};
    arguments.insert(arguments.end(), row.arguments.begin(), row.arguments.end());
    CHECK(mistakes(arguments) == Lines{std::string(row.expected)});
  }
}

TEST_CASE("all mistakes are told at once, one line each, those of the file too") {
  const TemporaryFile file("engin: epoll\nports: {a: {type: tcp-listen, address: 7000}}\n");
  CHECK(mistakes({"--engine", "x", "-c", file.path(), "--bogus", "udp:1", "a=tcp-listen:2"}) ==
        Lines{"--bogus: unknown option", file.path() + ":1:1: unknown key 'engin', did you mean 'engine'?",
              "--engine x: expected auto, io_uring or epoll, not 'x'",
              "udp:1: udp needs remote (HOST:PORT of the one peer) or allow (CIDR of many)",
              "a=tcp-listen:2: the name 'a' is taken by " + file.path() + ":2:9"});
}

TEST_CASE("flags override the settings of the file, and its ports come first") {
  const TemporaryFile file(
      "engine: epoll\nlog-level: debug\nnetwork: edge\nports:\n  a: {type: tcp-listen, address: 1}\n");
  const Config as_written = run({"-c", file.path()}).config;
  CHECK(as_written.engine == EngineChoice::epoll);
  CHECK(as_written.ports[0].network == "edge");
  const CommandLine result =
      run({"b=tcp-listen:2", "--config", file.path(), "--engine", "io_uring", "--network", "other"});
  CHECK_FALSE(result.exit_code);
  CHECK(result.config.engine == EngineChoice::io_uring);
  CHECK(result.config.log_level == LogLevel::debug);
  REQUIRE(result.config.ports.size() == 2);
  CHECK(result.config.ports[0].name == "a");
  CHECK(result.config.ports[0].network == "other");
  CHECK(result.config.ports[1].name == "b");
}

TEST_CASE("option --network declares networks, and the first without a kind is for ports that name none") {
  const CommandLine result = run({"--network", "core:wire", "--network", "edge", "--network", "loud:hub",
                                  "--network", "more", "tcp-listen:1", "tcp-listen:2,network=core",
                                  "tcp-listen:3,network=loud", "tcp-listen:4,network=more"});
  CHECK_FALSE(result.exit_code);
  CHECK(result.config.warnings.empty());
  CHECK(result.config.ports[0].network == "edge");
  CHECK(result.config.networks == std::map<std::string, NetworkConfig>{{"core", {.kind = NetworkKind::wire}},
                                                                     {"edge", {}},
                                                                     {"loud", {.kind = NetworkKind::hub}},
                                                                     {"more", {}}});
  CHECK(mistakes({"--network", "edge", "tcp-listen:1,network=egde"}) ==
        Lines{"tcp-listen:1,network=egde: unknown network 'egde', did you mean 'edge'?"});
}

TEST_CASE("option --network NAME keeps the kind that NAME has elsewhere, and NAME:KIND sets it") {
  const TemporaryFile file("networks: {core: {kind: wire}}\nports: {a: {type: tcp-listen, address: 1}}\n");
  const Config kept = run({"-c", file.path(), "--network", "core"}).config;
  CHECK(kept.networks.at("core").kind == NetworkKind::wire);
  CHECK(kept.ports[0].network == "core");
  CHECK(run({"-c", file.path(), "--network", "core:hub"}).config.networks.at("core").kind == NetworkKind::hub);
  const Config both = run({"--network", "core", "--network", "core:wire", "tcp-listen:1"}).config;
  CHECK(both.networks == std::map<std::string, NetworkConfig>{{"core", {.kind = NetworkKind::wire}}});
}

TEST_CASE("option --network takes the keys of a network, over those that the file gives it") {
  const Config config = run({"--network", "edge:switch,stp=consume,ageing=60,rewind=64", "--network", "core:hub",
                             "tcp-listen:1,network=edge", "tcp-listen:2,network=core"})
                            .config;
  CHECK(config.networks == std::map<std::string, NetworkConfig>{
                               {"core", {.kind = NetworkKind::hub}},
                               {"edge", {.ageing_s = 60, .rewind_mib = 64, .stp = SpanningTree::consume}}});
  const TemporaryFile file("networks: {lan: {stp: consume, ageing: 60}}\nports: {a: {type: tcp-listen, address: 1}}\n");
  const Config both = run({"-c", file.path(), "--network", "lan,ageing=90"}).config;
  CHECK(both.networks.at("lan") == NetworkConfig{.ageing_s = 90, .stp = SpanningTree::consume});
  CHECK(run({"--network", "lan,ageing=90", "--network", "lan,stp=consume", "tcp-listen:1"}).config.networks ==
        std::map<std::string, NetworkConfig>{{"lan", {.ageing_s = 90, .stp = SpanningTree::consume}}});
}

TEST_CASE("the network of ports that name none is the first bare name, else the first without a kind") {
  const auto joined = [](std::vector<std::string> arguments) {
    arguments.push_back("tcp-listen:1");
    return run(arguments).config.ports.front().network;
  };
  CHECK(joined({"--network", "edge,stp=consume"}) == "edge");  // as it was before it had a key
  CHECK(joined({"--network", "core,stp=consume", "--network", "edge"}) == "edge");
  CHECK(joined({"--network", "core,kind=hub", "--network", "edge,ageing=9", "--network", "more,ageing=9"}) == "edge");
  CHECK(joined({"--network", "core:hub,ageing=9"}) == "lan");
}

TEST_CASE("a key that has no effect in a network of its kind is a warning") {
  const RuntimeFolder folder("/run/user/1");
  CHECK(split_lines(run({"--check", "--network", "lan:hub,stp=consume,ageing=60,rewind=1", "tcp-listen:1,network=lan"}).output) ==
        Lines{"warning: network lan: ageing has no effect in a hub", "warning: network lan: stp has no effect in a hub",
              "configuration ok: 1 port, 1 network"});
}

TEST_CASE("option --check says why the default control socket is in /tmp") {
  const std::string socket = ": the control socket is /tmp/lanyard-" + std::to_string(::geteuid()) + "/switchd.sock";
  const std::vector<std::pair<const char*, std::string>> rows{
      {nullptr, "note: XDG_RUNTIME_DIR: not set" + socket},
      {"", "note: XDG_RUNTIME_DIR: empty" + socket},
      {"run/user", "warning: XDG_RUNTIME_DIR: expected an absolute path, not 'run/user'" + socket},
      {"/run/user/1/", ""}};
  for (const auto& [value, expected] : rows) {
    const RuntimeFolder folder(value);
    const Lines lines = split_lines(run({"--check", "tcp-listen:1"}).output);
    CHECK(lines.front() == (expected.empty() ? "configuration ok: 1 port, 1 network" : expected));
    CHECK(split_lines(run({"--check", "--control", "none", "tcp-listen:1"}).output).size() == 1);
    CHECK(split_lines(run({"--check", "--control", "/a", "tcp-listen:1"}).output).size() == 1);
  }
}

TEST_CASE("option --check says that all is well, with the warnings, and exits 0") {
  const RuntimeFolder folder("/run/user/1");
  const CommandLine result = run({"--check", "a=tcp-listen:1", "tcp-listen:2", "tcp-listen:3"});
  CHECK(result.exit_code == 0);
  CHECK(result.output == "configuration ok: 3 ports, 1 network\n");
  CHECK(result.config.check_only);
  CHECK(run({"--check", "tcp-listen:1"}).output == "configuration ok: 1 port, 1 network\n");
  CHECK(run({"--check", "tcp-listen:1", "tcp-listen:2,network=b"}).output ==
        "configuration ok: 2 ports, 2 networks\n");
  const Lines warned = split_lines(
      run({"--check", "--network", "core:hub", "tcp-listen:1,network=core", "tcp-listen:2"}).output);
  CHECK(warned ==
        Lines{"warning: tcp-listen:2: joins the default network lan, which is not among those declared "
              "(core)",
              "configuration ok: 2 ports, 2 networks"});
}

TEST_CASE("option --check with a mistake exits 2") {
  CHECK(mistakes({"--check", "tcp-listen:x"}) == Lines{"tcp-listen:x: expected [HOST:]PORT, not 'x'"});
}

TEST_CASE("option --help explains options, types, keys and examples in 100 columns, whatever else is wrong") {
  for (const std::string flag : {"--help", "-h"}) {
    const CommandLine result = run({"--bogus", flag});
    CHECK(result.exit_code == 0);
    const Lines lines = split_lines(result.output);
    CHECK(
        std::all_of(lines.begin(), lines.end(), [](const std::string& line) { return line.size() <= 100; }));
    for (const std::string_view word :
         {"--config",      "--check",    "--network NAME", "--control",     "--engine",
          "--log-level",   "--version",  "tcp-listen:",    "tcp-connect:",  "unix-listen:",
          "unix-connect:", "udp:",       "unix-dgram:",    "mcast:",        "network=",
          "max-frame=",    "queue=",     "remote=",        "allow=",        "mode=",
          "group=",        "interface=", "ttl=",           "-netdev stream"}) {
      CAPTURE(word);
      CHECK(result.output.find(word) != std::string::npos);
    }
  }
}

TEST_CASE("option --version prints the version, with --verbose the memory budget too") {
  const CommandLine brief = run({"--version"});
  CHECK(brief.exit_code == 0);
  CHECK(split_lines(brief.output) == Lines{"switchd " LANYARD_VERSION});
  const CommandLine verbose = run({"--version", "--verbose"});
  CHECK(verbose.exit_code == 0);
  CHECK_THAT(verbose.output, Catch::StartsWith(brief.output));
  for (const std::string_view word :
       {"stream chunks", "datagram slots", "MAC table", "frames of one turn", "scratch memory", "ports",
        "queue of a port", "stations"}) {
    CAPTURE(word);
    CHECK(verbose.output.find(word) != std::string::npos);
  }
}

TEST_CASE("a file without ports and a command line with some go together") {
  const TemporaryFile file("engine: epoll\n");
  CHECK_FALSE(run({"-c", file.path(), "tcp-listen:1"}).exit_code);
  CHECK(mistakes({"-c", file.path(), "--control", "none"}).size() == 1);
}

TEST_CASE("a configuration file that does not end is read up to its limit and refused") {
  CHECK(mistakes({"-c", "/dev/zero"}) == Lines{"/dev/zero: longer than 1048576 bytes"});
}

}  // namespace command_line_test
