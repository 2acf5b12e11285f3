// A client of the control socket, as a script would be: one request at a time, and streams. Waits with a deadline.
#pragma once

#include <string>
#include <vector>

#include "switchd/control.pb.h"
#include "switchd/control/framing.h"
#include "transports/fd.h"

namespace lanyard::test {

class ControlClient {
 public:
  explicit ControlClient(const std::string& path);

  // Sends `request`, with an id of its own, and returns that.
  std::uint64_t send(v1::Request request);
  void send_raw(const std::string& bytes);
  // The next response, whatever it answers.
  [[nodiscard]] v1::Response next();
  // All responses to a request up to the last.
  [[nodiscard]] std::vector<v1::Response> ask_all(const v1::Request& request);
  // The only one.
  [[nodiscard]] v1::Response ask(const v1::Request& request);
  // The daemon closes the connection.
  void await_end();

 private:
  [[nodiscard]] bool receive();  // false: the end

  Fd fd_;
  control::MessageReader reader_{control::response_bytes_max};
  std::uint64_t next_id_ = 1;
};

}  // namespace lanyard::test
