// Host names to addresses, by the system's resolver (getaddrinfo), which cannot be interrupted and may wait minutes for
// a name server that does not answer. That holds up neither the control plane nor the look-up of another name: each name
// is asked on a thread of its own.
//
//   look_up ──▶ queue ──▶ thread: getaddrinfo ──▶ posted ──▶ `done` of all who asked for that name
//
// However many ask for a name, it is looked up once at a time. At most look_ups_max are under way; further names
// wait for one of them to end. A thread owns what it works on, so that nobody has to wait for it: what it finds after
// the resolver has gone is thrown away, and the process ends without it (main.cpp).
//
// Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "transports/socket_address.h"

namespace lanyard {

struct NameAnswer {
  std::vector<SocketAddress> addresses;  // in the resolver's order, port 0; none: `wrong` says why, and names the host
  std::string wrong;
};

class NameResolver {
 public:
  using Ask = std::function<NameAnswer(const std::string& host)>;  // called on any thread
  using Done = std::function<void(const NameAnswer&)>;
  using LookUp = std::shared_ptr<const Done>;

  static constexpr std::size_t look_ups_max = 64;  // at one time

  explicit NameResolver(asio::io_context& io, Ask ask = ask_system);
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // Calls `done` later, unless what is returned has been dropped by then.
  [[nodiscard]] LookUp look_up(const std::string& host, Done done);
  // Is there a thread that has not ended?
  [[nodiscard]] bool is_busy() const { return asking_ > 0; }

  [[nodiscard]] static NameAnswer ask_system(const std::string& host);

 private:
  struct Shared;
  struct Task;

  void ask_next();
  [[nodiscard]] bool is_wanted(const std::string& host) const;
  void finish(const std::string& host, const NameAnswer& answer);
  static void* run(void* task);

  const std::shared_ptr<Shared> shared_;  // with the threads
  const Ask ask_;
  std::map<std::string, std::vector<std::weak_ptr<const Done>>> askers_;  // by name, of those queued or under way
  std::deque<std::string> queue_;
  std::size_t asking_ = 0;
};

}  // namespace lanyard
