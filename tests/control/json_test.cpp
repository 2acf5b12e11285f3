// Control messages as JSON.
#include "switchd/control/json.h"

#include <catch2/catch.hpp>

#include "switchd/control.pb.h"

namespace json_test {

using namespace lanyard;

TEST_CASE("zeros and empty lists are printed, 64-bit numbers as numbers") {
  v1::Network network;
  network.set_name("lan");
  network.mutable_counters()->set_received_frames(18'446'744'073'709'551'615u);
  (*network.mutable_counters()->mutable_drops())["runt"] = 3;
  const std::string json = control::to_json(network);
  CHECK(json.starts_with(R"({"name":"lan","kind":"","ports":0,"macs":0)"));
  CHECK(json.find(R"("received_frames":18446744073709551615)") != std::string::npos);
  CHECK(json.find(R"("drops":{"runt":3})") != std::string::npos);
}

TEST_CASE("of a oneof only the member that is set is printed; enumerations are words, bytes Base64") {
  v1::Response response;
  response.mutable_error()->set_code(v1::Error::NOT_FOUND);
  CHECK(control::to_json(response) ==
        R"({"id":0,"more":false,"error":{"code":"not_found","message":"","details":[]}})");
  v1::CaptureData data;
  data.set_header("ab");
  data.set_records(std::string("\xff\x00\x01", 3));
  CHECK(control::to_json(data) == R"({"header":"YWI=","records":"/wAB","frames":0,"lost":0})");
}

TEST_CASE("a path that is no UTF-8 does not end the process") {
  v1::Port port;
  port.set_address("/tmp/\xff");
  CHECK(control::to_json(port).find("/tmp/") != std::string::npos);
}

TEST_CASE("JSON is read; what is wrong is named") {
  v1::Request request;
  REQUIRE(control::from_json(R"({"id":7,"list_ports":{"name":"web"}})", request).empty());
  CHECK(request.id() == 7);
  CHECK(request.list_ports().name() == "web");
  v1::ListPorts ports;
  CHECK(control::from_json(R"({"nmae":"web"})", ports).find("nmae") != std::string::npos);
  CHECK_FALSE(control::from_json(R"({"name":)", ports).empty());
  CHECK_FALSE(control::from_json(R"({"name":{}})", ports).empty());
  CHECK_FALSE(control::from_json("[]", ports).empty());
}

TEST_CASE("what is no JSON is told with its line and byte, in words of JSON and not of a parser") {
  const auto [text, wrong] = GENERATE(table<std::string, std::string>({
      {"nonsense", "not JSON: line 1, byte 2: 'o' was not expected"},
      {"{\"name\":}", "not JSON: line 1, byte 9: '}' was not expected"},
      {"{\"name\":\n \"web\"]", "not JSON: line 2, byte 7: ']' was not expected"},
      {"{\"name\":\"\xff\"}", "not JSON: line 1, byte 10: this byte was not expected"},
      {"{} {}", "not JSON: line 1, byte 4: '{' was not expected"},
      {"{\"name\":", "not JSON: it ends too early"},
      {"{\"name\":\"we", "not JSON: it ends too early"},
      {" ", "not JSON: it ends too early"},
  }));
  v1::ListPorts ports;
  CHECK(control::from_json(text, ports) == wrong);
}

TEST_CASE("JSON that does not fit is told by name") {
  const auto [text, wrong] = GENERATE(table<std::string, std::string>({
      {R"({"nmae":"web"})", "unknown name 'nmae'"},
      {R"({"name":{}})", "name: expected a single value, not an object"},
      {R"({"name":["a"]})", "name: expected a single value, not a list"},
      {R"({"name":7})", "name: expected a string, not 7"},
  }));
  v1::ListPorts ports;
  CHECK(control::from_json(text, ports) == wrong);
}

}  // namespace json_test
