// Names of ports: the lowest free number, and whose counters are whose.
#include "switchd/port_registry.h"

#include <catch2/catch.hpp>

#include "frames/limits.h"

namespace port_registry_test {

using namespace lanyard;

namespace {

PortRecord record(std::shared_ptr<PortCounters> counters = nullptr) {
  return {"tcp-listen", "127.0.0.1:7000", "lan", "up", std::move(counters)};
}

}  // namespace

TEST_CASE("connections take the lowest number that is free") {
  PortRegistry ports;
  for (const char* expected : {"web.1", "web.2", "web.3"}) {
    CHECK(ports.take_name("web") == expected);
    ports.set(expected, record());
  }
  ports.remove("web.1");
  ports.remove("web.3");
  CHECK(ports.take_name("web") == "web.1");
  CHECK(ports.take_name("web") == "web.3");
  CHECK(ports.take_name("web") == "web.4");
  CHECK(ports.take_name("other") == "other.1");
}

TEST_CASE("a configured port may have the name that a connection would get") {
  PortRegistry ports;
  ports.set("web.1", record());
  CHECK(ports.take_name("web") == "web.2");
  ports.remove("web.2");
  CHECK(ports.take_name("web") == "web.2");
}

TEST_CASE("a port is found by its counters, for as long as they are its own") {
  PortRegistry ports;
  const auto first = std::make_shared<PortCounters>();
  const auto second = std::make_shared<PortCounters>();
  ports.set("tap", record(first));
  CHECK(ports.name_of(first.get()) == "tap");
  ports.set("tap", record(second));  // as on a new connection
  CHECK(ports.name_of(first.get()).empty());
  CHECK(ports.name_of(second.get()) == "tap");
  ports.remove("tap");
  CHECK(ports.name_of(second.get()).empty());
}

TEST_CASE("the name of a port that has gone is still known by its serial, of the last ones") {
  PortRegistry ports;
  const auto counters = std::make_shared<PortCounters>();
  ports.set("web.1", record(counters));
  ports.remove("web.1");
  const auto next = std::make_shared<PortCounters>();
  ports.set("web.1", record(next));
  ports.set("web.1", record(next));  // its state is another
  CHECK(ports.name_of(counters->serial) == "web.1");
  CHECK(ports.name_of(next->serial) == "web.1");
  for (std::size_t i = 0; i < limits::names_gone_max; ++i) {
    ports.set("web.2", record(std::make_shared<PortCounters>()));
    ports.remove("web.2");
  }
  CHECK(ports.name_of(counters->serial) == "port " + std::to_string(counters->serial));
  CHECK(ports.name_of(next->serial) == "web.1");
}

TEST_CASE("what a port has counted stays when it is down, and is in the totals once") {
  PortRegistry ports;
  const auto counters = std::make_shared<PortCounters>();
  counters->received_frames.add(3);
  ports.set("t", record(counters));
  for (int i = 0; i < 2; ++i) {
    ports.set("t", record());
    CHECK(ports.find("t")->counters == counters);
    ports.set("t", record(counters));
  }
  CHECK(ports.totals().received_frames == 3);
  ports.set("t", {"unix-listen", "/s", "lan", "listening", {}});  // it is another port by now
  CHECK(ports.find("t")->counters == nullptr);
  CHECK(ports.totals().received_frames == 3);
  ports.remove("t");
  CHECK(ports.totals().received_frames == 3);
}

}  // namespace port_registry_test
