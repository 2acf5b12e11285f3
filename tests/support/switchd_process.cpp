// The real switchd as a child process; see the header.
#include "tests/support/switchd_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iterator>
#include <stdexcept>

#include "frames/drop_reason.h"
#include "tests/support/deadline.h"
#include "tests/support/fork.h"
#include "transports/uring_engine.h"

namespace lanyard::test {

namespace {

[[nodiscard]] std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> made;
  for (std::string& text : texts) made.push_back(text.data());
  made.push_back(nullptr);
  return made;
}

[[nodiscard]] std::vector<std::string> environment_with(const std::vector<std::string>& added) {
  std::vector<std::string> all = added;
  for (char** entry = environ; *entry != nullptr; ++entry)
    if (std::string(*entry).rfind("NOTIFY_SOCKET=", 0) != 0) all.emplace_back(*entry);
  return all;
}

struct Child {
  pid_t pid = -1;
  Fd output;
  Fd log;
};

[[nodiscard]] Fd unnamed_file() {
  char path[] = "/tmp/switchd-log-XXXXXX";
  Fd file(::mkostemp(path, O_CLOEXEC));
  if (!file) throw std::runtime_error("cannot make a file for the log");
  ::unlink(path);
  return file;
}

[[nodiscard]] Child spawn(std::vector<std::string> arguments, const SpawnOptions& options) {
  arguments.insert(arguments.begin(), options.program);
  std::vector<std::string> environment = environment_with(options.environment);
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  Fd write_end(ends[1]);
  Child child{-1, Fd(ends[0]), unnamed_file()};
  child.pid = fork_plainly();
  if (child.pid < 0) throw std::runtime_error("cannot fork");
  if (child.pid > 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(write_end.get(), STDOUT_FILENO);
  ::dup2(child.log.get(), STDERR_FILENO);
  if (options.in_child) options.in_child();
  ::execve(argv[0], argv.data(), envp.data());
  ::_exit(127);
}

[[nodiscard]] int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

[[nodiscard]] std::string contents(int fd) {
  std::string text;
  char bytes[4096];
  for (off_t at = 0;;) {
    const ssize_t got = ::pread(fd, bytes, sizeof bytes, at);
    if (got <= 0) return text;
    text.append(bytes, static_cast<std::size_t>(got));
    at += got;
  }
}

}  // namespace

std::string built_program() { return SWITCHD_PATH; }

TempFolder::TempFolder() {
  char path[] = "/tmp/lanyard-test-XXXXXX";
  if (::mkdtemp(path) == nullptr) throw std::runtime_error("cannot make a folder");
  path_ = path;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SwitchdProcess::SwitchdProcess(const std::string& engine, const std::vector<std::string>& arguments,
                               const SpawnOptions& options) {
  std::vector<std::string> all{"--engine", engine};
  const bool controlled = std::find(arguments.begin(), arguments.end(), "--control") != arguments.end();
  const bool by_default = !arguments.empty() && arguments.front() == "--control-default";
  if (!controlled && !by_default) all.insert(all.end(), {"--control", "none"});
  all.insert(all.end(), arguments.begin() + (by_default ? 1 : 0), arguments.end());
  Child child = spawn(all, options);
  pid_ = child.pid;
  output_ = std::move(child.output);
  log_ = std::move(child.log);
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!options.await_ready) return;
  try {
    await_ready();
  } catch (...) {  // there will be no destructor
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw;
  }
}

SwitchdProcess::~SwitchdProcess() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (std::uncaught_exceptions() > 0) std::fprintf(stderr, "--- log of switchd:\n%s---\n", log().c_str());
}

void SwitchdProcess::await_ready() {
  for (std::string line = await_line(""); line != "ready"; line = await_line("")) before_ready_.push_back(line);
  for (const std::string& line : before_ready_) {  // port NAME TYPE:ADDRESS
    const std::size_t name = line.find(' ') + 1;
    const std::size_t type = line.find(' ', name) + 1;
    const std::size_t colon = line.find(':', type);
    if (line.rfind("port ", 0) == 0 && type != 0 && colon != std::string::npos)
      addresses_.emplace(line.substr(name, type - name - 1), line.substr(colon + 1));
  }
}

const std::string& SwitchdProcess::address(const std::string& port) const {
  const auto found = addresses_.find(port);
  if (found == addresses_.end()) fail("address of port " + port);
  return found->second;
}

std::string SwitchdProcess::await_up(const std::string& port) {
  return await_line("port " + port + " up ");
}

std::string SwitchdProcess::await_line(const std::string& beginning) {
  const Deadline deadline;
  for (;;) {
    for (auto line = lines_.begin(); line != lines_.end(); ++line) {
      if (line->rfind(beginning, 0) != 0) continue;
      std::string taken = std::move(*line);
      lines_.erase(line);
      return taken;
    }
    try {
      await_fd(output_.get(), POLLIN, deadline, "line '" + beginning + "'");
    } catch (const std::exception& late) {
      fail(late.what());
    }
    read_some([&] { return "line '" + beginning + "' before its output ended"; });
  }
}

void SwitchdProcess::read_some(const std::function<std::string()>& what) {
  char bytes[64 * 1024];
  const ssize_t got = ::read(output_.get(), bytes, sizeof bytes);
  if (got <= 0) fail(what());
  unread_.append(bytes, static_cast<std::size_t>(got));
  take_lines();
}

void SwitchdProcess::take_lines() {
  for (std::size_t end; (end = unread_.find('\n')) != std::string::npos; unread_.erase(0, end + 1))
    lines_.push_back(unread_.substr(0, end));
}

bool SwitchdProcess::has_printed(const std::string& beginning) {
  pollfd readable{output_.get(), POLLIN, 0};
  while (::poll(&readable, 1, 0) > 0 && (readable.revents & POLLIN) != 0)
    read_some([] { return std::string("output"); });
  for (const std::string& line : lines_)
    if (line.rfind(beginning, 0) == 0) return true;
  return false;
}

void SwitchdProcess::close_output() { output_.reset(); }

void SwitchdProcess::shrink_output() const { ::fcntl(output_.get(), F_SETPIPE_SZ, 4096); }

void SwitchdProcess::await_log(const std::string& text, std::size_t count) const {
  const Deadline deadline;
  pollfd ended{pidfd_.get(), POLLIN, 0};
  for (;;) {
    const std::string all = log();
    std::size_t found = 0;
    for (std::size_t at = all.find(text); at != std::string::npos; at = all.find(text, at + 1)) ++found;
    if (found >= count) return;
    if (deadline.passed() || ::poll(&ended, 1, 5) > 0)
      fail(std::to_string(count) + " times in the log: " + text + ", which is there " +
           std::to_string(found) + " times");
  }
}

void SwitchdProcess::signal(int number) const { ::kill(pid_, number); }

void SwitchdProcess::suspend() const {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status)) fail("suspension");
}

void SwitchdProcess::resume() const { ::kill(pid_, SIGCONT); }

nlohmann::json SwitchdProcess::stats() {
  signal(SIGUSR1);
  return nlohmann::json::parse(await_line("stats ").substr(6));
}

nlohmann::json SwitchdProcess::await_stats(const std::string& what,
                                           const std::function<bool(const nlohmann::json&)>& wanted) {
  const Deadline deadline;
  for (;;) {
    nlohmann::json now = stats();
    if (wanted(now)) return now;
    if (deadline.passed()) fail(what + "; statistics: " + now.at("ports").dump(1) + '\n' + ledger_mistakes(now));
  }
}

nlohmann::json SwitchdProcess::await_drops(const std::string& port, const std::string& reason, std::uint64_t count) {
  return await_stats(std::to_string(count) + " drops as " + reason + " on " + port, [&](const nlohmann::json& stats) {
    const auto& ports = stats.at("ports");
    return ports.contains(port) && ports.at(port).at("drops").at(reason).get<std::uint64_t>() >= count &&
           ledger_mistakes(stats).empty();
  });
}

int SwitchdProcess::stop() {
  signal(SIGTERM);
  return await_exit();
}

int SwitchdProcess::await_exit() {
  if (ended_) return exit_code_;
  await_fd(pidfd_.get(), POLLIN, Deadline(), "end of switchd");
  int status = 0;
  ::waitpid(pid_, &status, 0);
  ended_ = true;
  exit_code_ = exit_code_of(status);
  return exit_code_;
}

std::string SwitchdProcess::log() const { return contents(log_.get()); }

std::size_t SwitchdProcess::open_descriptors() const {
  const std::filesystem::directory_iterator entries("/proc/" + std::to_string(pid_) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
}

void SwitchdProcess::fail(const std::string& what) const {
  std::string printed;
  for (const std::string& line : lines_) printed += line + "\n";
  throw std::runtime_error("switchd: missing: " + what + "\n--- output not taken:\n" + printed + "--- log:\n" + log());
}

Ended run_switchd(const std::vector<std::string>& arguments, const std::function<void()>& in_child,
                  const std::vector<std::string>& environment) {
  Child child = spawn(arguments, {.environment = environment, .in_child = in_child});
  Ended ended;
  try {
    for (char bytes[4096];;) {  // until it closes its output, which is its end
      await_fd(child.output.get(), POLLIN, Deadline(), "end of switchd");
      const ssize_t got = ::read(child.output.get(), bytes, sizeof bytes);
      if (got <= 0) break;
      ended.output.append(bytes, static_cast<std::size_t>(got));
    }
  } catch (...) {
    ::kill(child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    throw;
  }
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  ended.exit_code = exit_code_of(status);
  ended.log = contents(child.log.get());
  return ended;
}

Peer join(SwitchdProcess& daemon, const std::string& connection) {
  Peer peer = Peer::tcp(daemon.address(connection.substr(0, connection.rfind('.'))));
  daemon.await_up(connection);
  return peer;
}

std::string ledger_mistakes(const nlohmann::json& stats) {
  std::string mistakes;
  for (const auto& [name, port] : stats.at("ports").items()) {
    if (!port.contains("received_frames")) continue;  // a listener
    std::uint64_t ingress = 0;
    std::uint64_t egress = 0;
    for (const DropReasonInfo& reason : drop_reasons)
      (reason.side == DropSide::ingress ? ingress : egress) +=
          port.at("drops").at(std::string(reason.name)).get<std::uint64_t>();
    const auto count = [&port = port](const char* key) { return port.at(key).get<std::uint64_t>(); };
    if (count("received_frames") != count("unicast") + count("flooded") + count("echoed_frames") + ingress)
      mistakes += name + ": received frames do not add up: " + port.dump() + "\n";
    if (count("copies") != count("sent_frames") + count("queued_frames") + egress)
      mistakes += name + ": copies do not add up: " + port.dump() + "\n";
  }
  return mistakes;
}

std::string why_no_uring() {
  static const std::string why = probe_uring().why_not;
  return why;
}

std::vector<std::string> real_engines() {
  if (!why_no_uring().empty()) return {"epoll"};
  return {"epoll", "io_uring"};
}

}  // namespace lanyard::test
