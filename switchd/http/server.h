// The API and the counters over HTTP, beside the control socket:
//
//   GET /metrics     for Prometheus (http/metrics.h)
//   /v1/...          the verbs of control.proto (http/request.h)
//   GET /            what there is, for people
//
// TCP within the machine, or anywhere with a token. Who may ask:
//
//   with --http-token FILE   who sends `Authorization: Bearer TOKEN`, the first line of FILE as it was at the start
//   without                  processes of this user and of root on this machine, as with the control socket: the kernel
//                            says whose connection it is. A page of another origin in a browser is refused (by Host, Origin
//                            and Sec-Fetch-Site): it runs as this user, but is not hers
//
// Limits: http_clients_max connections, further ones are closed at once; a request of at most control::request_bytes_max; a
// client has http_request_s_max to send one, and http_stalled_s_max to take what is sent.
//
// The HTTP itself is RESTinio's, on the control plane's loop. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <optional>

#include "switchd/control/api.h"
#include "transports/open_sockets.h"

namespace lanyard::http {

class Server {
 public:
  Server(asio::io_context& io, const Config& config, control::Api& api);
  ~Server();

  // Listens. Nothing is served before the loop runs.
  [[nodiscard]] std::optional<OpenError> open();
  [[nodiscard]] bool is_open() const { return running_ != nullptr; }
  [[nodiscard]] SocketAddress address() const;  // REQUIRES: is_open()
  // No further connections. Those that are there still learn how the stop goes.
  void stop();
  void close();

 private:
  class Running;

  asio::io_context& io_;
  const std::optional<HostPort> where_;
  const std::string token_path_;
  bool told_token_is_readable_ = false;
  control::Api& api_;
  std::shared_ptr<Running> running_;
};

}  // namespace lanyard::http
