// One connection to the control socket: requests come in, responses go out, each framed by its length. Requests are
// carried out in the order they came in, and may be answered later, in any order.
//
// Limits: where a client does not read, what waits for it is bounded: from control_waiting_bytes_soft_max on its streams
// leave out what comes, and from control_waiting_bytes_max on no further request is read. A request that is too long
// or no message ends the connection when that has been said.
#pragma once

#include <array>
#include <asio/local/stream_protocol.hpp>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "switchd/control/client.h"
#include "switchd/control/framing.h"

namespace lanyard::control {

class Session final : public Client, public std::enable_shared_from_this<Session> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  struct Hooks {
    std::function<void(const v1::Request&, const std::shared_ptr<Client>&)> handle;
    std::function<void(const Session&)> gone;
  };
  Session(Socket socket, Hooks hooks) : socket_(std::move(socket)), hooks_(std::move(hooks)) {}

  void begin() { read(); }
  // Tells why, and closes when that has been sent.
  void refuse(v1::Error::Code code, const std::string& message);
  // The daemon ends: requests that are not answered yet are refused, streams end, and what is to be sent is sent as far
  // as the socket takes it at once.
  void finish();

  void respond(const v1::Response& response) override;
  [[nodiscard]] bool is_behind() const override;
  void when_ready(std::function<void()> fn) override;
  [[nodiscard]] bool keep_stream(std::uint64_t id, std::unique_ptr<Stream> stream) override;
  bool end_stream(std::uint64_t id) override;

 private:
  void close();
  void read();
  void take_messages();
  void write();
  void wrote(std::size_t bytes);

  Socket socket_;
  const Hooks hooks_;
  MessageReader reader_{request_bytes_max};
  std::array<char, 16 * 1024> piece_;
  std::deque<std::string> waiting_;  // the first is being sent
  std::size_t waiting_bytes_ = 0;
  bool writing_ = false;
  bool reading_ = false;
  bool ending_ = false;  // when all is sent
  std::multiset<std::uint64_t> unanswered_;  // requests, streams among them
  std::vector<std::function<void()>> ready_;
  std::map<std::uint64_t, std::unique_ptr<Stream>> streams_;
};

}  // namespace lanyard::control
