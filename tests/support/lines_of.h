// What a command of the shell prints.
#pragma once

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>
#include <vector>

namespace lanyard::test {

// Its lines; a command that fails ends the test.
[[nodiscard]] inline std::vector<std::string> lines_of(const std::string& command) {
  FILE* output = ::popen(command.c_str(), "r");
  REQUIRE(output != nullptr);
  std::vector<std::string> lines(1);
  for (int c = std::fgetc(output); c != EOF; c = std::fgetc(output)) {
    if (c == '\n') lines.emplace_back();
    else lines.back().push_back(static_cast<char>(c));
  }
  lines.pop_back();
  INFO(command);
  REQUIRE(::pclose(output) == 0);
  return lines;
}

}  // namespace lanyard::test
