// HTTP requests as messages of control.proto, and counters as Prometheus reads them; the server: tests/http.
#include <catch2/catch.hpp>

#include <set>

#include "switchd/control/json.h"
#include "switchd/http/metrics.h"
#include "switchd/http/request.h"

namespace http_request_test {

using namespace lanyard;
using namespace lanyard::http;

namespace {

std::string read(std::string_view method, std::string_view path, const Query& query = {}, std::string_view body = {}) {
  const auto made = read_request(method, path, query, body);
  if (const auto* fault = std::get_if<Fault>(&made)) return std::to_string(fault->status) + " " + fault->error.message();
  v1::Request request = std::get<v1::Request>(made);
  CHECK(request.id() == 1);
  request.clear_id();
  return control::to_json(request);
}

}  // namespace

TEST_CASE("each verb but cancel has one path") {
  const auto& verbs = *v1::Request::descriptor()->FindOneofByName("verb");
  std::set<std::string> paths;
  for (const Endpoint& endpoint : endpoints()) {
    INFO(endpoint.path);
    CHECK(paths.insert(endpoint.path).second);
    CHECK(read(endpoint.method, endpoint.path).front() == '{');
    CHECK(read(endpoint.method == "GET" ? "POST" : "GET", endpoint.path).starts_with("405 "));
  }
  CHECK(endpoints().size() == static_cast<std::size_t>(verbs.field_count()) - 1);
  CHECK(read("POST", "/v1/cancel", {}, R"({"stream":1})").starts_with("404 "));
}

TEST_CASE("a query has the fields of a verb that reads, a body those of others") {
  CHECK(read("GET", "/v1/ports", {{"name", "web"}, {"network", "lan"}}) ==
        R"({"id":0,"list_ports":{"name":"web","network":"lan"}})");
  CHECK(read("GET", "/v1/capture", {{"ports", "a"}, {"ports", "b"}, {"drops", "true"}, {"count", "5"}}).find(
            R"("ports":["a","b"],"network":"","filter":"","snap_bytes":0,"drops":true,"count":5,)") != std::string::npos);
  CHECK(read("GET", "/v1/events") == R"({"id":0,"watch_events":{"follow":true,"after":0}})");
  CHECK(read("GET", "/v1/events", {{"follow", "false"}, {"after", "7"}}) ==
        R"({"id":0,"watch_events":{"follow":false,"after":7}})");
  CHECK(read("POST", "/v1/remove_port", {}, R"({"name":"web"})") == R"({"id":0,"remove_port":{"name":"web"}})");
  CHECK(read("POST", "/v1/shutdown") == R"({"id":0,"shutdown":{}})");
}

TEST_CASE("what is no request of HTTP is refused with what was expected") {
  CHECK(read("GET", "/v1/prots") == "404 unknown path '/v1/prots', did you mean '/v1/ports'?");
  CHECK(read("PUT", "/v1/ports") == "405 /v1/ports: expected GET, not PUT");
  CHECK(read("GET", "/v1/stats", {{"interval_ms", "4294967296"}}) ==
        "400 interval_ms: expected a number from 0 to 4294967295, not '4294967296'");
  CHECK(read("GET", "/v1/capture", {{"drops", "yes"}}) == "400 drops: expected true or false, not 'yes'");
  CHECK(read("GET", "/v1/status", {{"x", "1"}}) == "400 unknown field 'x': there are none here");
  CHECK(read("GET", "/v1/ports", {}, "{}") == "400 expected fields in the query, not in a body");
  CHECK(read("POST", "/v1/shutdown", {{"a", "b"}}) == "400 expected fields as JSON in the body, not in a query");
  CHECK(read("GET", "/v1/ports", {{"name", "\xff"}}).find("404") == std::string::npos);
}

TEST_CASE("an error's code is a status") {
  CHECK(status_of(v1::Error::INVALID) == 400);
  CHECK(status_of(v1::Error::NOT_FOUND) == 404);
  CHECK(status_of(v1::Error::UNKNOWN_VERB) == 404);
  CHECK(status_of(v1::Error::CONFLICT) == 409);
  CHECK(status_of(v1::Error::LIMIT) == 429);
  CHECK(status_of(v1::Error::UNAVAILABLE) == 503);
  CHECK(status_of(v1::Error::INTERNAL) == 500);
}

TEST_CASE("counters in the text format, and as OpenMetrics") {
  MetricsSource source;
  source.status.mutable_loop()->set_busy_ns(2'500'000'000);
  for (const std::uint64_t count : {4U, 0U, 3U}) source.status.mutable_loop()->add_turn_time(count);
  v1::Port& port = *source.ports.add_ports();
  port.set_name("we\"b\\");
  port.set_network("lan");
  port.set_state("up");
  (*port.mutable_counters()->mutable_drops())["runt"] = 7;
  const auto has = [](const std::string& text, const std::string& line) {
    INFO(line);
    CHECK(("\n" + text).find("\n" + line + "\n") != std::string::npos);
  };
  const std::string text = metrics(source, MetricsFormat::text);
  has(text, "# TYPE lanyard_port_drops_total counter");
  has(text, R"(lanyard_port_drops_total{port="we\"b\\",network="lan",reason="runt"} 7)");
  has(text, R"(lanyard_port_up{port="we\"b\\",network="lan"} 1)");
  has(text, R"(lanyard_turn_duration_seconds_bucket{le="1e-06"} 4)");
  has(text, R"(lanyard_turn_duration_seconds_bucket{le="2e-06"} 4)");
  has(text, R"(lanyard_turn_duration_seconds_bucket{le="+Inf"} 7)");
  has(text, "lanyard_turn_duration_seconds_count 7");
  has(text, "lanyard_turn_duration_seconds_sum 2.5");
  const std::string open = metrics(source, MetricsFormat::open_metrics);
  has(open, "# TYPE lanyard_port_drops counter");
  has(open, R"(lanyard_port_drops_total{port="we\"b\\",network="lan",reason="runt"} 7)");
  CHECK(open.ends_with("\n# EOF\n"));
}

}  // namespace http_request_test
