// The default control socket: the daemon and the command meet whatever their environments say, what cannot be used is told
// of, and what another user could have laid out is not trusted. Each runs as a user with a number of its own, so that
// /tmp/lanyard-UID is nobody else's.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/lanyard/program.h"
#include "tests/support/contains.h"
#include "tests/support/other_users.h"
#include "tests/support/own_user.h"
#include "tests/support/skip.h"
#include "tests/support/switchd_process.h"

namespace process_control_path_test {

#define IN_A_USER_NAMESPACE \
  if (!OwnUser::is_possible()) SKIP_TEST("nobody may make a user namespace here");

using namespace lanyard::test;

namespace {

constexpr uid_t nobody = 65534;

// A user with a number of its own, and what there may be in its environment.
struct User {
  User() { std::filesystem::create_directories(runtime); }
  ~User() {
    std::error_code ignored;
    std::filesystem::remove_all(in_tmp, ignored);
  }

  [[nodiscard]] SpawnOptions daemon_with(const std::string& variable) const {
    return {.environment = {"XDG_RUNTIME_DIR=" + variable}, .in_child = enter()};
  }
  // `switchd` with the default control socket, to its end.
  [[nodiscard]] Ended start_with(const std::string& variable, const std::vector<std::string>& arguments) const {
    return run_switchd(arguments, enter(), {"XDG_RUNTIME_DIR=" + variable});
  }
  [[nodiscard]] Outcome ask_with(const std::string& variable, const std::string& named = "") const {
    return run_program({LANYARD_PATH, "status"}, {.environment = {"XDG_RUNTIME_DIR=" + variable, "LANYARD_CONTROL=" + named},
                                                  .in_child = enter()});
  }
  [[nodiscard]] std::function<void()> enter() const {
    return [number = number] { OwnUser::enter(number); };
  }

  const unsigned number = OwnUser::number();
  const std::string in_tmp = "/tmp/lanyard-" + std::to_string(number);
  const TempFolder folder;
  const std::string runtime = folder.path("runtime");
};

[[nodiscard]] unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777u;
}

}  // namespace

TEST_CASE("daemon and command meet, whatever XDG_RUNTIME_DIR is for either") {
  IN_A_USER_NAMESPACE
  const User user;
  const std::string file = user.folder.path("file");
  std::ofstream(file) << "no folder";
  const std::string another = ::geteuid() == 0 ? user.folder.path("another") : "/";  // root is this user there
  std::filesystem::create_directories(another);
  if (::geteuid() == 0) REQUIRE(::chown(another.c_str(), nobody, nobody) == 0);
  // What it is, and what the daemon says of it.
  const std::vector<std::pair<std::string, std::string>> environments{
      {user.runtime, ""},
      {"", "info: XDG_RUNTIME_DIR: empty: "},
      {"relative/path", "warning: XDG_RUNTIME_DIR: expected an absolute path, not 'relative/path': "},
      {user.folder.path("missing"), "missing: No such file or directory"},
      {file, "file is not a folder"},
      {another, another + " is user "},
      {user.folder.path(std::string(110, 'x')), "a socket's path has at most 107 bytes"},
  };
  for (const auto& [of_daemon, warning] : environments) {
    CAPTURE(of_daemon);
    const std::string folder = of_daemon == user.runtime ? user.runtime + "/lanyard" : user.in_tmp;
    const std::string path = folder + "/switchd.sock";
    SwitchdProcess daemon("auto", {"--control-default", "web=tcp-listen:0"}, user.daemon_with(of_daemon));
    CHECK(mode_of(folder) == 0700);
    if (warning.empty()) CHECK(daemon.log().find("control socket") == std::string::npos);
    else contains(daemon.log(), warning);
    if (!warning.empty()) contains(daemon.log(), "the control socket is " + path);
    for (const auto& [of_command, ignored] : environments) {
      CAPTURE(of_command);
      const Outcome asked = user.ask_with(of_command);
      INFO(asked.errors);
      const bool meets = of_daemon != user.runtime || of_command == user.runtime;
      CHECK(asked.exit_code == (meets ? 0 : 3));
      CHECK(user.ask_with(of_command, path).exit_code == 0);  // by LANYARD_CONTROL
      if (!meets) contains(asked.errors, "at " + user.in_tmp + "/switchd.sock: No such file or directory");
      const std::string why = "XDG_RUNTIME_DIR: " + std::string(of_command.empty() ? "empty" : "expected an absolute path, not");
      const bool says_why = !meets && (of_command.empty() || of_command.front() != '/');
      CHECK((asked.errors.find(why) != std::string::npos) == says_why);
    }
    CHECK(daemon.stop() == 0);
    CHECK_FALSE(std::filesystem::exists(path));
  }
}

TEST_CASE("a check warns of an XDG_RUNTIME_DIR that is too long, and of nothing where --control says the path") {
  IN_A_USER_NAMESPACE
  const User user;
  const std::string too_long = user.folder.path(std::string(110, 'x'));
  const Ended checked = user.start_with(too_long, {"--check", "tcp-listen:1"});
  CHECK(checked.exit_code == 0);
  contains(checked.output, "warning: XDG_RUNTIME_DIR: a socket's path has at most 107 bytes");
  contains(checked.output, ": the control socket is " + user.in_tmp + "/switchd.sock\n");
  CHECK(user.start_with(too_long, {"--check", "--control", "none", "tcp-listen:1"}).output.find("warning") ==
        std::string::npos);
  const Ended written = user.start_with("", {"--check", "--control", too_long, "tcp-listen:1"});
  CHECK(written.exit_code == 2);
  contains(written.log, "107");
}

TEST_CASE("a folder in /tmp that others could write to is closed, and one that is not this user's is not used") {
  IN_A_USER_NAMESPACE
  const User user;
  std::filesystem::create_directory(user.in_tmp);
  std::filesystem::permissions(user.in_tmp, std::filesystem::perms::all);
  {
    SwitchdProcess daemon("auto", {"--control-default", "web=tcp-listen:0"}, user.daemon_with(""));
    CHECK(mode_of(user.in_tmp) == 0700);
    CHECK(daemon.stop() == 0);
  }
  std::filesystem::remove_all(user.in_tmp);
  std::filesystem::create_directory_symlink(user.runtime, user.in_tmp);
  const Ended ended = user.start_with("", {"tcp-listen:0"});
  CHECK(ended.exit_code == 1);
  contains(ended.log, user.in_tmp + " is not a folder; say where it shall be with --control PATH, or --control none");
  SwitchdProcess trap("auto", {"--control", user.runtime + "/switchd.sock", "web=tcp-listen:0"}, user.daemon_with(""));
  const Outcome asked = user.ask_with("");
  CHECK(asked.exit_code == 3);
  contains(asked.errors, user.in_tmp + "/switchd.sock: " + user.in_tmp + " is not a folder");
  CHECK(trap.stop() == 0);
}

TEST_CASE("a second daemon on the default path is told of --control, and does not go elsewhere") {
  IN_A_USER_NAMESPACE
  const User user;
  SwitchdProcess daemon("auto", {"--control-default", "web=tcp-listen:0"}, user.daemon_with(user.runtime));
  const Ended second = user.start_with(user.runtime, {"tcp-listen:0"});
  CHECK(second.exit_code == 1);
  contains(second.log, user.runtime + "/lanyard/switchd.sock: a living process serves this path; give each switchd a path of its "
                                 "own with --control PATH");
  CHECK(user.ask_with(user.runtime).exit_code == 0);
  CHECK(daemon.stop() == 0);
}

TEST_CASE("a path that is too long is named by who gave it, with how long it may be") {
  const std::string path = "/tmp/" + std::string(110, 'x');
  const Outcome option = run_program({LANYARD_PATH, "status", "--control", path});
  CHECK(option.exit_code == 2);
  contains(option.errors, "lanyard: --control: a socket's path has at most 107 bytes, ");
  const Outcome variable = run_program({LANYARD_PATH, "status"}, {.environment = {"LANYARD_CONTROL=" + path}});
  CHECK(variable.exit_code == 2);
  contains(variable.errors, "lanyard: LANYARD_CONTROL: a socket's path has at most 107 bytes, ");
}

TEST_CASE("root is told why a daemon in a user namespace of another user does not listen, and how to be listened to") {
  WITH_OTHER_USERS;
  const auto as_nobody = [] {
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(OwnUser::refused);
  };
  if (run_program({LANYARD_PATH, "--help"}, {.in_child = as_nobody}).exit_code != 0)
    SKIP_TEST("another user may not run what was built, for its folder's sake");
  const TempFolder folder;
  std::filesystem::permissions(folder.path(""), std::filesystem::perms::all);
  const std::string path = folder.path("control");
  const auto in_child = [as_nobody] {
    as_nobody();
    OwnUser::enter(0);
  };
  SwitchdProcess daemon("auto", {"--control", path, "web=tcp-listen:0"}, {.in_child = in_child});
  const Outcome asked = run_program({LANYARD_PATH, "status", "--control", path});
  CHECK(asked.exit_code == 3);
  contains(asked.errors, "it runs in a user namespace of its own (process " + std::to_string(daemon.pid()) +
                        "), in which this user is nobody; ask as the user who it is here, such as with sudo -u '#65534' ");
  CHECK(run_program({LANYARD_PATH, "status", "--control", path}, {.in_child = as_nobody}).exit_code == 0);
  CHECK(daemon.stop() == 0);
}

}  // namespace process_control_path_test
