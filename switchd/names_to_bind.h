// The names of hosts that ports bind, and what they stood for when they were looked up last: for each opening of a port
// anew. A port is opened in one go, so what it needs is found before; a name without an answer after some seconds leaves
// its port down. Control thread only.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "switchd/config.h"
#include "switchd/name_resolver.h"
#include "transports/open_sockets.h"

namespace lanyard {

class NamesToBind {
 public:
  static constexpr std::chrono::seconds answer_max{3};

  NamesToBind(asio::io_context& io, NameResolver& resolver) : io_(io), resolver_(resolver) {}

  // Looks `hosts` up, and calls `then` when all have an answer, or after answer_max; at once where there are none.
  void find(const std::set<std::string>& hosts, std::function<void()> then);
  // Without anybody who waits for it.
  void look_up(const std::string& host);
  void found(const std::string& host, const NameAnswer& answer) { answers_[host] = answer; }
  void forget_all_but(const std::set<std::string>& hosts);

  [[nodiscard]] Opened<std::vector<SocketAddress>> addresses(const HostPort& address) const;

 private:
  struct Finding;

  asio::io_context& io_;
  NameResolver& resolver_;
  std::map<std::string, NameAnswer> answers_;
  std::map<std::string, NameResolver::LookUp> look_ups_;  // that nobody waits for
};

}  // namespace lanyard
