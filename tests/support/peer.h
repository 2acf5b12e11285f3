// A VM's end of a wire, as QEMU makes it, over plain sockets: TCP and UNIX streams with length framing, UDP and UNIX
// datagrams, a member of a multicast group. Everything waits with a deadline; late is an exception.
#pragma once

#include <optional>
#include <string>

#include "tests/support/frames.h"
#include "transports/fd.h"
#include "transports/socket_address.h"

namespace lanyard::test {

// "127.0.0.1:7000", "[::1]:7000"
[[nodiscard]] SocketAddress socket_address(const std::string& text);
// A UDP port of 127.0.0.1 that was free a moment ago.
[[nodiscard]] std::uint16_t free_udp_port();

class Peer {
 public:
  // From `source`, an address of this host with port 0, where one is given.
  [[nodiscard]] static Peer tcp(const std::string& address, const std::string& source = "");
  // With a receive buffer of the least size, so that it is soon full.
  [[nodiscard]] static Peer small_tcp(const std::string& address);
  [[nodiscard]] static Peer unix_stream(const std::string& path);
  // Bound, on an ephemeral port where none is given; takes datagrams from anybody, as QEMU does.
  [[nodiscard]] static Peer udp(const std::string& local = "127.0.0.1:0");
  [[nodiscard]] static Peer unix_datagram(const std::string& path, const std::string& remote);
  // As net/socket.c has it: bound to the group with SO_REUSEADDR, hears itself, sends from the same socket.
  [[nodiscard]] static Peer group_member(const std::string& group, const std::string& interface);

  Peer& towards(const std::string& address);  // udp: where sends go
  [[nodiscard]] std::string local() const;
  [[nodiscard]] int fd() const { return fd_.get(); }

  void send(const std::string& frame);
  // Bytes of a stream or one datagram, as they are.
  void send_raw(const std::string& bytes);
  // Sends a datagram unless the kernel refuses it now.
  [[nodiscard]] bool can_send(const std::string& frame);
  // As much as the socket takes at once. Streams.
  std::size_t send_some(const std::string& bytes);

  // The next frame; not the ones before it, if there are.
  [[nodiscard]] std::string receive();
  // What came with the datagram just received.
  [[nodiscard]] const SocketAddress& source() const { return source_; }
  [[nodiscard]] std::optional<std::string> receive_now();
  // Reads frames until `frame` comes; how many others came before it.
  std::size_t receive_until(const std::string& frame);
  // Reads and drops all until the connection is closed. Streams.
  void await_closed();
  [[nodiscard]] bool is_open();  // reads what is there
  void close() { fd_.reset(); }

 private:
  friend class Listener;
  Peer(Fd fd, bool stream) : fd_(std::move(fd)), stream_(stream) {}
  [[nodiscard]] bool read_some();  // false: nothing there now
  [[nodiscard]] std::optional<std::string> take_frame();

  Fd fd_;
  bool stream_;
  bool closed_ = false;
  SocketAddress remote_;
  SocketAddress source_;
  std::string bytes_;
};

[[nodiscard]] bool has_ipv6_loopback();  // ::1
[[nodiscard]] bool is_refused(const std::string& address);  // by TCP

// QEMU as the listener: one connection at a time, others wait.
class Listener {
 public:
  explicit Listener(const std::string& address = "127.0.0.1:0");  // or a path
  [[nodiscard]] std::string address() const;
  [[nodiscard]] Peer accept();
  [[nodiscard]] bool someone_waits() const;

 private:
  Fd fd_;
};

}  // namespace lanyard::test
