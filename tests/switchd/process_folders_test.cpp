// The folders that a gateway needs are computed from the environment, which may name what is missing, too long, or
// another's: then others are taken, and where that matters it is said. The control socket's: process_control_path_test.cpp.
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/support/guest.h"
#include "tests/support/switchd_process.h"

namespace process_folders_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

struct Folders {
  Folders() {
    std::ofstream(file) << "no folder";
    std::filesystem::create_directory(closed);
    REQUIRE(::chmod(closed.c_str(), 0500) == 0);
    if (::geteuid() == 0) REQUIRE(::chown(closed.c_str(), 65534, 65534) == 0);  // root may write to any, but shall not
  }
  TempFolder folder;
  const std::string good = folder.path("good");  // is made
  const std::string missing = folder.path("missing");
  const std::string file = folder.path("file");
  const std::string closed = folder.path("closed");
  const std::string too_long = folder.path(std::string(110, 'x'));
};

[[nodiscard]] bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a gateway starts whatever $XDG_RUNTIME_DIR is, and leaves nothing behind") {
  const Folders folders;
  std::filesystem::create_directory(folders.good);
  const std::vector<std::string> all{folders.good, "", "relative", folders.missing, folders.file, folders.closed,
                                     folders.too_long};
  const std::string& runtime = all[GENERATE(range(std::size_t{0}, std::size_t{7}))];
  CAPTURE(runtime);
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folders.folder.path("lan"), "out=nat"},
                        {.environment = {"XDG_RUNTIME_DIR=" + runtime, "XDG_STATE_HOME=" + folders.folder.path("state")}});
  CHECK(daemon.address("out") == "10.0.2.0/24");
  CHECK(std::filesystem::is_empty(folders.good));
  CHECK(daemon.stop() == 0);
}

TEST_CASE("leases are kept in the first folder of the environment that is good, and what is wrong with others is said") {
  const Folders folders;
  struct Row {
    std::string state_directory, state_home, home;
    std::string kept;  // in which folder; empty: in none
    std::string said;
  };
  const std::vector<Row> rows{
      {folders.good, "", "", folders.good, ""},
      {folders.good + ":/other", folders.missing, "", folders.good, ""},
      {"", folders.good, "", folders.good + "/lanyard", ""},
      {"", "", folders.good, folders.good + "/.local/state/lanyard", ""},
      {"", "relative", folders.good, folders.good + "/.local/state/lanyard", ""},
      {folders.file, folders.good, "", folders.good + "/lanyard", folders.file},
      {"", folders.closed, folders.good, folders.good + "/.local/state/lanyard", folders.closed},
      {"", folders.closed, folders.file, "", folders.closed},
      {"", "", "", "", "none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set"},
  };
  const Row& row = rows[GENERATE(range(std::size_t{0}, std::size_t{9}))];
  CAPTURE(row.state_directory, row.state_home, row.home);
  SwitchdProcess daemon("auto", {"vms=unix-listen:" + folders.folder.path("lan"), "out=nat"},
                        {.environment = {"STATE_DIRECTORY=" + row.state_directory, "XDG_STATE_HOME=" + row.state_home,
                                         "HOME=" + row.home}});
  INFO(daemon.log());
  if (row.said.empty()) CHECK_FALSE(has(daemon.log(), "leases are kept"));
  else CHECK(has(daemon.log(), "leases are kept in " + (row.kept.empty() ? "memory only: " : row.kept + ": ")));
  CHECK(has(daemon.log(), row.said));
  Peer guest = Peer::unix_stream(folders.folder.path("lan"));
  daemon.await_up("vms.1");
  CHECK(lease(guest, guest_mac(1)) == Ipv4Address(0x0A00'020F));
  CHECK(daemon.stop() == 0);
  if (!row.kept.empty()) CHECK(std::filesystem::exists(row.kept + "/leases-out.json"));
}

}  // namespace process_folders_test
