// The control socket: a UNIX stream socket for those who may change the daemon. Only its own user, root, and the members
// of the group it was given are listened to; the file's mode says so, and the credentials of each connection are looked
// at again (SO_PEERCRED, unix(7)), since a mode protects only where its folder does. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "switchd/control/api.h"
#include "switchd/control/session.h"
#include "switchd/refusal_log.h"
#include "transports/open_sockets.h"

namespace lanyard {

class ControlServer {
 public:
  ControlServer(asio::io_context& io, const Config& config, control::Api& api);

  [[nodiscard]] std::optional<OpenError> open();
  void begin();  // `ready` was printed
  // No further connections. Those that are there still learn how the stop goes.
  void stop();
  void close();

 private:
  [[nodiscard]] std::optional<OpenError> listen(const std::string& path);
  [[nodiscard]] std::optional<OpenError> open_default();
  void accept();
  void accepted(control::Session::Socket socket);
  [[nodiscard]] bool may_use(int socket) const;

  asio::io_context& io_;
  const bool named_;         // by the configuration; else it is the first of the default paths that can be
  std::string path_;         // empty: there is no control socket
  const std::string group_;  // empty: none
  gid_t group_id_ = 0;
  control::Api& api_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  RefusalLog refusals_;
  std::map<const control::Session*, std::shared_ptr<control::Session>> sessions_;
  bool stopping_ = false;
};

}  // namespace lanyard
