// A VM's end of a wire; see the header.
#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "frames/limits.h"
#include "switchd/address.h"
#include "switchd/resolve.h"
#include "tests/support/deadline.h"
#include "transports/open_sockets.h"

namespace lanyard::test {

namespace {

void check(bool good, const std::string& doing) {
  if (!good) throw std::runtime_error(doing + ": " + std::strerror(errno));
}

[[nodiscard]] Fd new_socket(int family, int type) {
  Fd fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  check(bool(fd), "socket");
  return fd;
}

[[nodiscard]] SocketAddress any_address(const std::string& text) {
  return text.front() == '/' ? SocketAddress::unix_path(text) : socket_address(text);
}

template <class Value>
void set_option(const Fd& fd, int level, int option, const Value& value) {
  check(::setsockopt(fd.get(), level, option, &value, sizeof value) == 0, "setsockopt");
}

[[nodiscard]] Fd connected(const SocketAddress& to, int receive_buffer_bytes, const std::string& source = "") {
  Fd fd = new_socket(to.family(), SOCK_STREAM);
  if (!source.empty()) {
    const SocketAddress from = socket_address(source);
    check(::bind(fd.get(), &from.any, from.length) == 0, "bind " + source);
  }
  if (receive_buffer_bytes > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer_bytes);
  if (::connect(fd.get(), &to.any, to.length) == 0) return fd;
  check(errno == EINPROGRESS, "connect to " + to_string(to));
  await_fd(fd.get(), POLLOUT, Deadline(), "connection to " + to_string(to));
  socklen_t size = sizeof errno;
  int error = 0;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  check(error == 0, "connect to " + to_string(to));
  return fd;
}

}  // namespace

SocketAddress socket_address(const std::string& text) {
  HostPort address;
  const std::string wrong = read_host_port(text, {.host_required = true, .port_zero = true}, address);
  if (!wrong.empty()) throw std::runtime_error(text + ": " + wrong);
  return literal_addresses(address).at(0);
}

std::uint16_t free_udp_port() { return socket_address(Peer::udp().local()).port(); }

Peer Peer::tcp(const std::string& address, const std::string& source) {
  Peer peer(connected(socket_address(address), 0, source), true);
  set_option(peer.fd_, IPPROTO_TCP, TCP_NODELAY, 1);
  return peer;
}

Peer Peer::small_tcp(const std::string& address) { return {connected(socket_address(address), 4096), true}; }

Peer Peer::unix_stream(const std::string& path) { return {connected(SocketAddress::unix_path(path), 0), true}; }

Peer Peer::udp(const std::string& local) {
  const SocketAddress address = socket_address(local);
  Peer peer(new_socket(address.family(), SOCK_DGRAM), false);
  set_option(peer.fd_, SOL_SOCKET, SO_RCVBUF, 4 << 20);
  check(::bind(peer.fd_.get(), &address.any, address.length) == 0, "bind " + local);
  return peer;
}

Peer Peer::unix_datagram(const std::string& path, const std::string& remote) {
  Peer peer(new_socket(AF_UNIX, SOCK_DGRAM), false);
  const SocketAddress address = SocketAddress::unix_path(path);
  ::unlink(path.c_str());  // as QEMU does
  check(::bind(peer.fd_.get(), &address.any, address.length) == 0, "bind " + path);
  peer.remote_ = SocketAddress::unix_path(remote);
  return peer;
}

Peer Peer::group_member(const std::string& group, const std::string& interface) {
  const SocketAddress address = socket_address(group);
  Peer peer(new_socket(AF_INET, SOCK_DGRAM), false);
  set_option(peer.fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  check(::bind(peer.fd_.get(), &address.any, address.length) == 0, "bind " + group);
  ip_mreq membership{};
  membership.imr_multiaddr = address.v4.sin_addr;
  check(::inet_pton(AF_INET, interface.c_str(), &membership.imr_interface) == 1, interface);
  set_option(peer.fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership);
  set_option(peer.fd_, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
  set_option(peer.fd_, IPPROTO_IP, IP_MULTICAST_IF, membership.imr_interface);
  peer.remote_ = address;
  return peer;
}

Peer& Peer::towards(const std::string& address) {
  remote_ = any_address(address);
  return *this;
}

std::string Peer::local() const { return to_string(bound_address(fd_.get())); }

void Peer::send(const std::string& frame) { send_raw(stream_ ? on_stream(frame) : frame); }

void Peer::send_raw(const std::string& bytes) {
  const Deadline deadline;
  std::size_t at = 0;
  do {
    const ssize_t sent = ::sendto(fd_.get(), bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL,
                                  remote_.length > 0 ? &remote_.any : nullptr, remote_.length);
    if (sent >= 0) at += static_cast<std::size_t>(sent);
    else if (errno == EAGAIN) await_fd(fd_.get(), POLLOUT, deadline, "room to send");
    else check(errno == EINTR, "send");
    if (deadline.passed()) throw std::runtime_error("in time there was no room to send");
  } while (at < bytes.size());
}

bool Peer::can_send(const std::string& frame) {
  return ::sendto(fd_.get(), frame.data(), frame.size(), MSG_NOSIGNAL, &remote_.any, remote_.length) >= 0;
}

std::size_t Peer::send_some(const std::string& bytes) {
  const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  check(sent >= 0 || errno == EAGAIN, "send");
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

bool Peer::read_some() {
  static thread_local char bytes[128 * 1024];
  sockaddr_un from{};
  socklen_t from_length = sizeof from;
  const ssize_t got = ::recvfrom(fd_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &from_length);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (stream_ && got <= 0) {
    closed_ = true;
    return false;
  }
  check(got >= 0, "receive");
  if (!stream_) {
    source_ = SocketAddress(&from, from_length);
    bytes_.clear();
  }
  bytes_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> Peer::take_frame() {
  if (!stream_) return bytes_;
  if (bytes_.size() < limits::length_header_bytes) return std::nullopt;
  const std::uint32_t length = load_be32(reinterpret_cast<const std::byte*>(bytes_.data()));
  if (length < limits::frame_bytes_min || length > limits::frame_bytes_max)
    throw std::runtime_error("a length of " + std::to_string(length) + " came on the stream");
  if (bytes_.size() < limits::length_header_bytes + length) return std::nullopt;
  std::string frame = bytes_.substr(limits::length_header_bytes, length);
  bytes_.erase(0, limits::length_header_bytes + length);
  return frame;
}

std::optional<std::string> Peer::receive_now() {
  if (stream_)
    if (auto frame = take_frame()) return frame;
  while (read_some())
    if (auto frame = take_frame()) return frame;
  return std::nullopt;
}

std::string Peer::receive() {
  const Deadline deadline;
  for (;;) {
    if (auto frame = receive_now()) return *frame;
    if (closed_) throw std::runtime_error("the connection was closed before a frame came");
    await_fd(fd_.get(), POLLIN, deadline, "frame");
  }
}

std::size_t Peer::receive_until(const std::string& frame) {
  const Deadline deadline;
  for (std::size_t others = 0;; ++others) {
    if (receive() == frame) return others;
    if (deadline.passed()) throw std::runtime_error("in time the frame did not come");
  }
}

void Peer::await_closed() {
  const Deadline deadline;
  while (!closed_) {
    if (read_some()) bytes_.clear();
    else if (!closed_) await_fd(fd_.get(), POLLIN, deadline, "end of the connection");
  }
}

bool Peer::is_open() {
  while (!closed_ && read_some()) {
  }
  return !closed_;
}

Listener::Listener(const std::string& address) {
  const SocketAddress local = any_address(address);
  fd_ = new_socket(local.family(), SOCK_STREAM);
  if (local.family() != AF_UNIX) set_option(fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  check(::bind(fd_.get(), &local.any, local.length) == 0, "bind " + address);
  check(::listen(fd_.get(), 1) == 0, "listen");  // QEMU's backlog
}

std::string Listener::address() const { return to_string(bound_address(fd_.get())); }

Peer Listener::accept() {
  await_fd(fd_.get(), POLLIN, Deadline(), "connection at " + address());
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  check(bool(fd), "accept");
  return {std::move(fd), true};
}

bool Listener::someone_waits() const {
  pollfd waiting{fd_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) > 0;
}

bool has_ipv6_loopback() {
  try {
    (void)Peer::udp("[::1]:0");
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool is_refused(const std::string& address) {
  try {
    (void)Peer::tcp(address);
    return false;
  } catch (const std::exception& failure) {
    return std::string(failure.what()).find("refused") != std::string::npos;
  }
}

}  // namespace lanyard::test
