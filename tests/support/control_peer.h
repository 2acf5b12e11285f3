// A client of the control socket, with a deadline for everything; late is an exception.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>

#include "switchd/control.pb.h"
#include "switchd/control/framing.h"
#include "tests/support/deadline.h"
#include "transports/fd.h"

namespace lanyard::test {

class ControlPeer {
 public:
  explicit ControlPeer(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot connect to " + path + ": " + std::strerror(errno));
  }

  // Gives it an id, which is returned.
  std::uint64_t send(v1::Request request) {
    request.set_id(++last_id_);
    const std::string bytes = control::framed(request.SerializeAsString());
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t now = ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) throw std::runtime_error("the control socket takes nothing");
      sent += static_cast<std::size_t>(now);
    }
    return last_id_;
  }
  // The next response to request `id`; others stay to be received.
  v1::Response receive(std::uint64_t id) {
    const Deadline deadline;
    for (;;) {
      const auto found = std::find_if(responses_.begin(), responses_.end(),
                                      [&](const v1::Response& response) { return response.id() == id; });
      if (found != responses_.end()) {
        v1::Response response = std::move(*found);
        responses_.erase(found);
        return response;
      }
      read_some(deadline);
    }
  }
  // Sends it and returns the only response.
  v1::Response ask(v1::Request request) { return receive(send(std::move(request))); }

 private:
  void read_some(const Deadline& deadline) {
    await_fd(fd_.get(), POLLIN, deadline, "response");
    char bytes[64 * 1024];
    const ssize_t got = ::recv(fd_.get(), bytes, sizeof bytes, 0);
    if (got <= 0) throw std::runtime_error("the control socket was closed");
    reader_.add({bytes, static_cast<std::size_t>(got)});
    while (const auto message = reader_.next()) {
      v1::Response& response = responses_.emplace_back();
      if (!response.ParseFromArray(message->data(), static_cast<int>(message->size())))
        throw std::runtime_error("no response");
    }
  }

  Fd fd_;
  std::uint64_t last_id_ = 0;
  control::MessageReader reader_{control::response_bytes_max};
  std::deque<v1::Response> responses_;
};

}  // namespace lanyard::test
