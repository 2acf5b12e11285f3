// The real command against a daemon that does as the test says: answers in parts, streams that end, captures, and
// daemons that go away.
#include <signal.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <future>
#include <sstream>

#include "tests/lanyard/fake_daemon.h"
#include "tests/lanyard/program.h"

namespace process_client_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

using Connection = FakeDaemon::Connection;

std::vector<std::string> lanyard_at(const FakeDaemon& daemon, std::vector<std::string> words) {
  words.insert(words.begin(), {LANYARD_PATH, "--control", daemon.path()});
  return words;
}

std::string block_headed(char fill, std::uint32_t bytes) {
  std::string made(bytes, fill);
  std::memcpy(made.data() + 4, &bytes, sizeof bytes);
  return made;
}

v1::Response captured(const std::string& header, const std::string& records, std::uint64_t frames,
                      std::uint64_t lost = 0) {
  v1::Response response;
  response.mutable_capture_data()->set_header(header);
  response.mutable_capture_data()->set_records(records);
  response.mutable_capture_data()->set_frames(frames);
  response.mutable_capture_data()->set_lost(lost);
  return response;
}

v1::Response done() {
  v1::Response response;
  response.mutable_done();
  return response;
}

// Captures until it is cancelled; what was under way comes after that.
FakeDaemon::Handler capture_until_cancelled() {
  return [stream = v1::Request()](const v1::Request& request, const Connection& connection) mutable {
    if (request.has_capture()) {
      stream = request;
      connection.respond(stream, captured(block_headed('h', 12), block_headed('a', 16), 1), true);
    } else if (request.has_cancel()) {
      connection.respond(stream, captured("", block_headed('b', 16), 1, 2), true);
      connection.respond(stream, done());
      connection.respond(request, done());
    }
  };
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("an answer in parts is one answer, as a table and as JSON") {
  for (const bool json : {false, true}) {
    const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
      for (const char* mac : {"52:54:00:00:00:01", "52:54:00:00:00:02", ""}) {
        v1::Response part;
        part.mutable_macs();
        if (*mac != '\0') part.mutable_macs()->add_macs()->set_mac(mac);
        connection.respond(request, part, *mac != '\0');
      }
    });
    const Outcome outcome = run_program(lanyard_at(daemon, {"macs", json ? "--json" : "--network=lan"}));
    CHECK(outcome.exit_code == 0);
    const std::string& text = outcome.output;
    CHECK(text.find("00:01") < text.find("00:02"));
    CHECK(text.find("00:02") != std::string::npos);
    if (json) CHECK(nlohmann::json::parse(text)["macs"].size() == 2);
  }
}

TEST_CASE("a capture ends when the daemon says so: frames to standard output, the sums to standard error") {
  const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
    CHECK(request.capture().filter() == "tcp");
    connection.respond(request, captured(block_headed('h', 12), "", 0), true);
    connection.respond(request, captured("", block_headed('a', 16), 1), true);
    connection.respond(request, captured(block_headed('i', 12), block_headed('b', 16), 1, 3));
  });
  const Outcome outcome = run_program(lanyard_at(daemon, {"capture", "--filter", "tcp"}));
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output ==
        block_headed('h', 12) + block_headed('a', 16) + block_headed('i', 12) + block_headed('b', 16));
  CHECK(outcome.errors == "lanyard: 2 frames captured, 3 lost\n");
}

TEST_CASE("Ctrl-C ends a capture, and what is under way is still written") {
  const FakeDaemon daemon(capture_until_cancelled());
  const TempFolder folder;
  const std::string path = folder.path("lan.pcapng");
  Program program(lanyard_at(daemon, {"capture", "web", "-w", path, "--json"}));
  const Deadline deadline;
  while (contents(path).size() < 28) REQUIRE_FALSE(deadline.passed());
  program.signal(SIGINT);
  const Outcome outcome = program.await_end();
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors == "lanyard: 2 frames captured, 2 lost\n");
  CHECK(outcome.output == "{\"frames\":2,\"lost\":2}\n");
  CHECK(contents(path) == block_headed('h', 12) + block_headed('a', 16) + block_headed('b', 16));
}

TEST_CASE("a second Ctrl-C does not wait for a daemon that does not answer") {
  std::promise<void> cancelled;
  const FakeDaemon daemon([&](const v1::Request& request, const Connection& connection) {
    if (request.has_capture()) connection.respond(request, captured(block_headed('h', 12), "", 0), true);
    if (request.has_cancel()) cancelled.set_value();
  });
  Program program(lanyard_at(daemon, {"capture"}));
  program.await_output("h");
  program.signal(SIGINT);
  REQUIRE(cancelled.get_future().wait_for(patience) == std::future_status::ready);
  program.signal(SIGINT);
  const Outcome outcome = program.await_end();
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.errors == "lanyard: 0 frames captured, 0 lost\n");
}

TEST_CASE("a capture refused by the daemon leaves an earlier file alone") {
  const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
    v1::Response refusal;
    refusal.mutable_error()->set_message("filter: syntax error");
    connection.respond(request, refusal);
  });
  const TempFolder folder;
  const std::string path = folder.path("lan.pcapng");
  std::ofstream(path) << "earlier";
  const Outcome outcome = run_program(lanyard_at(daemon, {"capture", "-w", path}));
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.errors == "lanyard: filter: syntax error\n");
  CHECK(contents(path) == "earlier");
}

TEST_CASE("frames are not printed on a terminal") {
  const Outcome outcome = run_program({LANYARD_PATH, "capture"}, {.on_terminal = true});
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.output.find("give -w FILE") != std::string::npos);
}

TEST_CASE("a daemon that goes away in the midst of it is none that answers, and what was captured is said") {
  const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
    connection.respond(request, captured(block_headed('h', 12), block_headed('a', 16), 1), true);
    connection.hang_up();
  });
  const Outcome outcome = run_program(lanyard_at(daemon, {"capture"}));
  CHECK(outcome.exit_code == 3);
  CHECK(outcome.output.size() == 28);
  CHECK(
      outcome.errors.starts_with("lanyard: 1 frame captured, 0 lost\nlanyard: no daemon answers at " + daemon.path()));
}

TEST_CASE("what is no message of the protocol is no daemon; an error without an id is for us") {
  const FakeDaemon stranger(
      [](const v1::Request&, const Connection& connection) { connection.send_raw("HTTP/1.1 400 Bad"); });
  CHECK(run_program(lanyard_at(stranger, {"status"})).exit_code == 3);
  const FakeDaemon full([](const v1::Request&, const Connection& connection) {
    v1::Response refusal;
    refusal.mutable_error()->set_message("64 clients are connected");
    refusal.mutable_error()->add_details("come\x1b[2J again");
    connection.respond({}, refusal);
  });
  const Outcome outcome = run_program(lanyard_at(full, {"status"}));
  CHECK(outcome.exit_code == 1);
  CHECK(outcome.errors == "lanyard: 64 clients are connected\nlanyard: come\\x1b[2J again\n");
}

TEST_CASE("mirrors: added, listed, removed") {
  for (const bool json : {false, true}) {
    const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
      v1::Response mirrors;
      v1::AddMirror& mirror = *mirrors.mutable_mirrors()->add_mirrors();
      mirror.set_to("probe");
      mirror.add_ports("web");
      connection.respond(request, request.has_list_mirrors() ? mirrors : done());
    });
    const Outcome outcome = run_program(lanyard_at(daemon, {"mirror", "list", json ? "--json" : "--"}));
    CHECK(outcome.exit_code == 0);
    if (json)
      CHECK(nlohmann::json::parse(outcome.output)["mirrors"][0]["to"] == "probe");
    else
      CHECK(outcome.output == "TO     OF   NETWORK  DIRECTION\nprobe  web           both\n");
  }
  const FakeDaemon daemon([](const v1::Request& request, const Connection& connection) {
    CHECK(request.add_mirror().to() == "probe");
    CHECK(request.add_mirror().direction() == "in");
    connection.respond(request, done());
  });
  const Outcome outcome = run_program(lanyard_at(daemon, {"mirror", "add", "probe", "web", "--direction=in"}));
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output.empty());
}

}  // namespace process_client_test
