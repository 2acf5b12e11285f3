// Who may use the control socket of the real switchd: --control-group. As other users, too.
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "tests/support/controlled.h"
#include "tests/support/deadline.h"
#include "tests/support/other_users.h"
#include "tests/support/skip.h"
#include "transports/socket_address.h"

namespace process_control_group_test {

using namespace lanyard;
using namespace lanyard::test;

namespace {

constexpr uid_t another_user = 54321;
constexpr gid_t another_group = 54322;

enum class Told : int { answered, hung_up, kept_out, nothing };

// As a process of `user` with these groups asks for the daemon's version: what comes of it.
Told ask_as(const std::string& path, uid_t user, gid_t group, const std::vector<gid_t>& further) {
  v1::Request version;
  version.set_id(1);
  version.mutable_get_version();
  const std::string request = control::framed(version.SerializeAsString());
  const SocketAddress address = SocketAddress::unix_path(path);
  const pid_t child = ::fork();
  if (child == 0) {  // what is safe after a fork, and no more
    const auto end = [](Told told) { ::_exit(static_cast<int>(told)); };
    if (::setgroups(further.size(), further.data()) != 0 || ::setresgid(group, group, group) != 0 ||
        ::setresuid(user, user, user) != 0)
      end(Told::nothing);
    const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::connect(client, &address.any, address.length) != 0) end(errno == EACCES ? Told::kept_out : Told::nothing);
    (void)!::send(client, request.data(), request.size(), MSG_NOSIGNAL);  // it may have hung up already
    pollfd answer{client, POLLIN, 0};
    char byte;
    if (::poll(&answer, 1, 20'000) != 1) end(Told::nothing);
    const ssize_t got = ::recv(client, &byte, 1, 0);
    end(got == 1 ? Told::answered : got == 0 || errno == ECONNRESET ? Told::hung_up : Told::nothing);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return static_cast<Told>(WEXITSTATUS(status));
}

// A group of this machine, other than root's and those above.
const group* some_group() {
  ::setgrent();
  const group* found = ::getgrent();
  while (found != nullptr && found->gr_gid == 0) found = ::getgrent();
  return found;
}

}  // namespace

TEST_CASE("members of the control group may use the control socket, and no other users") {
  WITH_OTHER_USERS;
  const group* const found = some_group();
  REQUIRE(found != nullptr);
  const gid_t members = found->gr_gid;
  Controlled lan({"--control-group", found->gr_name, "web=tcp-listen:0"});
  REQUIRE(::chmod(lan.folder.path("").c_str(), 0711) == 0);  // a folder that keeps nobody out
  struct stat status {};
  REQUIRE(::stat(lan.path().c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0660);
  CHECK(status.st_gid == members);

  CHECK(ask_as(lan.path(), another_user, members, {}) == Told::answered);
  CHECK(ask_as(lan.path(), another_user, another_group, {another_group, members}) == Told::answered);
  CHECK(ask_as(lan.path(), another_user, another_group, {another_group}) == Told::kept_out);
  CHECK(ask_as(lan.path(), another_user, another_group, {}) == Told::kept_out);

  // Where the mode lets everybody in, as after a chmod, the credentials are what counts.
  REQUIRE(::chmod(lan.path().c_str(), 0666) == 0);
  CHECK(ask_as(lan.path(), another_user, members, {}) == Told::answered);
  CHECK(ask_as(lan.path(), another_user, another_group, {members}) == Told::answered);
  CHECK(ask_as(lan.path(), another_user, another_group, {another_group}) == Told::hung_up);
  CHECK(ask_as(lan.path(), another_user, another_group, {}) == Told::hung_up);
  CHECK(ask_as(lan.path(), another_user, 0, {}) == Told::hung_up);  // root's group is not root
  CHECK(ask_as(lan.path(), 0, another_group, {}) == Told::answered);
  lan.daemon.await_log("refused a process of another user");
  CHECK(lan.ask(R"({"get_version":{}})").version().protocol() == 1);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("without a control group no other user may use the control socket, whatever its mode") {
  WITH_OTHER_USERS;
  Controlled lan({"web=tcp-listen:0"});
  REQUIRE(::chmod(lan.folder.path("").c_str(), 0711) == 0);
  CHECK(ask_as(lan.path(), another_user, another_group, {}) == Told::kept_out);
  REQUIRE(::chmod(lan.path().c_str(), 0666) == 0);
  CHECK(ask_as(lan.path(), another_user, another_group, {}) == Told::hung_up);
  CHECK(ask_as(lan.path(), another_user, 0, {0}) == Told::hung_up);
  CHECK(ask_as(lan.path(), 0, another_group, {}) == Told::answered);
  CHECK(lan.daemon.stop() == 0);
}

TEST_CASE("a control group that there is not ends the start, and is named") {
  TempFolder folder;
  const Ended ended =
      run_switchd({"--control", folder.path("control"), "--control-group", "nosuchgroup", "tcp-listen:0"});
  CHECK(ended.exit_code != 0);
  CHECK(ended.log.find("there is no group 'nosuchgroup' on this host") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder.path("control")));
}

TEST_CASE("a group that this user cannot give a path to ends the start, and those that it can are named") {
  TempFolder folder;
  const auto without_chown = [] { (void)::prctl(PR_CAPBSET_DROP, CAP_CHOWN); };  // a plain user has nothing to drop
  const std::string number = std::to_string(another_group);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--control", folder.path("control"), "--control-group", number, "tcp-listen:0"},
        std::vector<std::string>{"--control-group", number, "tcp-listen:0"},
        std::vector<std::string>{"--control", "none", "unix-listen:" + folder.path("s") + ",group=" + number}}) {
    const Ended ended = run_switchd(arguments, without_chown, {"XDG_RUNTIME_DIR=" + folder.path("")});
    INFO(ended.log);
    CHECK(ended.exit_code == 1);
    CHECK(ended.log.find("cannot give the path to group '" + number + "'") != std::string::npos);
    CHECK(ended.log.find("groups that this user is in: ") != std::string::npos);
    CHECK(ended.log.find("with --control PATH") == std::string::npos);  // another path would not help
  }
}

TEST_CASE("a group can be given by its number") {
  TempFolder folder;
  SwitchdProcess daemon("auto", {"--control", folder.path("control"), "--control-group", std::to_string(::getegid()),
                                 "p=unix-listen:" + folder.path("s") + ",group=" + std::to_string(::getegid())});
  for (const char* path : {"control", "s"}) {
    struct stat status {};
    REQUIRE(::stat(folder.path(path).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0660);
    CHECK(status.st_gid == ::getegid());
  }
  CHECK(daemon.stop() == 0);
}

}  // namespace process_control_group_test
