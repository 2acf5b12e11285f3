// The documents say what switchd does: no type, key, setting, drop reason or event is missing from them, and the
// examples are good. That man(1) can show the pages is looked at by tests/tools/man_pages_test.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "frames/drop_reason.h"
#include "switchd/config_text.h"
#include "switchd/events.h"
#include "switchd/port_keys.h"
#include "tests/switchd/config_helpers.h"

namespace lanyard {

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

TEST_CASE("the page of the control socket names every kind of event") {
  const std::string page = document("CONTROL.md");
  for (int kind = 0; kind <= static_cast<int>(EventKind::stopping); ++kind) {
    const std::string name(info(static_cast<EventKind>(kind)).name);
    CAPTURE(name);
    CHECK(page.find("`" + name + "`") != std::string::npos);
  }
}

}  // namespace lanyard
