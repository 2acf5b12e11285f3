// A daemon that does as the test says; see the header.
#include "tests/lanyard/fake_daemon.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <stdexcept>

#include "switchd/control/framing.h"

namespace lanyard::test {

FakeDaemon::FakeDaemon(Handler handler)
    : handler_(std::move(handler)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path().c_str());
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 1) != 0)
    throw std::runtime_error("cannot listen");
  thread_ = std::thread([this] { serve(); });
}

FakeDaemon::~FakeDaemon() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
  thread_.join();
}

void FakeDaemon::serve() {
  const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return;
  const Connection connection(socket.get());
  control::MessageReader reader(control::request_bytes_max);
  char bytes[4096];
  for (;;) {
    const ssize_t got = ::recv(socket.get(), bytes, sizeof bytes, 0);
    if (got <= 0) return;
    reader.add({bytes, static_cast<std::size_t>(got)});
    while (const auto message = reader.next()) {
      v1::Request request;
      if (!request.ParseFromArray(message->data(), static_cast<int>(message->size()))) return;
      handler_(request, connection);
    }
  }
}

void FakeDaemon::Connection::respond(const v1::Request& request, v1::Response response, bool more) const {
  response.set_id(request.id());
  response.set_more(more);
  send_raw(control::framed(response.SerializeAsString()));
}

void FakeDaemon::Connection::send_raw(const std::string& bytes) const {
  (void)::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);  // who is not there any more hears nothing
}

void FakeDaemon::Connection::hang_up() const { ::shutdown(fd_, SHUT_RDWR); }

}  // namespace lanyard::test
