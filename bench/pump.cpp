// pump: the limit that switchd is measured against. It moves the same bytes between the same sockets without
// looking at a single one: no learning, no look-up, no counters, and blocking calls only.
//
//   pump ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...      joins the first with the second, the third with the
//   fourth, ...
//
// Endpoints are written as switchd's ports are (see endpoint.h), and it announces itself in the same lines,
// so that a runner can put one in the place of the other. A pair is either two streams or two datagram
// sockets; joining a stream with datagrams needs its lengths to be read and would be a third function beside
// carry_stream and carry_datagrams.
//
//   streams     read up to 256 KiB, write what came
//   datagrams   recvmmsg of 64, one UDP_SEGMENT send for each run of equal sizes, all runs in one sendmmsg
//
// One thread for each direction, so that both may block; the one whose direction is silent costs nothing. It
// ends when a stream ends, or by a signal.
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/datagrams.h"
#include "bench/endpoint.h"
#include "frames/limits.h"

namespace lanyard::bench {
namespace {

struct Opened {
  Endpoint endpoint;
  Fd socket;
};

bool is_datagram(const Endpoint& endpoint) { return endpoint.type == EndpointType::udp; }

bool is_listener(const Endpoint& endpoint) {
  return endpoint.type == EndpointType::unix_listen || endpoint.type == EndpointType::tcp_listen;
}

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

void carry_stream(const Fd& from, const Fd& to) {
  const std::unique_ptr<std::byte[]> chunk(new std::byte[limits::chunk_receive_bytes]);
  while (true) {
    const ssize_t bytes = read(from.get(), chunk.get(), limits::chunk_receive_bytes);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0 || !write_all(to, chunk.get(), static_cast<std::size_t>(bytes))) break;
  }
  shutdown(from.get(), SHUT_RDWR);  // also ends the other direction
  shutdown(to.get(), SHUT_RDWR);
}

[[noreturn]] void carry_datagrams(const Fd& from, const Opened& to) {
  DatagramReceiver receiver;
  DatagramSender sender(&to.endpoint.remote, true);
  while (true) sender.send(to.socket, receiver.receive(from, 0));
}

void join_datagrams(const Opened& a, const Opened& b) {
  std::thread back([&] { carry_datagrams(b.socket, a); });
  carry_datagrams(a.socket, b);
}

void join_streams(Opened& a, Opened& b) {
  if (is_listener(a.endpoint)) a.socket = accept_connection(a.socket);
  if (is_listener(b.endpoint)) b.socket = accept_connection(b.socket);
  std::thread back([&] { carry_stream(b.socket, a.socket); });
  carry_stream(a.socket, b.socket);
  back.join();
}

int run(int argc, char** argv) {
  if (argc < 3 || argc % 2 == 0)
    usage_error(
        "usage: pump ENDPOINT ENDPOINT [ENDPOINT ENDPOINT]...\nENDPOINT = unix-listen:PATH | "
        "unix-connect:PATH | tcp-listen:HOST:PORT | tcp-connect:HOST:PORT | udp:HOST:PORT,remote=HOST:PORT");
  std::vector<Opened> opened;
  for (int i = 1; i < argc; ++i) {
    Endpoint endpoint = parse_endpoint(argv[i], static_cast<std::size_t>(i));
    if (endpoint.type == EndpointType::vde)
      usage_error(std::string(argv[i]) + ": the pump has no vde endpoints");
    Fd socket = open_endpoint(endpoint);
    std::printf("port %s %s\n", endpoint.name.c_str(), announced(endpoint, socket).c_str());
    opened.push_back({std::move(endpoint), std::move(socket)});
  }
  for (std::size_t i = 0; i < opened.size(); i += 2)
    if (is_datagram(opened[i].endpoint) != is_datagram(opened[i + 1].endpoint))
      usage_error(opened[i].endpoint.place +
                  ": a stream can be joined with a stream only, datagrams with datagrams");
  std::puts("ready");
  std::fflush(stdout);

  std::vector<std::thread> pairs;
  for (std::size_t i = 0; i < opened.size(); i += 2)
    pairs.emplace_back([&a = opened[i], &b = opened[i + 1]] {
      if (is_datagram(a.endpoint))
        join_datagrams(a, b);
      else
        join_streams(a, b);
    });
  for (std::thread& pair : pairs) pair.join();
  return 0;
}

}  // namespace
}  // namespace lanyard::bench

int main(int argc, char** argv) { return lanyard::bench::run(argc, argv); }
