// A program as a child process; see the header.
#include "tests/lanyard/program.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace lanyard::test {

namespace {

struct Pipe {
  Fd out;
  Fd in;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  return {Fd(ends[0]), Fd(ends[1])};
}

Fd file_with(const std::string& contents) {
  Fd file(::memfd_create("input", MFD_CLOEXEC));
  if (!file || ::pwrite(file.get(), contents.data(), contents.size(), 0) != static_cast<ssize_t>(contents.size()))
    throw std::runtime_error("cannot make a file");
  return file;
}

[[noreturn]] void become(std::vector<std::string>& words, const ProgramOptions& options) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (options.in_child) options.in_child();
  for (const std::string& entry : options.environment)
    ::setenv(entry.substr(0, entry.find('=')).c_str(), entry.substr(entry.find('=') + 1).c_str(), 1);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Program::Program(std::vector<std::string> words, const ProgramOptions& options) {
  if (options.on_terminal) {
    const winsize size{24, 80, 0, 0};
    int master = -1;
    pid_ = ::forkpty(&master, nullptr, nullptr, &size);
    if (pid_ == 0) become(words, options);
    output_ = Fd(master);
  } else {
    const Fd input = file_with(options.input);
    Pipe output = make_pipe();
    Pipe errors = make_pipe();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(input.get(), STDIN_FILENO);
      ::dup2(output.in.get(), STDOUT_FILENO);
      ::dup2(errors.in.get(), STDERR_FILENO);
      become(words, options);
    }
    output_ = std::move(output.out);
    errors_ = std::move(errors.out);
  }
  if (pid_ < 0) throw std::runtime_error("cannot fork");
}

Program::~Program() {
  if (outcome_.exit_code >= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Program::await_output(const std::string& text) {
  const Deadline deadline;
  for (;;) {
    const std::size_t at = outcome_.output.find(text, seen_);
    if (at != std::string::npos) {
      seen_ = at + text.size();
      return;
    }
    if (!output_)
      throw std::runtime_error("ended without printing '" + text + "': " + outcome_.output + outcome_.errors);
    read_some(deadline, "'" + text + "'");
  }
}

void Program::type(const std::string& keys) {
  if (::write(output_.get(), keys.data(), keys.size()) != static_cast<ssize_t>(keys.size()))
    throw std::runtime_error("cannot type");
}

void Program::resize(unsigned short rows, unsigned short columns) {
  const winsize size{rows, columns, 0, 0};
  ::ioctl(output_.get(), TIOCSWINSZ, &size);  // sends SIGWINCH
}

bool Program::terminal_echoes() const {
  termios mode{};
  return ::tcgetattr(output_.get(), &mode) == 0 && (mode.c_lflag & ECHO) != 0 && (mode.c_lflag & ICANON) != 0;
}

void Program::close_output() { output_.reset(); }

void Program::signal(int number) const { ::kill(pid_, number); }

Outcome Program::await_end() {
  const Deadline deadline;
  while (output_ || errors_) read_some(deadline, "its end");
  int status = 0;
  if (::waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("cannot wait for a child");
  outcome_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome_;
}

void Program::read_some(const Deadline& deadline, const std::string& what) {
  std::array<pollfd, 2> fds = {{{output_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};  // -1 is left out
  if (deadline.passed() || ::poll(fds.data(), fds.size(), deadline.left_ms()) < 1)
    throw std::runtime_error("in time there was no " + what + " of a program, only: " + outcome_.output +
                             outcome_.errors);
  char bytes[4096];
  const auto take = [&](Fd& fd, const pollfd& state, std::string& text) {
    if (state.revents == 0) return;
    const ssize_t got = ::read(fd.get(), bytes, sizeof bytes);
    if (got > 0)
      text.append(bytes, static_cast<std::size_t>(got));
    else
      fd.reset();  // of a terminal whose program has ended: EIO
  };
  take(output_, fds[0], outcome_.output);
  take(errors_, fds[1], outcome_.errors);
}

Outcome run_program(std::vector<std::string> words, const ProgramOptions& options) {
  return Program(std::move(words), options).await_end();
}

}  // namespace lanyard::test
