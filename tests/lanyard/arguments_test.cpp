// Arguments: verbs of one word and two, options before and behind them, and every mistake said.
#include "tools/lanyard/arguments.h"

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "switchd/control/words.h"
#include "tools/lanyard/capture.h"
#include "tools/lanyard/exit.h"
#include "tools/lanyard/requests.h"

namespace arguments_test {

using namespace lanyard;
using namespace lanyard::cli;

namespace {

Arguments typed(std::vector<const char*> words) {
  words.insert(words.begin(), "lanyard");
  return {static_cast<int>(words.size()), words.data()};
}

// What is said of the mistakes; empty: there are none.
std::string mistakes(Arguments& arguments) {
  try {
    arguments.insist_good();
  } catch (const Exit& exit) {
    CHECK(exit.code == exit_usage);
    return exit.message;
  }
  return {};
}
std::string mistakes(const std::vector<const char*>& words) {
  Arguments arguments = typed(words);
  v1::Request request;
  if (arguments.verb() != nullptr && arguments.verb()->ask != nullptr) arguments.verb()->ask(arguments, request);
  return mistakes(arguments);
}

v1::Request request_of(const std::vector<const char*>& words) {
  Arguments arguments = typed(words);
  REQUIRE(arguments.verb() != nullptr);
  v1::Request request;
  arguments.verb()->ask(arguments, request);
  CHECK(mistakes(arguments).empty());
  return request;
}

}  // namespace

TEST_CASE("options of every verb are taken before, between and behind its words") {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"--json", "--control", "/s", "port", "add", "udp:1"},
                                             {"port", "--json", "--control=/s", "add", "udp:1"},
                                             {"port", "add", "udp:1", "--json", "--control", "/s"}}) {
    Arguments arguments = typed(words);
    CHECK(mistakes(arguments).empty());
    REQUIRE(arguments.verb() != nullptr);
    CHECK(arguments.verb()->name == "port add");
    CHECK(arguments.words() == std::vector<std::string>{"udp:1"});
    CHECK(arguments.has("--json"));
    REQUIRE(arguments.control_paths().size() == 1);
    CHECK(arguments.control_paths().front().path == "/s");
  }
}

TEST_CASE("behind -- there are no options, and - is a file") {
  CHECK(typed({"port", "add", "--", "-odd"}).words() == std::vector<std::string>{"-odd"});
  CHECK(typed({"--", "apply", "-"}).words() == std::vector<std::string>{"-"});
  CHECK(typed({"capture", "-w", "-"}).text("--write") == "-");
  CHECK(typed({"capture", "--filter", "port 80", "web"}).words() == std::vector<std::string>{"web"});
}

TEST_CASE("a verb that is none is told with the one that was meant, or with all") {
  CHECK(mistakes({"prots"}).starts_with("verb: unknown verb 'prots', did you mean 'ports'?\n"));
  CHECK(mistakes({"port", "ad"}).starts_with("port: unknown verb 'ad', did you mean 'add'?\n"));
  CHECK(mistakes({"mirror"}) == "mirror: expected add, remove or list\nsee lanyard mirror --help");
  CHECK(mistakes({}).starts_with("no verb: expected status, networks, ports"));
  CHECK(mistakes({"__complet"}).find("__complete") == std::string::npos);
}

TEST_CASE("behind the first word of a group, every second word is told, and nothing else") {
  std::map<std::string, std::vector<std::string_view>> groups;  // in the order of the table
  for (const Verb& verb : verbs()) {
    const std::size_t space = verb.name.find(' ');
    if (space != std::string_view::npos) groups[std::string(verb.name.substr(0, space))].push_back(verb.name.substr(space + 1));
  }
  CHECK(groups.size() == 3);
  for (const auto& [group, words] : groups) {
    CAPTURE(group);
    const std::string expected = "expected " + listed(words) + "\nsee lanyard " + group + " --help";
    CHECK(mistakes({group.c_str()}) == group + ": " + expected);
    CHECK(mistakes({group.c_str(), "qqqqqqqqqqqq"}) == group + ": unknown verb 'qqqqqqqqqqqq', " + expected);
  }
  CHECK(mistakes({"port", "lst"}).starts_with("port: unknown verb 'lst', expected add, remove, set, up or down\n"));
}

TEST_CASE("all mistakes are said") {
  CHECK(mistakes({"--jsn", "ports", "--netwrok", "a", "b", "c", "--qemu=no"}) ==
        "--jsn: unknown option, did you mean --json?\n"
        "--qemu: takes no value, not 'no'\n"
        "--netwrok: unknown option, did you mean --network?\n"
        "c: 'ports' takes [NAME] only\n"
        "b: 'ports' takes [NAME] only\n"
        "see lanyard ports --help");
  CHECK(mistakes({"macs", "--network", "--port", "a", "--port", "b"}) ==
        "--network: expected NAME after it\n"
        "--port: given more than once\n"
        "see lanyard macs --help");
  CHECK(mistakes({"port", "add"}) == "port add: expected PORT after it\nsee lanyard port add --help");
  CHECK(mistakes({"status", "now"}) == "now: 'status' takes no arguments\nsee lanyard status --help");
  CHECK(mistakes({"apply", "/nonexistent/a.yaml"}).starts_with("/nonexistent/a.yaml: cannot be opened: "));
  CHECK(mistakes({"capture", "-w", "x", "--duration", "10", "--count", "0", "--snap", "x", "--direction", "up",
                  "--files", "3"}) ==
        "--snap: expected a number from 1 to 69632, not 'x'\n"
        "--count: expected a number from 1 to 18446744073709551615, not '0'\n"
        "--duration: expected a duration such as 500ms, 30s, 5m or 1h, not '10'\n"
        "--direction: expected in or out, not 'up'\n"
        "--files: goes with --rotate-size\n"
        "see lanyard capture --help");
  CHECK(mistakes({"capture", "-w", "-", "--rotate-size", "1"}).starts_with("--rotate-size: goes with -w FILE\n"));
  CHECK(mistakes({"top", "--interval", "10ms"}).starts_with("--interval: expected 100ms to 60s, not 10ms\n"));
  CHECK(mistakes({"mirror", "add", "probe"}).starts_with("mirror add: expected the PORTs"));
}

TEST_CASE("who asks for help is not told mistakes") {
  Arguments arguments = typed({"port", "--help"});
  CHECK(arguments.has("--help"));
  CHECK(arguments.asked() == "port");
  CHECK(mistakes(arguments).empty());
  CHECK(typed({"port", "add", "-h"}).has("--help"));
}

TEST_CASE("port set: values, further values, defaults, and the address") {
  const v1::SetPort port = request_of({"port", "set", "web", "allow=10.0.0.0/8", "queue=", "allow=::1",
                                       "address=0:7001", "forward=tcp:1:a=b:2"})
                               .set_port();
  CHECK(port.name() == "web");
  CHECK(port.address() == "0:7001");
  REQUIRE(port.keys_size() == 3);
  CHECK(port.keys(0).key() == "allow");
  CHECK(port.keys(0).values_size() == 2);
  CHECK(port.keys(0).values(1) == "::1");
  CHECK(port.keys(1).key() == "queue");
  CHECK(port.keys(1).values_size() == 0);
  CHECK(port.keys(2).values(0) == "tcp:1:a=b:2");
  CHECK(request_of({"port", "set", "out", "address="}).set_port().keys(0).key() == "address");  // has one by its type
  CHECK(mistakes({"port", "set", "web", "queue", "=1", "address=1", "address=2"}) ==
        "'queue': expected KEY=VALUE\n"
        "'=1': expected KEY=VALUE\n"
        "address=: given more than once\n"
        "see lanyard port set --help");
}

TEST_CASE("networks: kinds and settings") {
  CHECK(request_of({"network", "add", "core:wire"}).add_network().kind() == "wire");
  CHECK(request_of({"network", "add", "lan"}).add_network().kind().empty());
  const v1::AddNetwork added = request_of({"network", "add", "edge:hub,ageing=60,stp=consume"}).add_network();
  CHECK(added.name() == "edge");
  CHECK(added.kind() == "hub");
  REQUIRE(added.keys_size() == 2);
  CHECK(added.keys(1).key() == "stp");
  CHECK(added.keys(1).values(0) == "consume");
  const v1::SetNetwork network = request_of({"network", "set", "lan", "rewind=0", "stp="}).set_network();
  REQUIRE(network.keys_size() == 2);
  CHECK(network.keys(0).key() == "rewind");
  CHECK(network.keys(0).values(0) == "0");
  CHECK(network.keys(1).values_size() == 0);  // back to its default
  CHECK(mistakes({"network", "set", "lan", "rewind"}) == "'rewind': expected KEY=VALUE\nsee lanyard network set --help");
  CHECK(mistakes({"network", "add", "lan:,stp"}) ==
        "'lan:': expected NAME[:KIND][,KEY=VALUE]...\n"
        "'stp': expected KEY=VALUE\n"
        "see lanyard network add --help");
}

TEST_CASE("a capture says what is captured and for how long") {
  const v1::Capture capture =
      request_of({"capture", "-w", "x", "a", "b", "--last", "30s", "--duration=5m", "--count", "9", "--drops"})
          .capture();
  CHECK(capture.ports_size() == 2);
  CHECK(capture.last_ms() == 30'000);
  CHECK(capture.duration_ms() == 300'000);
  CHECK(capture.count() == 9);
  CHECK(capture.drops());
}

TEST_CASE("every verb has an example that is good, and its words are its own") {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs()) {
    CAPTURE(verb.name);
    CHECK(names.insert(verb.name).second);
    CHECK_FALSE(verb.text.empty());
    CHECK(verb.example.find("lanyard " + std::string(verb.name)) != std::string_view::npos);
    CHECK((verb.ask != nullptr || verb.run != nullptr));
    CHECK((verb.words_max > 0) == !verb.form.empty());
  }
}

}  // namespace arguments_test
