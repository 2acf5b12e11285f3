// pump: the limit that switchd is measured against. It moves the same bytes between the same sockets without
// looking at a single one: no learning, no look-up, no counters, and blocking calls only.
//
//   pump ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...      joins the first with the second, the third with the
//                                                      fourth, ...
//   pump --flood ENDPOINT ENDPOINT...                  the first with all others, which must be of its kind
//
// Endpoints are written as switchd's ports are (see endpoint.h), and it announces itself in the same lines,
// so that a runner can put one in the place of the other. It does only what the bytes need:
//
//   streams               read up to 256 KiB, write what came
//   datagrams             recvmmsg of 64, one UDP_SEGMENT send for each run of equal sizes, all runs in one
//                         sendmmsg; sent plainly where a segment does not fit the MTU
//   stream to datagrams   read up to 256 KiB, cut at the lengths (big-endian u32), send as above
//   datagrams to stream   recvmmsg of 64, a length in front of each, one write
//
// One thread for each direction, so that both may block; the one whose direction is silent costs nothing. It
// ends when its streams end, or by a signal.
#include <endian.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/datagrams.h"
#include "bench/endpoint.h"
#include "frames/limits.h"

namespace lanyard::bench {
namespace {

bool write_all(const Fd& to, const std::byte* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t written = send(to.get(), data, bytes, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    bytes -= static_cast<std::size_t>(written);
  }
  return true;
}

// Of a blocking socket, so only a signal cuts it short.
bool write_all(const Fd& to, std::span<iovec> parts) {
  while (!parts.empty()) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t written = sendmsg(to.get(), &message, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    auto left = static_cast<std::size_t>(written);
    while (!parts.empty() && left >= parts.front().iov_len) {
      left -= parts.front().iov_len;
      parts = parts.subspan(1);
    }
    if (parts.empty()) break;
    parts.front().iov_base = static_cast<std::byte*>(parts.front().iov_base) + left;
    parts.front().iov_len -= left;
  }
  return true;
}

void carry_stream(const Fd& from, std::span<Opened> to) {
  const std::unique_ptr<std::byte[]> chunk(new std::byte[limits::chunk_receive_bytes]);
  while (true) {
    const ssize_t bytes = read(from.get(), chunk.get(), limits::chunk_receive_bytes);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return;
    for (const Opened& each : to)
      if (!write_all(each.socket, chunk.get(), static_cast<std::size_t>(bytes))) return;
  }
}

[[noreturn]] void carry_datagrams(const Fd& from, std::span<Opened> to) {
  DatagramReceiver receiver;
  std::vector<DatagramSender> senders;
  for (const Opened& each : to) senders.emplace_back(&each.endpoint.remote, true);
  while (true) {
    const auto datagrams = receiver.receive(from, 0);
    for (std::size_t i = 0; i < to.size(); ++i) senders[i].send(to[i].socket, datagrams);
  }
}

void carry_stream_to_datagrams(const Fd& from, const Opened& to) {
  const std::unique_ptr<std::byte[]> chunk(
      new std::byte[limits::chunk_headroom_bytes + limits::chunk_receive_bytes]);
  DatagramSender sender(&to.endpoint.remote, true);
  std::vector<std::span<std::byte>> frames;
  std::size_t held = 0;  // bytes of an incomplete frame at the beginning of the chunk
  while (true) {
    const ssize_t bytes = read(from.get(), chunk.get() + held, limits::chunk_receive_bytes);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return;
    std::span<std::byte> rest(chunk.get(), held + static_cast<std::size_t>(bytes));
    frames.clear();
    while (rest.size() >= limits::length_header_bytes) {
      std::uint32_t length;
      std::memcpy(&length, rest.data(), sizeof length);
      length = be32toh(length);
      if (length == 0 || length > limits::frame_bytes_max) return;
      if (rest.size() < limits::length_header_bytes + length) break;
      frames.push_back(rest.subspan(limits::length_header_bytes, length));
      rest = rest.subspan(limits::length_header_bytes + length);
    }
    if (!frames.empty()) sender.send(to.socket, frames);
    std::memmove(chunk.get(), rest.data(), rest.size());
    held = rest.size();
  }
}

void carry_datagrams_to_stream(const Fd& from, const Opened& to) {
  DatagramReceiver receiver;
  std::array<std::uint32_t, datagrams_per_call> lengths;
  std::array<iovec, 2 * datagrams_per_call> parts;
  while (true) {
    const auto datagrams = receiver.receive(from, 0);
    for (std::size_t i = 0; i < datagrams.size(); ++i) {
      lengths[i] = htobe32(static_cast<std::uint32_t>(datagrams[i].size()));
      parts[2 * i] = {&lengths[i], sizeof lengths[i]};
      parts[2 * i + 1] = {datagrams[i].data(), datagrams[i].size()};
    }
    if (!write_all(to.socket, std::span(parts).first(2 * datagrams.size()))) return;
  }
}

// From one to all of `to`, which are one where their kind is another.
void carry(const Opened& from, std::span<Opened> to) {
  const bool to_datagrams = is_datagram(to.front().endpoint);
  if (is_datagram(from.endpoint)) {
    if (to_datagrams) carry_datagrams(from.socket, to);
    carry_datagrams_to_stream(from.socket, to.front());
  } else if (to_datagrams) {
    carry_stream_to_datagrams(from.socket, to.front());
  } else {
    carry_stream(from.socket, to);
  }
  shutdown(from.socket.get(), SHUT_RDWR);  // also ends the other directions
  for (const Opened& each : to) shutdown(each.socket.get(), SHUT_RDWR);
}

// The first with all others.
void join(std::span<Opened> group) {
  for (Opened& each : group)
    if (is_listener(each.endpoint)) each.socket = accept_connection(each.socket);
  std::vector<std::thread> back;
  for (Opened& other : group.subspan(1))
    back.emplace_back([&other, first = group.first(1)] { carry(other, first); });
  carry(group.front(), group.subspan(1));
  for (std::thread& thread : back) thread.join();
}

int run(std::vector<std::string_view> arguments) {
  const bool flood = !arguments.empty() && arguments.front() == "--flood";
  if (flood) arguments.erase(arguments.begin());
  if (arguments.size() < 2 || (!flood && arguments.size() % 2 != 0))
    usage_error(
        "usage: pump ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...\n       pump --flood ENDPOINT ENDPOINT...\n"
        "ENDPOINT = unix-listen:PATH | unix-connect:PATH | tcp-listen:HOST:PORT | tcp-connect:HOST:PORT | "
        "udp:HOST:PORT,remote=HOST:PORT | mcast:GROUP:PORT,interface=HOST");
  std::vector<Opened> opened;
  for (const std::string_view argument : arguments) {
    Endpoint endpoint = parse_endpoint(argument, opened.size() + 1);
    if (endpoint.type == EndpointType::vde)
      usage_error(std::string(argument) + ": the pump has no vde endpoints");
    if (flood && !opened.empty() && is_datagram(endpoint) != is_datagram(opened.front().endpoint))
      usage_error(std::string(argument) + ": a flood is of streams only, or of datagrams only");
    Fd socket = open_endpoint(endpoint);
    std::printf("port %s %s\n", endpoint.name.c_str(), announced(endpoint, socket).c_str());
    opened.push_back({std::move(endpoint), std::move(socket)});
  }
  std::puts("ready");
  std::fflush(stdout);

  const std::span<Opened> all(opened);
  const std::size_t group = flood ? all.size() : 2;
  std::vector<std::thread> groups;
  for (std::size_t i = 0; i < all.size(); i += group)
    groups.emplace_back([members = all.subspan(i, group)] { join(members); });
  for (std::thread& thread : groups) thread.join();
  return 0;
}

}  // namespace
}  // namespace lanyard::bench

int main(int argc, char** argv) { return lanyard::bench::run({argv + 1, argv + argc}); }
