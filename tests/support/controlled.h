// The real switchd with a control socket, and a client of it that speaks JSON as documents do.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "switchd/control/json.h"
#include "tests/support/control_client.h"
#include "tests/support/deadline.h"
#include "tests/support/switchd_process.h"

namespace lanyard::test {

// A daemon with a control socket, and somebody who uses it.
struct Controlled {
  explicit Controlled(const std::vector<std::string>& ports, const std::string& engine = "auto",
                      const SpawnOptions& options = {})
      : daemon(engine, with_control(ports), options), client(path()) {}

  [[nodiscard]] std::string path() const { return folder.path("control"); }
  [[nodiscard]] std::vector<std::string> with_control(std::vector<std::string> ports) const {
    ports.insert(ports.begin(), {"--control", path()});
    return ports;
  }
  // `json` is a request without its id, as docs would write it.
  [[nodiscard]] v1::Response ask(const std::string& json) { return client.ask(request(json)); }
  [[nodiscard]] v1::Error refused(const std::string& json) {
    const v1::Response response = ask(json);
    INFO(json << " " << control::to_json(response));
    REQUIRE(response.has_error());
    return response.error();
  }
  [[nodiscard]] v1::Port port(const std::string& name) {
    const v1::Response response = ask(R"({"list_ports":{"name":")" + name + "\"}}");
    INFO(control::to_json(response));
    REQUIRE(response.ports().ports_size() > 0);
    return response.ports().ports(0);
  }
  // The counters of a port when it has sent so many frames: they may have arrived before the kernel tells that.
  [[nodiscard]] v1::Counters await_sent(const std::string& name, std::uint64_t frames) {
    for (const Deadline deadline;;) {
      const v1::Counters counters = port(name).counters();
      if (counters.sent_frames() >= frames || deadline.passed()) return counters;
    }
  }
  [[nodiscard]] static v1::Request request(const std::string& json) {
    v1::Request read;
    REQUIRE(control::from_json(json, read) == "");
    return read;
  }

  TempFolder folder;
  SwitchdProcess daemon;
  ControlClient client;
};

// Checks that the message or a detail of it has `word`.
inline bool mentions(const v1::Error& error, const std::string& word) {
  INFO(control::to_json(error));
  bool found = error.message().find(word) != std::string::npos;
  for (const std::string& detail : error.details()) found = found || detail.find(word) != std::string::npos;
  CHECK(found);
  return found;
}

}  // namespace lanyard::test
