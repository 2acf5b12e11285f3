// Descriptors that nobody reads for the moment, of every kind that a program may have as its standard error.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/support/deadline.h"
#include "tests/support/peer.h"
#include "transports/fd.h"

namespace lanyard::test {

class Unread {
 public:
  static constexpr const char* kinds[] = {"pipe", "socket", "terminal"};

  explicit Unread(const std::string& kind) {
    int ends[2] = {-1, -1};
    if (kind == "pipe") {
      REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
      REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
    } else if (kind == "socket") {
      REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    } else {
      ends[0] = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
      REQUIRE((::grantpt(ends[0]) == 0 && ::unlockpt(ends[0]) == 0));
      ends[1] = ::open(::ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
      REQUIRE(ends[1] >= 0);
    }
    reader_ = Fd(ends[0]);
    writer_ = Fd(ends[1]);
  }

  [[nodiscard]] int writer() const { return writer_.get(); }

  // Not a byte more fits.
  void fill() const {
    const int flags = ::fcntl(writer(), F_GETFL);
    const std::string some(1024, '.');
    REQUIRE(::fcntl(writer(), F_SETFL, flags | O_NONBLOCK) == 0);
    for (std::size_t bytes = some.size(); bytes > 0; bytes /= 2)
      while (::write(writer(), some.data(), bytes) > 0) continue;
    REQUIRE(::fcntl(writer(), F_SETFL, flags) == 0);
  }

  // What is there, without carriage returns, which a terminal adds.
  [[nodiscard]] std::string read() const {
    std::string text;
    char bytes[4096];
    for (pollfd polled{reader_.get(), POLLIN, 0}; ::poll(&polled, 1, 0) == 1;) {
      const ssize_t got = ::read(reader_.get(), bytes, sizeof bytes);
      REQUIRE(got > 0);
      text.append(bytes, static_cast<std::size_t>(got));
    }
    std::erase(text, '\r');
    return text;
  }
  [[nodiscard]] std::string read_until(const std::string& end) const {
    std::string text;
    for (const Deadline deadline; text.find(end) == std::string::npos;) {
      await_fd(reader_.get(), POLLIN, deadline, end);
      text += read();
    }
    return text;
  }

 private:
  Fd reader_;
  Fd writer_;
};

}  // namespace lanyard::test
