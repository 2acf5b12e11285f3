// Lists of known keys in what is said of an unknown one: they name every key that is accepted in its place, and no
// other; for ports of every type and for networks, in every form in which they are written.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "switchd/config_text.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "tests/support/controlled.h"
#include "tests/switchd/config_helpers.h"

namespace known_keys_test {

using namespace lanyard;

namespace {

using Words = std::set<std::string>;

constexpr std::string_view unknown = "there-is-no-such-key";

// Where keys may stand: what is said of one with a value that is good for none.
using Place = std::function<std::string(const std::string& key)>;

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

Words all_words() {
  Words words = {"name", "type", "address", "networks", "ports"};
  for (const PortKeyInfo& key : port_keys()) words.insert(std::string(key.name));
  for (const NetworkKeyInfo& key : network_keys()) words.insert(std::string(key.name));
  for (const DaemonSetting& setting : daemon_settings()) words.insert(std::string(setting.name));
  return words;
}

bool is_refused(const std::string& told, const std::string& key) {
  for (const std::string& refusal : {"unknown key '" + key + "'", "key '" + key + "' is for ", key + " is no key",
                                     std::string("the name is what stands in front"), "a port keeps its " + key})
    if (told.find(refusal) != std::string::npos) return true;
  return false;
}

// "... unknown key 'x', expected a, b or c"
Words listed_in(const std::string& told) {
  const std::string begin = "unknown key '" + std::string(unknown) + "', expected ";
  const std::size_t at = told.find(begin);
  INFO(told);
  REQUIRE(at != std::string::npos);
  std::string rest = told.substr(at + begin.size());
  rest.resize(std::min(rest.find('\n'), rest.size()));
  for (std::size_t found = 0; (found = rest.find(" or ")) != std::string::npos;) rest.replace(found, 4, ", ");
  Words words;
  for (std::size_t comma = 0; comma != std::string::npos; rest.erase(0, comma == std::string::npos ? comma : comma + 2)) {
    comma = rest.find(", ");
    CHECK(words.insert(rest.substr(0, comma)).second);
  }
  return words;
}

void check_list(const Place& told_of) {
  Words accepted;
  for (const std::string& word : all_words())
    if (!is_refused(told_of(word), word)) accepted.insert(word);
  CHECK(accepted.size() >= 2);
  CHECK(listed_in(told_of(std::string(unknown))) == accepted);
}

// An address of the type that is good, and what else it needs.
std::string example(PortType type) {
  switch (type) {
    case PortType::tcp_listen: return "127.0.0.1:0";
    case PortType::tcp_connect: return "127.0.0.1:9";
    case PortType::udp: return "127.0.0.1:0";
    case PortType::mcast: return "239.255.77.2:5001";
    case PortType::nat: return "10.0.2.0/24";
    case PortType::tap:
    case PortType::nic: return "lan0";
    default: return "/tmp/a";
  }
}

}  // namespace

TEST_CASE("what is said of an unknown key of a port names every key that its type takes there") {
  for (const PortTypeInfo& type : port_types()) {
    CAPTURE(type.name);
    const std::string head = fmt::format("{}:{}", type.name, example(type.type));
    check_list([&](const std::string& key) { return joined(parse_port(head + "," + key + "=?").errors); });
    check_list([&](const std::string& key) {
      return joined(parse_yaml(fmt::format("ports: {{p: {{type: {}, address: \"{}\", {}: \"?\"}}}}", type.name,
                                           example(type.type), key)).errors);
    });
    for (const PortForm form : {PortForm::fields, PortForm::change}) {
      check_list([&](const std::string& key) {
        if (form == PortForm::change && key == "address") return std::string();  // is taken out before
        WrittenPort written;
        written.form = form;
        written.type = Written{std::string(type.name), ""};
        written.address = Written{example(type.type), ""};
        written.keys.push_back({.key = {key, ""}, .values = {{"?", ""}}});
        PortConfig port;
        std::vector<ConfigError> errors;
        read_port(written, port, errors);
        return joined(lines_of(errors));
      });
    }
  }
}

TEST_CASE("what is said of an unknown key of a network, and of the whole, names every key that is taken there") {
  check_list([](const std::string& key) { return joined(parse_yaml("networks: {lan: {" + key + ": '?'}}").errors); });
  check_list([](const std::string& key) {
    const std::string network = "lan," + key + "=?";
    const std::vector<const char*> arguments{"switchd", "--check", "--network", network.c_str(), "tcp-listen:1"};
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data()).output;
  });
  check_list([](const std::string& key) { return joined(parse_yaml(key + ": '?'").errors); });
}

TEST_CASE("what a running daemon says of an unknown key names every key that can be set") {
  test::TempFolder paths;
  test::Controlled lan({"a=tcp-listen:0", "b=unix-listen:" + paths.path("b"), "c=udp:127.0.0.1:0,remote=127.0.0.1:9"});
  const auto told = [&](const std::string& verb, const std::string& name, const std::string& key, const std::string& value) {
    const v1::Error error = lan.refused(
        fmt::format(R"({{"{}":{{"name":"{}","keys":[{{"key":"{}","values":[{}]}}]}}}})", verb, name, key, value));
    return error.message() + "\n" + joined({error.details().begin(), error.details().end()});
  };
  for (const std::string port : {"a", "b", "c"}) {
    CAPTURE(port);
    check_list([&](const std::string& key) { return told("set_port", port, key, R"("?","?")"); });
  }
  check_list([&](const std::string& key) { return told("set_network", "lan", key, "\"?\""); });
  check_list([&](const std::string& key) { return told("add_network", "new", key, "\"?\""); });
  CHECK(lan.daemon.stop() == 0);
}

}  // namespace known_keys_test
