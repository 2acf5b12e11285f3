// A part of a text that has to be there: one that is not is shown with the whole.
#pragma once

#include <catch2/catch.hpp>
#include <string>

namespace lanyard::test {

inline bool contains(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace lanyard::test
