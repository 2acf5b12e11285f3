// A daemon that does as the test says: for what a real one does not do when one wants it to, such as to die in the midst
// of an answer. One client, in a thread of its own.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "switchd/control.pb.h"
#include "tests/support/switchd_process.h"
#include "transports/fd.h"

namespace lanyard::test {

class FakeDaemon {
 public:
  // The far end of the client's connection.
  class Connection {
   public:
    explicit Connection(int fd) : fd_(fd) {}
    void respond(const v1::Request& request, v1::Response response, bool more = false) const;
    void send_raw(const std::string& bytes) const;
    void hang_up() const;

   private:
    int fd_;
  };
  using Handler = std::function<void(const v1::Request& request, const Connection& connection)>;

  explicit FakeDaemon(Handler handler);
  ~FakeDaemon();
  FakeDaemon(const FakeDaemon&) = delete;
  FakeDaemon& operator=(const FakeDaemon&) = delete;

  [[nodiscard]] std::string path() const { return folder_.path("control"); }

 private:
  void serve();

  TempFolder folder_;
  Handler handler_;
  Fd listener_;
  std::thread thread_;
};

}  // namespace lanyard::test
