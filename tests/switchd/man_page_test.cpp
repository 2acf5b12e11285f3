// The documents say what switchd does: no type, key, setting, drop reason or event is missing from them, and the
// examples are good. That man(1) can show the pages is looked at by tests/tools/man_pages_test.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "frames/drop_reason.h"
#include "switchd/config_text.h"
#include "switchd/events.h"
#include "switchd/gateway/gateway_config.h"
#include "switchd/help.h"
#include "switchd/network_keys.h"
#include "switchd/port_keys.h"
#include "tests/switchd/config_helpers.h"

namespace man_page_test {

using namespace lanyard;

namespace {

std::string document(const std::string& name) {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream file(root / "docs" / name);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The literal blocks, between lines of three backquotes; scdoc's doubled backslashes are made single.
Lines literal_blocks(const std::string& name) {
  Lines blocks;
  std::istringstream page(document(name));
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line == "```") {
      inside = !inside;
      if (inside) blocks.emplace_back();
      continue;
    }
    if (!inside) continue;
    if (line.ends_with("\\\\")) line.pop_back();
    blocks.back() += line + "\n";
  }
  return blocks;
}

// The words of a block's command line, which may go on after a backslash; none where it is no command line of
// ours.
std::vector<std::string> command_words(const std::string& block) {
  if (!block.starts_with("switchd ")) return {};
  std::string command = block;
  for (std::size_t at = 0; (at = command.find("\\\n")) != std::string::npos;) command.replace(at, 2, " ");
  std::istringstream line(command.substr(0, command.find('\n')));
  std::vector<std::string> words;
  for (std::string word; line >> word;) words.push_back(word);
  return words;
}

// What stands behind the first `begin`, up to the next `end`.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t at = text.find(begin);
  CAPTURE(begin, end);
  REQUIRE(at != std::string::npos);
  const std::size_t behind = at + begin.size();
  const std::size_t last = text.find(end, behind);
  REQUIRE(last != std::string::npos);
  return text.substr(behind, last - behind);
}

// "*a*, *b*": a and b.
std::set<std::string> words_between(const std::string& text, char mark) {
  std::set<std::string> words;
  std::istringstream stream(text);
  std::string word;
  for (bool inside = false; std::getline(stream, word, mark); inside = !inside)
    if (inside) words.insert(word);
  return words;
}

}  // namespace

TEST_CASE("the man page names every type of port, key and drop reason") {
  const std::string page = document("switchd.1.scd");
  const auto names = [&](const std::string& text) { return page.find(text) != std::string::npos; };
  for (const PortTypeInfo& type : port_types()) {
    CAPTURE(type.name);
    const std::string name(type.name);
    CHECK(names(type.address_optional ? "*" + name + "*[*:*" : "*" + name + ":*"));
  }
  for (const PortKeyInfo& key : port_keys()) {
    CAPTURE(key.name);
    CHECK(names("*" + std::string(key.name) + "=*"));
  }
  for (const DropReasonInfo& reason : drop_reasons) {
    CAPTURE(reason.name);
    CHECK(names("|  " + std::string(reason.name) + "\n"));
  }
}

TEST_CASE("the examples of the man page are good configurations") {
  std::size_t commands = 0;
  std::size_t documents = 0;
  for (const std::string& block : literal_blocks("switchd.1.scd")) {
    CAPTURE(block);
    if (block.find("\nports:") != std::string::npos) {
      CHECK(parse_yaml(block).errors.empty());
      ++documents;
    }
    std::vector<std::string> words = command_words(block);
    if (words.empty()) continue;
    words.push_back("--check");
    std::vector<const char*> argv;
    for (const std::string& word : words) argv.push_back(word.c_str());
    const CommandLine result = parse_command_line(static_cast<int>(argv.size()), argv.data());
    CHECK(result.exit_code == 0);
    CHECK(result.output.find("warning") == std::string::npos);
    ++commands;
  }
  CHECK(commands >= 5);
  CHECK(documents == 1);
}

TEST_CASE("the page of the configuration file names every setting, type of port and key") {
  const std::string page = document("lanyard.yaml.5.scd");
  const auto names = [&](const std::string& text) { return page.find(text) != std::string::npos; };
  for (const DaemonSetting& setting : daemon_settings()) {
    CAPTURE(setting.name);
    CHECK(names("\n*" + std::string(setting.name) + ":* "));
  }
  for (const PortTypeInfo& type : port_types()) {
    CAPTURE(type.name);
    CHECK(names("\n|  *" + std::string(type.name) + "*\n"));
  }
  for (const PortKeyInfo& key : port_keys()) {
    CAPTURE(key.name);
    CHECK(names("*" + std::string(key.name) + ":* "));
  }
}

TEST_CASE("the examples of the page of the configuration file are good documents") {
  std::size_t documents = 0;
  for (const std::string& block : literal_blocks("lanyard.yaml.5.scd")) {
    if (block.starts_with("lanyard ")) continue;
    CAPTURE(block);
    CHECK(parse_yaml(block).errors.empty());
    ++documents;
  }
  CHECK(documents == 3);
}

TEST_CASE("wherever settings, or keys of networks, are listed, none is missing") {
  const std::string manual = document("switchd.1.scd");
  const std::string control = document("CONTROL.md");
  const std::string options = between(manual, "# OPTIONS", "# HTTP");
  const std::string file = between(manual, "# CONFIGURATION FILE", "```");
  const std::string applied = between(control, "Of the settings at its top", "\n\n");
  for (const DaemonSetting& setting : daemon_settings()) {
    CAPTURE(setting.name);
    const std::string name(setting.name);
    CHECK(options.find("\n*--" + name + "*") != std::string::npos);
    CHECK(file.find("*" + name + "*") != std::string::npos);
    CHECK(applied.find("`" + name + "`") != std::string::npos);
    CHECK(help_text().find("\n      --" + name + " ") != std::string::npos);
  }
  for (const std::string_view name : {"networks", "ports"}) CHECK(file.find("*" + std::string(name) + "*") != std::string::npos);
  const std::string networks = between(manual, "# NETWORKS", "# PORTS THAT ARE DOWN");
  const std::string yaml = between(document("lanyard.yaml.5.scd"), "# NETWORKS", "# PORTS");
  const std::string event = between(control, "| `network_changed`", "\n");
  const std::string verb = between(document("lanyard.1.scd"), "\n*network set*", "\n\n");
  for (const NetworkKeyInfo& key : network_keys()) {
    CAPTURE(key.name);
    const std::string name(key.name);
    CHECK((name == "kind" ? networks.find("*Kind*") : networks.find("\n*" + name + "=")) != std::string::npos);
    CHECK(yaml.find("\n*" + name + ":*") != std::string::npos);
    CHECK(event.find(name) != std::string::npos);
    CHECK(verb.find(name) != std::string::npos);
  }
}

// Keys that are changed while frames flow; of nat, those of which the gateway is told.
TEST_CASE("wherever keys are listed that change while frames flow, they are those that do") {
  const std::map<std::string_view, std::string_view> values = {
      {"router", "10.0.2.4"}, {"dns", "10.0.2.5"}, {"via", "10.0.2.9"}, {"nameserver", "10.0.2.9"}, {"dhcp", "off"},
      {"pool", "10.0.2.100-10.0.2.110"}, {"lease", "60"}, {"reserve", "52:54:00:00:00:01+10.0.2.20+web"},
      {"bootfile", "a"}, {"next-server", "10.0.2.9"}, {"tftp", "/tmp"}, {"option", "42:ip:10.0.2.9"}, {"domain", "test"},
      {"mtu", "1400"}, {"ipv6", "off"}, {"forward", "tcp:80:10.0.2.15:80"}, {"outbound", "none"},
      {"host-loopback", "allow"}, {"hosts", "on"}};
  std::set<std::string> live = {"network", "max-frame", "queue"};
  for (const PortKeyInfo& key : port_keys()) {
    if (key.types != set_of(PortType::nat)) continue;
    CAPTURE(key.name);
    REQUIRE(values.contains(key.name));
    PortConfig before;
    before.type = PortType::nat;
    PortConfig after = before;
    REQUIRE(key.read(values.at(key.name), after).empty());
    REQUIRE_FALSE(after == before);
    change_live(before.gateway, after.gateway);
    if (after == before) live.insert(std::string(key.name));
  }
  const std::string manual = between(document("lanyard.1.scd"), "*address=*_ADDRESS_ changes the address.", "change while");
  const std::string protocol = between(document("CONTROL.md"), "goes back to its default. ", "change while frames flow");
  live.insert("nat");
  CHECK(words_between(manual, '*') == live);
  CHECK(words_between(protocol, '`') == live);
}

TEST_CASE("the page of the control socket names every kind of event") {
  const std::string page = document("CONTROL.md");
  for (int kind = 0; kind <= static_cast<int>(EventKind::stopping); ++kind) {
    const std::string name(info(static_cast<EventKind>(kind)).name);
    CAPTURE(name);
    CHECK(page.find("`" + name + "`") != std::string::npos);
  }
}

}  // namespace man_page_test
