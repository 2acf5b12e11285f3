// Tells when the interfaces of this host, their addresses or its routes change, as the kernel does without being asked
// (rtnetlink(7)); no right is needed, and in a network namespace it is of that. What has become of a port's own
// interface, address or route is for the port to find out: changes come in many kinds, and messages may be lost. Only
// which interfaces have gone is read from them, since another may have the name by now, and even the number.
//
// Told 50 ms after the first of several changes, for they come in bursts. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string>

namespace lanyard {

// The numbers of the interfaces that these messages of rtnetlink say have gone. What is not whole is passed over.
[[nodiscard]] std::set<unsigned> links_gone(std::span<const std::byte> messages);

class LinkWatch {
 public:
  using Changed = std::function<void(const std::set<unsigned>& gone)>;
  explicit LinkWatch(asio::io_context& io) : socket_(io), rest_(io) {}

  // From now on `changed` is called. Empty, or why nothing will be told.
  [[nodiscard]] std::string begin(Changed changed);
  void close();

 private:
  void await_messages();
  void read_messages();
  void tell_soon();

  asio::posix::stream_descriptor socket_;
  asio::steady_timer rest_;
  Changed changed_;
  std::set<unsigned> gone_;
  bool is_resting_ = false;
};

}  // namespace lanyard
