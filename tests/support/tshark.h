// Reads captures with Wireshark's own programs, so that a test need not trust our reading of the format.
#pragma once

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/lines_of.h"

namespace lanyard::test {

// A capture as a file, for as long as the test looks at it.
class CaptureFile {
 public:
  explicit CaptureFile(const std::string& pcapng) {
    const int fd = ::mkstemp(path_);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, pcapng.data(), pcapng.size()) == static_cast<ssize_t>(pcapng.size()));
    ::close(fd);
  }
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;
  ~CaptureFile() { ::unlink(path_); }

  // One line for each frame, the values of `fields` with '|' between them. A file that tshark finds fault with is a
  // failure.
  [[nodiscard]] std::vector<std::string> frames(const std::vector<std::string>& fields) const {
    std::string command = "tshark -n -r " + std::string(path_) + " -T fields -E separator='|'";
    for (const std::string& field : fields) command += " -e " + field;
    return lines_of(command + " 2>/dev/null");
  }
  // The report of capinfos.
  [[nodiscard]] std::string report() const {
    std::string all;
    for (const std::string& line : lines_of("capinfos -M " + std::string(path_))) all += line + "\n";
    return all;
  }

 private:
  char path_[32] = "/tmp/lanyard-capture-XXXXXX";
};

}  // namespace lanyard::test
