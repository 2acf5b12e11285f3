// A client of the control socket; see the header.
#include "tests/support/control_client.h"

#include <sys/socket.h>

#include <stdexcept>

#include "tests/support/deadline.h"
#include "transports/socket_address.h"

namespace lanyard::test {

ControlClient::ControlClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const SocketAddress address = SocketAddress::unix_path(path);
  if (::connect(fd_.get(), &address.any, address.length) != 0) throw std::runtime_error("no daemon at " + path);
}

std::uint64_t ControlClient::send(v1::Request request) {
  request.set_id(next_id_++);
  send_raw(control::framed(request.SerializeAsString()));
  return request.id();
}

void ControlClient::send_raw(const std::string& bytes) {
  if (::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
    throw std::runtime_error("the daemon does not read");
}

bool ControlClient::receive() {
  await_fd(fd_.get(), POLLIN, Deadline(), "an answer of the daemon");
  char piece[64 * 1024];
  const ssize_t got = ::recv(fd_.get(), piece, sizeof piece, 0);
  if (got > 0) reader_.add({piece, static_cast<std::size_t>(got)});
  return got > 0;
}

v1::Response ControlClient::next() {
  for (;;) {
    if (const auto message = reader_.next()) {
      v1::Response response;
      if (!response.ParseFromArray(message->data(), static_cast<int>(message->size())))
        throw std::runtime_error("a response that is no message");
      return response;
    }
    if (!receive()) throw std::runtime_error("the daemon closed the connection");
  }
}

std::vector<v1::Response> ControlClient::ask_all(const v1::Request& request) {
  const std::uint64_t id = send(request);
  std::vector<v1::Response> responses;
  do {
    v1::Response response = next();
    if (response.id() == id) responses.push_back(std::move(response));
  } while (responses.empty() || responses.back().more());
  return responses;
}

v1::Response ControlClient::ask(const v1::Request& request) {
  std::vector<v1::Response> responses = ask_all(request);
  if (responses.size() != 1) throw std::runtime_error("more than one response");
  return std::move(responses.front());
}

void ControlClient::await_end() {
  while (receive()) {
  }
}

}  // namespace lanyard::test
