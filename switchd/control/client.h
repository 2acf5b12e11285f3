// Who asks the daemon something, as the verbs see it: a connection to the control socket, or an HTTP request. Control
// thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "switchd/control.pb.h"

namespace lanyard::control {

// Something that goes on answering a request until it is destroyed. It calls Client::end_stream() when it has ended by
// itself.
class Stream {
 public:
  virtual ~Stream() = default;
  // It is about to be ended: says what it has to say yet.
  virtual void finish() {}
};

class Client {
 public:
  virtual ~Client() = default;

  // Sends it. `response.id` is set; the last one to a request has `more` not set. After the client has gone: nothing.
  virtual void respond(const v1::Response& response) = 0;
  // So much is waiting for it that a stream leaves out what comes.
  [[nodiscard]] virtual bool is_behind() const = 0;
  // Calls `fn` once when it is not behind, at once or later. Never where it has gone.
  virtual void when_ready(std::function<void()> fn) = 0;

  // The stream that answers request `id`, kept until end_stream() or until the client goes. False: it has as many as it
  // may have, or one with this id.
  [[nodiscard]] virtual bool keep_stream(std::uint64_t id, std::unique_ptr<Stream> stream) = 0;
  // Has it finish, and destroys it, soon: it may be the caller. False: there is none with this id.
  virtual bool end_stream(std::uint64_t id) = 0;
};

}  // namespace lanyard::control
