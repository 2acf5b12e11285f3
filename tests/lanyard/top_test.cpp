// `top`: rates from two readings, their order, and the screen.
#include "tools/lanyard/top_screen.h"

#include <catch2/catch.hpp>

namespace top_test {

using namespace lanyard;
using namespace lanyard::cli;

namespace {

constexpr std::uint64_t second = 1'000'000'000;

v1::Port& add(v1::Ports& ports, const std::string& name, std::uint64_t received, std::uint64_t sent = 0) {
  v1::Port& port = *ports.add_ports();
  port.set_name(name);
  port.set_state("up");
  port.set_network("lan");
  port.mutable_counters()->set_received_frames(received);
  port.mutable_counters()->set_received_bytes(received * 100);
  port.mutable_counters()->set_sent_frames(sent);
  port.mutable_counters()->set_sent_bytes(sent * 100);
  return port;
}

v1::Ports reading(std::uint64_t at_s) {
  v1::Ports ports;
  ports.set_time_unix_ns(at_s * second);
  return ports;
}

std::vector<std::string> names(const std::vector<PortRate>& ports) {
  std::vector<std::string> all;
  for (const PortRate& port : ports) all.push_back(port.name);
  return all;
}

Readings two_readings() {
  v1::Ports before = reading(10);
  v1::Ports last = reading(12);
  add(before, "a", 100, 0);
  add(last, "a", 300, 5000);
  add(before, "b", 0, 0);
  (*add(last, "b", 4000, 0).mutable_counters()->mutable_drops())["egress_full"] = 6;
  add(last, "c", 10, 10);
  Readings readings;
  readings.add(before);
  readings.add(last);
  return readings;
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at) ++count;
  return count;
}

}  // namespace

TEST_CASE("a rate is what came between two readings, in a second") {
  const auto rates = rates_of(two_readings());
  REQUIRE(rates);
  CHECK(rates->at(0).rate.received_frames == 100);
  CHECK(rates->at(0).rate.received_bits == 100 * 100 * 8);
  CHECK(rates->at(0).rate.sent_frames == 2500);
  CHECK(rates->at(1).rate.drops == 3);
  CHECK(rates->at(1).drops == 6);
  CHECK(rates->at(1).reason == "egress_full");
  CHECK(rates->at(2).rate.received_frames == 5);  // it came in between, its counters from 0
}

TEST_CASE("there are no rates before the second reading") {
  Readings readings;
  CHECK_FALSE(rates_of(readings));
  readings.add(reading(10));
  CHECK_FALSE(rates_of(readings));
}

TEST_CASE("a port that was made anew under its name counts from 0") {
  Readings readings;
  v1::Ports before = reading(1);
  v1::Ports last = reading(2);
  add(before, "a", 1000);
  add(last, "a", 7);
  readings.add(before);
  readings.add(last);
  CHECK(rates_of(readings)->at(0).rate.received_frames == 7);
}

TEST_CASE("parts of one reading are put together") {
  Readings readings;
  readings.add(reading(1));
  v1::Ports one = reading(2);
  v1::Ports other = reading(2);
  add(one, "a", 1);
  add(other, "b", 1);
  other.set_lost(2);
  readings.add(one);
  readings.add(other);
  CHECK(rates_of(readings)->size() == 2);
  CHECK(readings.lost() == 2);
  CHECK(readings.before().time_unix_ns() == second);
}

TEST_CASE("keys choose the order") {
  std::vector<PortRate> ports = *rates_of(two_readings());
  sort(ports, *order_of_key('r'));
  CHECK(names(ports) == std::vector<std::string>{"b", "a", "c"});
  sort(ports, *order_of_key('t'));
  CHECK(names(ports) == std::vector<std::string>{"a", "c", "b"});
  sort(ports, *order_of_key('d'));
  CHECK(names(ports) == std::vector<std::string>{"b", "a", "c"});
  sort(ports, *order_of_key('n'));
  CHECK(names(ports) == std::vector<std::string>{"a", "b", "c"});
  CHECK_FALSE(order_of_key('x'));
}

TEST_CASE("the screen holds the ports in order, and no more than its lines") {
  const std::string all = screen_text(two_readings(), SortBy::sent, {24, 200}, {});
  CHECK(all.find("OUT bit/s*") != std::string::npos);
  CHECK(all.find("\r\na ") < all.find("\r\nc "));
  CHECK(all.find("egress_full") != std::string::npos);
  CHECK(all.find("in 2105/s, 1.68 Mbit/s  out 2505/s, 2.00 Mbit/s  drops 3/s") != std::string::npos);
  const std::string small = screen_text(two_readings(), SortBy::sent, {4, 200}, {});
  CHECK(count_of(small, "\r\n") == 3);
  CHECK(small.find("... and 3 more") != std::string::npos);
}

TEST_CASE("no line is wider than the screen, coloured or not") {
  for (const bool colour : {false, true}) {
    std::string text = screen_text(two_readings(), SortBy::name, {24, 20}, {colour});
    for (std::size_t at = 0; (at = text.find('\x1b', at)) != std::string::npos;) {
      const std::size_t end = text.find_first_of("mHKJ", at);
      text.erase(at, end - at + 1);
    }
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find("\r\n", at), text.size());
      CHECK(end - at <= 20);
      at = end + 2;
    }
  }
}

TEST_CASE("listeners, which carry no frames, are left out") {
  v1::Ports before = reading(1);
  v1::Ports last = reading(2);
  add(last, "web", 0).set_state("listening");
  add(last, "web.1", 0);
  Readings readings;
  readings.add(before);
  readings.add(last);
  const std::string text = screen_text(readings, SortBy::name, {24, 200}, {});
  CHECK(text.find("\r\nweb ") == std::string::npos);
  CHECK(text.find("\r\nweb.1 ") != std::string::npos);
}

}  // namespace top_test
