// Answers as people see them.
#include "tools/lanyard/views.h"

#include <catch2/catch.hpp>

#include "frames/drop_reason.h"
#include "tools/lanyard/status_text.h"

namespace views_test {

using namespace lanyard;
using namespace lanyard::cli;

namespace {

v1::Port port(const std::string& name, const std::string& state) {
  v1::Port made;
  made.set_name(name);
  made.set_type("tcp-listen");
  made.set_address("127.0.0.1:7000");
  made.set_network("lan");
  made.set_state(state);
  return made;
}

bool has(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("ports are a table, their QEMU options another") {
  v1::Response response;
  v1::Port& web = *response.mutable_ports()->add_ports();
  web = port("web", "listening");
  web.add_qemu("-netdev socket,id=n0,connect=127.0.0.1:7000");
  web.add_qemu("-netdev stream,id=n0");
  *response.mutable_ports()->add_ports() = port("web.1", "up");
  response.mutable_ports()->mutable_ports(1)->mutable_counters()->set_received_frames(1'500'000);
  CHECK(text_of(response, {}) ==
        "PORT   STATE      NETWORK  TYPE        ADDRESS             IN  IN BYTES  OUT  OUT BYTES  DROPS\n"
        "web    listening  lan      tcp-listen  127.0.0.1:7000       0       0 B    0        0 B      0\n"
        "web.1  up         lan      tcp-listen  127.0.0.1:7000  1.50 M       0 B    0        0 B      0\n");
  CHECK(qemu_text(response.ports(), {}) ==
        "PORT  QEMU\n"
        "web   -netdev socket,id=n0,connect=127.0.0.1:7000\n"
        "      -netdev stream,id=n0\n");
}

TEST_CASE("why a port is down stands below the table, printable") {
  v1::Response response;
  *response.mutable_ports()->add_ports() = port("web", "down");
  response.mutable_ports()->mutable_ports(0)->set_reason("cannot listen\x1b[2J");
  const std::string text = text_of(response, {});
  CHECK(has(text, "web   down   lan"));
  CHECK(has(text, "\nweb is down: cannot listen"));
  CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("statistics are exact, and name the side of every drop") {
  v1::Ports ports;
  *ports.add_ports() = port("web.1", "up");
  v1::Counters& counters = *ports.mutable_ports(0)->mutable_counters();
  counters.set_received_bytes(12'345'678);
  for (const DropReasonInfo& reason : drop_reasons) (*counters.mutable_drops())[std::string(reason.name)] = 2;
  (*counters.mutable_drops())["of_tomorrow"] = 7;
  (*counters.mutable_drops())["none"] = 0;
  const std::string text = stats_text(ports, {});
  CHECK(has(text, "12345678"));
  CHECK(has(text, "drops runt"));
  CHECK(has(text, "at ingress"));
  CHECK(text.find("drops same_port") < text.find("drops egress_full"));
  CHECK(has(text, "drops of_tomorrow"));
  CHECK_FALSE(has(text, "drops none"));
  CHECK(drops_of(counters) == 2 * drop_reason_count + 7);
}

TEST_CASE("what a change did is silent, but for a number") {
  v1::Response response;
  response.mutable_done();
  CHECK(text_of(response, {}).empty());
  v1::Done done;
  done.set_count(1);
  CHECK(flushed_text(done) == "1 MAC address forgotten\n");
  CHECK(flushed_text({}) == "0 MAC addresses forgotten\n");
}

TEST_CASE("an event is a line, and what it says stays in it") {
  v1::Events events;
  events.set_lost(3);
  v1::Event& event = *events.add_events();
  event.set_kind("port_up");
  event.set_text("port web.1 up\nfake");
  const std::string text = events_text(events, {});
  CHECK(text.starts_with("(3 earlier events are lost)\n"));
  CHECK(has(text, "port_up           port web.1 up\\x0afake\n"));
}

TEST_CASE("turn times: the power of two that a share of turns stayed below") {
  v1::Loop loop;
  CHECK(turn_us_below(loop, 0.5) == 0);
  for (const std::uint64_t count : {0U, 50U, 40U, 10U}) loop.add_turn_time(count);
  CHECK(turn_us_below(loop, 0.5) == 2);
  CHECK(turn_us_below(loop, 0.9) == 4);
  CHECK(turn_us_below(loop, 0.99) == 8);
}

TEST_CASE("the status has what there is, also of a daemon that has just begun") {
  v1::Status status;
  CHECK(has(status_text(status, {}), "no turn yet"));
  status.set_version("0.1.0");
  status.set_pid(7);
  status.set_ports(3);
  status.set_ports_up(2);
  status.set_resident_bytes(3 << 20);
  status.add_control("/run/switchd.sock");
  status.mutable_loop()->set_turns(10);
  status.mutable_loop()->set_syscalls(25);
  const std::string text = status_text(status, {});
  CHECK(text.starts_with("switchd 0.1.0, process 7, "));
  CHECK(has(text, "/run/switchd.sock\n"));
  CHECK(has(text, "3, 2 up\n"));
  CHECK(has(text, "(2.5 a turn)"));
  CHECK(has(text, "3.00 MiB\n"));
}

}  // namespace views_test
