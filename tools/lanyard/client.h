// One connection to a daemon's control socket (switchd/control.proto), blocking. What goes wrong with it ends the
// command: no daemon, or one that is gone, is exit 3; what it refuses is exit 1 with its own words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "switchd/control.pb.h"
#include "switchd/control/default_path.h"
#include "switchd/control/framing.h"

namespace lanyard::cli {

class Client {
 public:
  explicit Client(const std::vector<control::DefaultPath>& paths);  // connects to the first where a daemon answers
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Gives `request` an id, which is returned, and sends it.
  std::uint64_t send(v1::Request& request);
  // The next response to request `id`, waiting for it.
  [[nodiscard]] v1::Response receive(std::uint64_t id);
  // Sends `request` and puts the parts of the answer together.
  [[nodiscard]] v1::Response ask(v1::Request& request);

  // For who waits for other things besides: take() until there is none, then poll fd(), then read_some().
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool take(std::uint64_t id, v1::Response& response);
  void read_some();

 private:
  [[noreturn]] void fail(const std::string& why, const std::string& hint = "is it of the same version?") const;

  std::string path_;
  bool answered_ = false;  // has said anything
  int fd_ = -1;
  std::uint64_t last_id_ = 0;
  control::MessageReader reader_{control::response_bytes_max};
};

}  // namespace lanyard::cli
