// Files of a capture: every one can be read by itself, none is larger than it may be, the newest stay.
#include "tools/lanyard/capture_files.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/lanyard/exit.h"

namespace capture_files_test {

using namespace lanyard::cli;

namespace {

// A block of `bytes` of which all but the lengths are `fill`.
std::string block(char fill, std::uint32_t bytes) {
  std::string made(bytes, fill);
  std::memcpy(made.data() + 4, &bytes, sizeof bytes);
  std::memcpy(made.data() + bytes - 4, &bytes, sizeof bytes);
  return made;
}

class Folder {
 public:
  Folder() {
    char path[] = "/tmp/lanyard-test-XXXXXX";
    REQUIRE(::mkdtemp(path) != nullptr);
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::string contents(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  [[nodiscard]] std::size_t files() const {
    const std::filesystem::directory_iterator all(path_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("numbers stand before the end of a file's name") {
  CHECK(numbered_path("lan.pcapng", 3) == "lan.00003.pcapng");
  CHECK(numbered_path("/tmp/a.b/lan", 12) == "/tmp/a.b/lan.00012");
  CHECK(numbered_path(".hidden", 1) == ".hidden.00001");
  CHECK(numbered_path("/tmp/.hidden", 1) == "/tmp/.hidden.00001");
}

TEST_CASE("whole blocks fit, and always one") {
  const std::string blocks = block('a', 16) + block('b', 20) + block('c', 12);
  CHECK(fitting_bytes(blocks, 100) == 48);
  CHECK(fitting_bytes(blocks, 40) == 36);
  CHECK(fitting_bytes(blocks, 36) == 36);
  CHECK(fitting_bytes(blocks, 35) == 16);
  CHECK(fitting_bytes(blocks, 0) == 16);
  CHECK(fitting_bytes("cut", 100) == 3);
  CHECK(fitting_bytes(std::string(12, '\0'), 0) == 12);  // a length of 0 is none
  CHECK(fitting_bytes(block('a', 16).substr(0, 14), 0) == 14);
}

TEST_CASE("one file has the header and all records") {
  const Folder folder;
  {
    CaptureFiles files({folder.path("lan.pcapng")});
    files.add_header(block('h', 12));
    files.add_records(block('a', 16));
    files.add_header(block('i', 12));
    files.add_records(block('b', 16));
  }
  CHECK(folder.contents("lan.pcapng") == block('h', 12) + block('a', 16) + block('i', 12) + block('b', 16));
}

TEST_CASE("each file begins with all headers so far, and the newest are kept") {
  const Folder folder;
  {
    CaptureFiles files({folder.path("lan.pcapng"), 64, 2});
    files.add_header(block('h', 12));
    files.add_records(block('a', 40));
    files.add_header(block('i', 12));
    files.add_records(block('b', 20) + block('c', 20) + block('d', 20));
    files.add_records(block('e', 100));
  }
  CHECK(folder.files() == 2);
  const std::string header = block('h', 12) + block('i', 12);
  CHECK(folder.contents("lan.00003.pcapng") == header + block('d', 20));
  CHECK(folder.contents("lan.00004.pcapng") == header + block('e', 100));  // larger by itself than a file may be
}

TEST_CASE("a file that cannot be opened is refused by name") {
  CaptureFiles files({"/nonexistent/lan.pcapng"});
  try {
    files.add_header(block('h', 12));
    FAIL("it was opened");
  } catch (const Exit& exit) {
    CHECK(exit.code == exit_refused);
    CHECK(exit.message.starts_with("/nonexistent/lan.pcapng cannot be opened: "));
  }
}

}  // namespace capture_files_test
