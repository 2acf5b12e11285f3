// A program as a child process, such as `lanyard` from a shell: with pipes around it or on a terminal of its own.
// Everything waits with a deadline; late is an exception with what was printed so far.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "tests/support/deadline.h"
#include "transports/fd.h"

namespace lanyard::test {

struct ProgramOptions {
  std::vector<std::string> environment{};  // "NAME=VALUE", besides our own
  std::string input{};                     // standard input, where it is no terminal
  std::function<void()> in_child = nullptr;  // before exec; may only do what is safe after a fork
  bool on_terminal = false;                // standard input, output and error; 24 lines of 80 columns
};

struct Outcome {
  int exit_code = -1;  // or 128 and the signal
  std::string output;
  std::string errors;  // empty on a terminal, where they are in the output
};

class Program {
 public:
  // `words[0]` is the program.
  explicit Program(std::vector<std::string> words, const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Until it has printed `text` since the last call.
  void await_output(const std::string& text);
  void type(const std::string& keys);  // on a terminal
  void resize(unsigned short rows, unsigned short columns);
  [[nodiscard]] bool terminal_echoes() const;  // as it does unless a program has changed that
  void close_output();  // as a reader that has had enough
  void signal(int number) const;
  [[nodiscard]] Outcome await_end();

 private:
  void read_some(const Deadline& deadline, const std::string& what);

  pid_t pid_ = -1;
  Fd output_;  // or the terminal's master
  Fd errors_;
  Outcome outcome_;
  std::size_t seen_ = 0;
};

// To its end.
[[nodiscard]] Outcome run_program(std::vector<std::string> words, const ProgramOptions& options = {});

}  // namespace lanyard::test
