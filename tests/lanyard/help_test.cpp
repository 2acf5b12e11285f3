// The help, and the man page beside it.
#include "tools/lanyard/help.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace help_test {

using namespace lanyard::cli;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string man_page() {
  const auto root = std::filesystem::path(__FILE__).parent_path().parent_path().parent_path();
  std::ifstream file(root / "docs" / "lanyard.1.scd");
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("help names every verb and fits a terminal") {
  const std::string all = help_text(nullptr, "");
  for (const Verb& verb : verbs()) {
    CAPTURE(verb.name);
    CHECK((all.find("\n  " + std::string(verb.name)) != std::string::npos) == !verb.name.starts_with("_"));
    const std::string help = help_text(&verb, "");
    CHECK(help.starts_with("Usage: lanyard " + std::string(verb.name)));
    CHECK(help.find("Example:\n  " + std::string(verb.example)) != std::string::npos);
    for (const std::string& line : lines_of(help + all)) CHECK(line.size() <= 120);
  }
  CHECK(help_text(nullptr, "mirror").find("mirror list") != std::string::npos);
  CHECK(help_text(nullptr, "mirror").find("shutdown") == std::string::npos);
}

TEST_CASE("the man page names every verb and option") {
  const std::string page = man_page();
  for (const Verb& verb : verbs()) {
    if (verb.name.starts_with("_")) continue;
    CAPTURE(verb.name);
    CHECK(page.find("\n*" + std::string(verb.name) + "*") != std::string::npos);
    for (const Option& option : verb.options) {
      CAPTURE(option.names);
      CHECK(page.find("*" + std::string(option.names.substr(option.names.find("--"))) + "*") != std::string::npos);
    }
  }
  for (const Option& option : common_options())
    CHECK(page.find("*" + std::string(option.names.substr(option.names.find("--"))) + "*") != std::string::npos);
}

}  // namespace help_test
