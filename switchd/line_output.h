// Lines for standard output, which is often a pipe of somebody who read as far as `ready` and then forgot it. Lines
// that it does not take now wait, up to a limit, and the control plane goes on; beyond the limit whole lines are lost,
// and that is logged once. The descriptor is shared with others, so its flags are left alone: it is asked before each
// write, and given no more at once than a pipe that is ready takes.
//
// Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <string>

namespace lanyard {

class LineOutput {
 public:
  LineOutput(asio::io_context& io, int fd) : fd_(fd), retry_(io) {}

  // `line` without its end. At once where that is possible.
  void print(const std::string& line);
  // At the end: what is taken now is printed, the rest is lost.
  void finish();

 private:
  void write_some();

  int fd_;
  asio::steady_timer retry_;
  std::string waiting_;
  bool lost_some_ = false;
};

}  // namespace lanyard
