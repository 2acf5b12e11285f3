// The real switchd as a child process: started with arguments, watched by what it prints, asked for its statistics,
// stopped, and in any case ended when the test is over. Its log goes to a file, which is shown when a test fails.
//
// Whatever does not come about before the deadline is an exception with the log in it.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/peer.h"
#include "transports/fd.h"

namespace lanyard::test {

// A new folder, removed with all that is in it.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

[[nodiscard]] std::string built_program();  // the path of the real switchd; its gateway lies beside it

struct SpawnOptions {
  std::vector<std::string> environment{};   // "NAME=VALUE", besides our own
  std::function<void()> in_child = nullptr;  // before exec; may only do what is safe after a fork
  bool await_ready = true;                   // else the test takes the lines itself
  std::string program = built_program();
};

class SwitchdProcess {
 public:
  // Without a control socket unless the arguments name one, so that tests do not meet each other's, or begin with
  // "--control-default", which is left out: the test sees to it that the default one is its own.
  SwitchdProcess(const std::string& engine, const std::vector<std::string>& arguments,
                 const SpawnOptions& options = {});
  ~SwitchdProcess();
  SwitchdProcess(const SwitchdProcess&) = delete;
  SwitchdProcess& operator=(const SwitchdProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Where a port is, as printed before `ready`, without its type: "127.0.0.1:40001".
  [[nodiscard]] const std::string& address(const std::string& port) const;
  [[nodiscard]] const std::vector<std::string>& lines_before_ready() const { return before_ready_; }

  // Takes the next line printed that begins with `beginning`, waiting for it; others stay to be taken.
  std::string await_line(const std::string& beginning);
  // The lines "port NAME up ..." and "port NAME down ...": from the first on the port is in its network.
  std::string await_up(const std::string& port);
  std::string await_down(const std::string& port) { return await_line("port " + port + " down "); }
  // Was such a line printed? Does not wait.
  [[nodiscard]] bool has_printed(const std::string& beginning);
  // No more than what was printed so far is read; the pipe's end goes.
  void close_output();
  // What is printed waits in the smallest pipe there is.
  void shrink_output() const;
  // Until `text` is in the log, `count` times.
  void await_log(const std::string& text, std::size_t count = 1) const;

  void signal(int number) const;
  // Suspends the process, surely: every thread of it stands still on return.
  void suspend() const;
  void resume() const;
  [[nodiscard]] nlohmann::json stats();
  // Asks for statistics until they are as wanted.
  nlohmann::json await_stats(const std::string& what, const std::function<bool(const nlohmann::json&)>& wanted);
  // Until a drop reason of a port has been counted so often (or more), and the ledgers of all add up: the statistics
  // may be of the middle of a turn, in which something is booked as dropped and still as queued.
  nlohmann::json await_drops(const std::string& port, const std::string& reason, std::uint64_t count = 1);

  [[nodiscard]] int stop();        // SIGTERM; the exit code, or 128 and the signal that ended it
  [[nodiscard]] int await_exit();
  [[nodiscard]] std::string log() const;
  [[nodiscard]] std::size_t open_descriptors() const;

 private:
  void await_ready();
  void read_some(const std::function<std::string()>& what);
  void take_lines();
  [[noreturn]] void fail(const std::string& what) const;

  pid_t pid_ = -1;
  Fd output_;
  Fd log_;
  Fd pidfd_;
  bool ended_ = false;
  int exit_code_ = -1;
  std::string unread_;  // no whole line yet
  std::deque<std::string> lines_;
  std::vector<std::string> before_ready_;
  std::map<std::string, std::string> addresses_;
};

// Runs switchd to its end, for starts that fail.
struct Ended {
  int exit_code = -1;
  std::string output;
  std::string log;
};
[[nodiscard]] Ended run_switchd(const std::vector<std::string>& arguments, const std::function<void()>& in_child = nullptr,
                                const std::vector<std::string>& environment = {});

// Connects to a tcp-listen port: `connection` is the port that it becomes, "web.1" of listener "web". On
// return it is in its network.
[[nodiscard]] Peer join(SwitchdProcess& daemon, const std::string& connection);

// Both identities of the ledger, for every port in the statistics. Empty, or what does not add up.
[[nodiscard]] std::string ledger_mistakes(const nlohmann::json& stats);

// The engines that run here, and why io_uring does not (empty when it does).
[[nodiscard]] std::vector<std::string> real_engines();
[[nodiscard]] std::string why_no_uring();

}  // namespace lanyard::test

// In a test case: runs it once with each engine. Where the machine has no io_uring that is said, and fails nothing.
#define ON_EVERY_REAL_ENGINE                                                                          \
  const std::string engine = GENERATE(from_range(::lanyard::test::real_engines()));                   \
  if (const std::string why = ::lanyard::test::why_no_uring(); !why.empty())                          \
    WARN("io_uring is not tested here: " << why);                                                     \
  INFO("engine " << engine)
