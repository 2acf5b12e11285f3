// What comes to the control socket of the real switchd from those who do not keep to control.proto, while two VMs
// exchange frames: each is told what is wrong, no frame is lost, and others are served as before. The simplest cases
// are in process_control_test.cpp.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <random>

#include "frames/limits.h"
#include "tests/support/background.h"
#include "tests/support/controlled.h"
#include "tests/support/deadline.h"
#include "tests/support/exchange.h"

namespace process_control_hostile_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

// A daemon, two VMs that exchange frames all the time, and a good client.
struct Attacked {
  Attacked() : traffic([this] { exchange.round(); }) { traffic.await(1); }

  // VMs and the good client have noticed nothing.
  void check_unharmed() {
    traffic.await(1);
    CHECK(traffic.finish().empty());
    for (const std::string name : {"web.1", "web.2"}) {
      const v1::Counters counters = lan.await_sent(name, exchange.sent());
      CHECK(counters.received_frames() == exchange.sent());
      CHECK(counters.sent_frames() == exchange.sent());
      for (const auto& [reason, count] : counters.drops())
        CHECK(reason + ": " + std::to_string(count) == reason + ": 0");
    }
    CHECK(lan.daemon.stop() == 0);
  }
  // Connections that have ended leave nothing behind in the daemon.
  void await_descriptors(std::size_t count) {
    for (const Deadline deadline; lan.daemon.open_descriptors() != count;) {
      REQUIRE_FALSE(deadline.passed());
      REQUIRE(lan.ask(R"({"get_version":{}})").has_version());
    }
  }

  Controlled lan{{"web=tcp-listen:0"}};
  Exchange exchange{join(lan.daemon, "web.1"), join(lan.daemon, "web.2"), 1};
  Background traffic;
};

// The first answer; the connection is closed then.
v1::Error last_words(ControlClient& client) {
  const v1::Response response = client.next();
  INFO(control::to_json(response));
  CHECK(response.id() == 0);
  CHECK_FALSE(response.more());
  client.await_end();
  return response.error();
}

std::string random_bytes(std::mt19937& random, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(random()));
  return bytes;
}

std::string length(std::uint32_t bytes) {
  std::byte header[4];
  store_be32(header, bytes);
  return {reinterpret_cast<const char*>(header), sizeof header};
}

void allow_descriptors(rlim_t count) {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(count, limit.rlim_max));
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

}  // namespace

TEST_CASE("garbage of any kind is told so, and its sender is hung up on") {
  Attacked it;
  const std::size_t descriptors = it.lan.daemon.open_descriptors();
  std::mt19937 random(Catch::rngSeed());
  for (unsigned i = 0; i < 300; ++i) {
    ControlClient client(it.lan.path());
    if (i % 2 == 0) {  // a message that is none: there is no field of wire type 7 (protobuf, encoding)
      client.send_raw(control::framed('\x07' + random_bytes(random, random() % 400)));
      CHECK(mentions(last_words(client), "no message"));
    } else {  // no framing
      client.send_raw(static_cast<char>(1 + random() % 255) + random_bytes(random, 3 + random() % 400));
      CHECK(mentions(last_words(client), "longer than 4194304 bytes"));
    }
  }
  it.await_descriptors(descriptors);
  it.check_unharmed();
}

TEST_CASE("what was asked before the garbage is answered, and nothing behind it is done") {
  Attacked it;
  v1::Request add;
  add.set_id(7);
  add.mutable_add_network()->set_name("before");
  std::string sent = control::framed(add.SerializeAsString()) + control::framed("\x07");
  add.mutable_add_network()->set_name("behind");
  sent += control::framed(add.SerializeAsString());
  ControlClient client(it.lan.path());
  client.send_raw(sent);
  std::size_t errors = 0;
  for (std::size_t answers = 0; errors == 0; ++answers) {
    REQUIRE(answers < 2);
    const v1::Response response = client.next();
    CHECK(response.id() == (response.has_error() ? 0 : 7));
    errors += response.has_error() ? 1 : 0;
  }
  client.await_end();
  CHECK(it.lan.ask(R"({"list_networks":{"name":"before"}})").has_networks());
  CHECK(it.lan.refused(R"({"list_networks":{"name":"behind"}})").code() == v1::Error::NOT_FOUND);
  it.check_unharmed();
}

TEST_CASE("clients that go in the middle of a message leave nothing behind") {
  Attacked it;
  const std::size_t descriptors = it.lan.daemon.open_descriptors();
  const std::string whole = control::framed(Controlled::request(R"({"id":5,"list_ports":{}})").SerializeAsString());
  for (std::size_t i = 0; i < 200; ++i) {
    ControlClient(it.lan.path()).send_raw(whole.substr(0, i % whole.size()));
    if (i % 16 == 15) it.await_descriptors(descriptors);  // else there might be more than may be at one time
  }
  ControlClient(it.lan.path()).send_raw(length(control::request_bytes_max) + std::string(1 << 20, 'x'));
  it.await_descriptors(descriptors);
  for (unsigned i = 0; i < 40; ++i) {  // streams that nobody reads, let alone to the end
    ControlClient client(it.lan.path());
    (void)client.send(Controlled::request(R"({"watch_stats":{"interval_ms":100}})"));
    (void)client.send(Controlled::request(R"({"watch_events":{"follow":true}})"));
    (void)client.send(Controlled::request(R"({"capture":{"network":"lan"}})"));
  }
  it.await_descriptors(descriptors);
  it.check_unharmed();
}

TEST_CASE("a request may be as long as control.proto says, and no byte longer") {
  Attacked it;
  v1::Request request;
  request.set_id(1);
  request.mutable_apply()->set_yaml(std::string(control::request_bytes_max - 100, '#'));
  while (request.ByteSizeLong() < control::request_bytes_max) request.mutable_apply()->mutable_yaml()->push_back('#');
  REQUIRE(request.ByteSizeLong() == control::request_bytes_max);
  CHECK(it.lan.client.ask(request).has_error());  // a file may not be so long; the connection stays
  ControlClient client(it.lan.path());
  client.send_raw(length(control::request_bytes_max + 1));
  CHECK(mentions(last_words(client), "longer than 4194304 bytes"));
  it.check_unharmed();
}

TEST_CASE("messages that the daemon does not understand cost nobody the connection") {
  Attacked it;
  // no verb and no id
  it.lan.client.send_raw(control::framed(""));
  const v1::Response empty = it.lan.client.next();
  CHECK(empty.id() == 0);
  CHECK(empty.error().code() == v1::Error::INVALID);
  CHECK(mentions(empty.error(), "id"));
  // a verb of a later version: field 99, a message, behind the id 5
  it.lan.client.send_raw(control::framed(std::string("\x08\x05\x9a\x06\x02\x08\x01", 7)));
  const v1::Response later = it.lan.client.next();
  CHECK(later.id() == 5);
  CHECK(later.error().code() == v1::Error::UNKNOWN_VERB);
  // a field of a later version in a verb that there is: field 99 of list_ports, and of the request
  it.lan.client.send_raw(control::framed(std::string("\x08\x06\x2a\x03\x98\x06\x01\x98\x06\x01", 10)));
  const v1::Response known = it.lan.client.next();
  CHECK(known.id() == 6);
  CHECK(known.ports().ports_size() == 3);
  // a verb that is a number: field 2
  it.lan.client.send_raw(control::framed(std::string("\x08\x07\x10\x01", 4)));
  CHECK(it.lan.client.next().error().code() == v1::Error::UNKNOWN_VERB);
  // two streams with one id, and more streams than there may be
  const v1::Events past = it.lan.ask(R"({"watch_events":{}})").events();
  REQUIRE(past.events_size() > 0);
  v1::Request watch;
  watch.mutable_watch_events()->set_follow(true);
  watch.mutable_watch_events()->set_after(past.events(past.events_size() - 1).number());
  const auto again = [&](std::uint64_t id) {
    watch.set_id(id);
    it.lan.client.send_raw(control::framed(watch.SerializeAsString()));
  };
  for (std::uint64_t id = 1000; id < 1000 + limits::control_streams_max; ++id) again(id);
  for (const std::uint64_t id : {std::uint64_t{1003}, std::uint64_t{2000}}) {
    again(id);
    const v1::Response response = it.lan.client.next();
    CHECK(response.id() == id);
    CHECK(response.error().code() == v1::Error::LIMIT);
  }
  it.check_unharmed();
}

TEST_CASE("a thousand clients at once: as many as there may be are served, the others are told") {
  constexpr std::size_t clients = 1000;
  allow_descriptors(clients + 200);
  Attacked it;
  const std::size_t descriptors = it.lan.daemon.open_descriptors();
  const std::size_t served = limits::control_clients_max - 1;  // and the good one
  {
    std::vector<ControlClient> many;
    many.reserve(clients);
    for (std::size_t i = 0; i < clients; ++i) many.emplace_back(it.lan.path());
    for (std::size_t i = 0; i < clients; ++i) {
      INFO("client " << i);
      if (i < served) CHECK(many[i].ask(Controlled::request(R"({"get_version":{}})")).version().protocol() == 1);
      else CHECK(last_words(many[i]).code() == v1::Error::LIMIT);
    }
    CHECK(it.lan.ask(R"({"list_ports":{}})").ports().ports_size() == 3);
  }
  it.await_descriptors(descriptors);
  ControlClient next(it.lan.path());
  CHECK(next.ask(Controlled::request(R"({"get_version":{}})")).version().protocol() == 1);
  it.check_unharmed();
}

TEST_CASE("a client that asks and does not read waits itself, and gets all answers when it does") {
  constexpr std::uint64_t questions = 16'000;  // answered with more than may wait for a client and fit in its socket
  Attacked it;
  ControlClient greedy(it.lan.path());
  std::string asked;
  for (std::uint64_t id = 1; id <= questions; ++id) {
    v1::Request request;
    request.set_id(id);
    request.mutable_list_ports();
    asked += control::framed(request.SerializeAsString());
  }
  greedy.send_raw(asked);
  for (int i = 0; i < 10; ++i) CHECK(it.lan.ask(R"({"get_version":{}})").has_version());  // meanwhile
  std::size_t bytes = 0;
  for (std::uint64_t id = 1; id <= questions; ++id) {
    const v1::Response response = greedy.next();
    bytes += response.ByteSizeLong();
    if (response.id() != id || response.ports().ports_size() != 3) FAIL(control::to_json(response));
  }
  CHECK(bytes > limits::control_waiting_bytes_max + limits::mebi);
  it.check_unharmed();
}

}  // namespace process_control_hostile_test
